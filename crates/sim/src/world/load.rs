//! The requests that clients send all the time, as the gateway would have measured them. They come evenly, so that every
//! run has the same; one that finds no ready instance is not measured, as if its client had gone.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::metric::{Measured, Tally};
use domain::name::{EndpointName, VariantName};
use domain::route::RouteTable;
use domain::time::Timestamp;

/// Milliseconds in which the requests "per minute" come.
const MINUTE_MILLIS: i64 = 60_000;

type Key = (EndpointName, VariantName);

#[derive(Debug, Default)]
pub(crate) struct Load {
    rates: BTreeMap<Key, Rate>,
    /// What was served since the last window ended, and that window's start.
    tallies: BTreeMap<Key, (Timestamp, Tally)>,
}

#[derive(Debug, Clone, Copy)]
struct Rate {
    per_minute: u32,
    duration: Duration,
}

impl Load {
    pub(crate) fn set(
        &mut self,
        endpoint: EndpointName,
        variant: VariantName,
        per_minute: u32,
        duration: Duration,
    ) {
        self.rates.insert((endpoint, variant), Rate { per_minute, duration });
    }

    /// Serves what comes between two moments of one window.
    pub(crate) fn pass(&mut self, table: &RouteTable, from: Timestamp, to: Timestamp) {
        for (key, rate) in &self.rates {
            let route = table.endpoints.get(&key.0);
            let variant =
                route.and_then(|route| route.variants.iter().find(|one| one.name == key.1));
            let ready = variant.map_or(0, |variant| variant.instances.len());
            let requests = rate.until(to) - rate.until(from);
            if ready == 0 || requests == 0 {
                continue;
            }
            let (_, tally) = self
                .tallies
                .entry(key.clone())
                .or_insert_with(|| (Measured::window_of(from), Tally::default()));
            rate.count(tally, requests, ready);
        }
    }

    /// What was served in the window that has just ended.
    pub(crate) fn measured(&mut self) -> Vec<Measured> {
        let served = std::mem::take(&mut self.tallies).into_iter();
        served
            .map(|((endpoint, variant), (window, tally))| Measured {
                endpoint,
                variant,
                window,
                tally,
            })
            .collect()
    }
}

impl Rate {
    /// How many requests have come by then, since the epoch.
    fn until(self, at: Timestamp) -> u64 {
        let millis = at.as_millis();
        let (minutes, rest) = (millis.div_euclid(MINUTE_MILLIS), millis.rem_euclid(MINUTE_MILLIS));
        let per_minute = i64::from(self.per_minute);
        (minutes * per_minute + rest * per_minute / MINUTE_MILLIS).unsigned_abs()
    }

    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 requests and instances")]
    fn count(self, tally: &mut Tally, requests: u64, ready: usize) {
        let (number, instances) = (requests as f64, ready as f64);
        tally.invocations += requests;
        tally.invocations_per_instance += number / instances;
        let micros = self.duration.as_secs_f64() * 1e6;
        tally.model_latency.add_many(micros, number);
        // As many as come while one is served, shared by the instances; at least the one that begins.
        let in_flight = f64::from(self.per_minute) / 60.0 * self.duration.as_secs_f64() / instances;
        let in_flight = in_flight.max(1.0);
        let seen = &mut tally.concurrency;
        seen.min = if seen.count == 0.0 { in_flight } else { seen.min.min(in_flight) };
        seen.max = seen.max.max(in_flight);
        seen.count += number;
        seen.sum += number * in_flight;
    }
}
