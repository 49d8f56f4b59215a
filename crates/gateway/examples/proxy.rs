//! The data plane by itself, for measuring it.
//!
//! `proxy` measures: one gateway thread between clients and a model server of its own, and what a request costs that
//! thread, once without metrics and once with, side by side; `proxy --json` tells it to programs. `proxy --routes` measures
//! in JSON what 1,000 endpoints of 3 variants of 4 instances cost in the place of one, and what it costs that one of them
//! is updated every second. `proxy UPSTREAM [LISTEN]`
//! fronts a model server (`127.0.0.1:8080`, or the path of a Unix socket) as variant
//! `v0` of endpoint `e`, with the key below, until it is interrupted; the control plane is an echo.

mod measure;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::instance::Address;
use domain::metric::{Measured, Sink};
use measure::{CLIENTS, Compared, KEY_ID, REGION, SECRET, Size, TURNS, Way, compare, say, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next() {
        None => metrics(false).await,
        Some(word) if word == "--json" => metrics(true).await,
        Some(word) if word == "--routes" => routes().await,
        Some(upstream) => {
            let upstream =
                upstream.parse().map_or_else(|_| Address::Unix(upstream.into()), Address::Tcp);
            let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:4281".to_owned());
            let (gateway, _) = start(&listen, &upstream, Way::plain())?;
            say(&format!(
                "http://{} key {KEY_ID} secret {SECRET} region {REGION}",
                gateway.address()
            ))?;
            tokio::signal::ctrl_c().await?;
            gateway.drain(Duration::from_secs(5)).await;
            Ok(())
        }
    }
}

/// What a request costs in route tables of several sizes, by that in a table of one endpoint.
async fn routes() -> io::Result<()> {
    let of = |endpoints| Size { endpoints, variants: 3, instances: 4 };
    let way = |endpoints| Way { size: of(endpoints), ..Way::plain() };
    let updated = Way { update_every: Some(Duration::from_secs(1)), ..way(1000) };
    let cases = [("10", way(10)), ("100", way(100)), ("1000", way(1000)), ("updated", updated)];
    let mut told = Vec::new();
    for (name, case) in cases {
        let Compared { first_nanos, second_nanos, ratio, .. } = compare(way(1), case).await?;
        told.push(format!(
            "\"{name}\": {{\"cpu_ns_of_one\": {first_nanos:.0}, \"cpu_ns\": {second_nanos:.0}, \"ratio\": {ratio:.4}}}"
        ));
    }
    say(&format!("{{{}}}", told.join(", ")))
}

/// Adds up what it is told.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Sink for Count {
    fn offer(&self, measured: Vec<Measured>) {
        let invocations = measured.iter().map(|one| one.tally.invocations).sum();
        self.0.fetch_add(invocations, Ordering::Relaxed);
    }
}

async fn metrics(as_json: bool) -> io::Result<()> {
    let count = Arc::new(Count::default());
    let counted = Way { sink: Some(Arc::clone(&count) as _), ..Way::plain() };
    let compared = compare(Way::plain(), counted).await?;
    let Compared { requests, of_second, first_nanos, second_nanos, ratio } = compared;
    let counted = count.0.load(Ordering::Relaxed);
    if counted != of_second {
        return Err(io::Error::other(format!("{counted} counted of {of_second} served")));
    }
    if as_json {
        return say(&format!(
            "{{\"requests\": {requests}, \"cpu_ns_without\": {first_nanos:.0}, \"cpu_ns_with\": {second_nanos:.0}, \
             \"ratio\": {ratio:.4}}}"
        ));
    }
    say(&format!(
        "{requests} signed requests over {CLIENTS} connections, of one core each: {:.2} µs without metrics, {:.2} µs with \
         ({:+.1} %), medians of {TURNS} turns",
        first_nanos / 1e3,
        second_nanos / 1e3,
        (ratio - 1.0) * 100.0
    ))
}
