//! What reading costs: 200 streams of 8 MiB each, as one group.
//!
//! `cargo run -p logs --release --example read_cost -- FOLDER` fills FOLDER (1.6 GB, in some seconds) and reads it.

use std::io::Write as _;
use std::time::Duration;

use domain::instance::{DeploymentId, FleetId, InstanceId};
use domain::time::Timestamp;
use logs::{Bounds, Direction, Logs, Output, Pattern, Query, Read as _};
use tokio::time::Instant;

const STREAMS: u128 = 200;
const LINES: i64 = 64;
const ROUNDS: i64 = 1280;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let mut out = std::io::stdout();
    let started = Instant::now();
    fill(&folder).await?;
    writeln!(out, "filled in {:?}", started.elapsed())?;

    let started = Instant::now();
    let logs = Logs::open(folder.into(), Bounds::DEFAULT)?;
    let groups = logs.groups().await?;
    let bytes: u64 = groups.iter().map(|group| group.bytes).sum();
    writeln!(out, "opened {} MiB in {:?}", bytes >> 20, started.elapsed())?;

    let all = Query {
        endpoint: "chat".parse()?,
        names: None,
        prefix: None,
        from: i64::MIN,
        until: i64::MAX,
        pattern: Pattern::default(),
        limit: 10_000,
        direction: Direction::Ascending,
        after: None,
    };
    let middle = ROUNDS / 2 * 10;
    let cases = [
        ("a page from the head", all.clone(), 1),
        ("a page from the middle", Query { from: middle, ..all.clone() }, 1),
        ("a page from the end", Query { direction: Direction::Descending, ..all.clone() }, 1),
        ("nothing new", Query { from: ROUNDS * 10 + 1, ..all.clone() }, 1),
        (
            "a pattern that nothing matches",
            Query { pattern: Pattern::parse("absent")?, ..all },
            10_000,
        ),
    ];
    for (name, query, pages_max) in cases {
        measure(&mut out, &logs, name, query, pages_max).await?;
    }
    Ok(())
}

async fn fill(folder: &str) -> Result<(), Box<dyn std::error::Error>> {
    let logs = Logs::open(folder.into(), Bounds { ..Bounds::DEFAULT })?;
    let fleet = FleetId {
        endpoint: "chat".parse()?,
        deployment: DeploymentId(1),
        variant: "main".parse()?,
    };
    let at = Timestamp::from_millis;
    let writers: Vec<_> =
        (0..STREAMS).map(|id| logs.log(&fleet, &InstanceId::from_entropy(id), at(0))).collect();
    let line = format!("{}\n", "word ".repeat(17));
    let lines = line.repeat(usize::try_from(LINES)?).into_bytes();
    for round in 0..ROUNDS {
        for writer in &writers {
            writer.append(at(round * 10), Output::Out, lines.clone());
        }
        if let Some(writer) = writers.first() {
            writer.flush().await;
        }
    }
    Ok(())
}

async fn measure(
    out: &mut impl std::io::Write,
    logs: &Logs,
    name: &str,
    mut query: Query,
    pages_max: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let (mut pages, mut events, mut slowest) = (0, 0, Duration::ZERO);
    while pages < pages_max {
        let one = Instant::now();
        let page = logs.events(query.clone()).await?.ok_or("no such group")?;
        slowest = slowest.max(one.elapsed());
        pages += 1;
        events += page.events.len();
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let took = started.elapsed();
    writeln!(out, "{name}: {pages} pages, {events} events, {took:?}, the slowest {slowest:?}")?;
    Ok(())
}
