//! Lives the lives of a range of seeds, says what came of them, and adds a line to a ledger if it is told to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sim::life::{Plan, Report, live};

const USAGE: &str = "usage: lives --seed N [--steps N]    live one life and tell all of it
       lives --seeds A..B [--steps N] [--threads N] [--ledger FILE]";

/// Violations that are told in full: they mostly have one cause.
const TOLD_MAX: usize = 3;

#[derive(Default)]
struct Asked {
    seeds: Option<Range<u64>>,
    whole: bool,
    steps: Option<u32>,
    threads: Option<usize>,
    ledger: Option<PathBuf>,
}

/// What all lives came to.
#[derive(Default)]
struct Sum {
    lived: Duration,
    counts: BTreeMap<&'static str, u64>,
    violations: Vec<Report>,
}

fn main() -> ExitCode {
    let Some(asked) = read() else {
        say(io::stderr(), USAGE);
        return ExitCode::from(2);
    };
    let Some(seeds) = asked.seeds.clone() else { return ExitCode::from(2) };
    let plan = |seed| {
        let plan = Plan::of(seed);
        Plan { steps: asked.steps.unwrap_or(plan.steps), whole: asked.whole, ..plan }
    };
    if asked.whole {
        let report = live(&plan(seeds.start));
        let counts = report.counts.iter().map(|(what, count)| format!("{count} {what}"));
        let counts: Vec<String> = counts.collect();
        say(
            io::stdout(),
            &format!("{report}\n{} (digest {:016x})", counts.join(", "), report.digest),
        );
        return ExitCode::from(u8::from(report.violation.is_some()));
    }
    let threads = asked.threads.unwrap_or(1).max(1);
    let (sum, took) = all(&seeds, threads, &plan);
    let hours = sum.lived.as_secs_f64() / 3600.0;
    let (number, seconds) = (seeds.end - seeds.start, took.as_secs_f64());
    let counts: Vec<String> =
        sum.counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    for report in sum.violations.iter().take(TOLD_MAX) {
        say(io::stdout(), &report.to_string());
    }
    let violations = sum.violations.len();
    say(
        io::stdout(),
        &format!(
            "{number} seeds ({}..{}): {hours:.0} virtual hours in {seconds:.1} s on {threads} threads, {:.0} per second; \
             {violations} violations\n{}",
            seeds.start,
            seeds.end,
            hours / seconds,
            counts.join(", ")
        ),
    );
    if let Some(ledger) = &asked.ledger {
        let line = format!(
            "| {} | {}..{} | {number} | {:.1} | {hours:.0} | {:.0} | {violations} |\n",
            commit(),
            seeds.start,
            seeds.end,
            seconds / 60.0,
            hours / seconds
        );
        let file = std::fs::OpenOptions::new().append(true).open(ledger);
        if let Err(why) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
            say(io::stderr(), &format!("{} cannot be added to: {why}", ledger.display()));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::from(u8::from(violations > 0))
}

#[expect(clippy::disallowed_methods, reason = "it is measured how long this takes")]
fn all(
    seeds: &Range<u64>,
    threads: usize,
    plan: &(impl Fn(u64) -> Plan + Sync),
) -> (Sum, Duration) {
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let report = live(&plan(seed));
                    let mut sum = sum.lock().expect("no thread panics with the sum");
                    sum.lived += report.lived;
                    for (what, count) in &report.counts {
                        *sum.counts.entry(what).or_default() += count;
                    }
                    if let Some(violation) = &report.violation {
                        say(io::stderr(), &format!("seed {seed} breaks {violation}"));
                        sum.violations.push(report);
                    }
                }
            });
        }
    });
    (sum.into_inner().expect("no thread panics with the sum"), began.elapsed())
}

fn read() -> Option<Asked> {
    let mut given = std::env::args().skip(1);
    let mut asked = Asked::default();
    while let Some(name) = given.next() {
        let value = given.next()?;
        match name.as_str() {
            "--seed" => {
                let seed = value.parse().ok()?;
                (asked.seeds, asked.whole) = (Some(seed..seed + 1), true);
            }
            "--seeds" => {
                let (from, to) = value.split_once("..")?;
                asked.seeds = Some(from.parse().ok()?..to.parse().ok()?);
            }
            "--steps" => asked.steps = Some(value.parse().ok()?),
            "--threads" => asked.threads = Some(value.parse().ok()?),
            "--ledger" => asked.ledger = Some(value.into()),
            _ => return None,
        }
    }
    asked.seeds.is_some().then_some(asked)
}

/// What was run: the commit, and whether anything differs from it.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let mut commit = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".into());
    if git(&["status", "--porcelain", "--", "crates"]).is_some_and(|changes| !changes.is_empty()) {
        write!(commit, "+").expect("a string can be written to");
    }
    commit
}

/// There is nobody to tell of it where nothing can be told.
fn say(mut to: impl io::Write, what: &str) {
    drop(writeln!(to, "{what}"));
}
