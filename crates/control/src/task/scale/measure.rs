//! What nobody sends: the zeros of variants without requests, and what instances use.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::endpoint::Deployment;
use domain::instance::{InstanceId, Observed};
use domain::metric::Distribution;
use domain::name::{EndpointName, VariantName};
use domain::time::Timestamp;
use metrics::metric_definitions::{CPU, CPU_NORMALIZED, MEMORY, MEMORY_NORMALIZED, idle_series};
use metrics::{Resolution, Sample, SeriesKey};
use store::State;

use super::{Means, STEP};

/// The shortest time by the wall over which use is measured: the kernel counts CPU time in ticks of 10 ms.
const USAGE_SPAN_MIN: Duration = Duration::from_secs(1);

/// Steps whose zeros are made up for after a pause. A longer one leaves a gap, as a server that was down does.
const STEPS_MADE_UP_MAX: i64 = 30;

/// What is remembered from one run to the next.
#[derive(Debug, Default)]
pub(super) struct Measure {
    variants: BTreeMap<(EndpointName, VariantName), Idle>,
    readings: BTreeMap<InstanceId, Reading>,
    read_at: Option<Timestamp>,
}

/// The series of a variant that has no requests.
#[derive(Debug)]
struct Idle {
    each_window: Vec<SeriesKey>,
    each_minute: Vec<SeriesKey>,
    used: [SeriesKey; 4],
}

/// What an instance had used when it was looked at.
#[derive(Debug)]
struct Reading {
    cpu: Duration,
    at: Timestamp,
    /// Percent, in the order of [`Idle::used`].
    used: Option<[f64; 4]>,
}

impl Measure {
    /// Records what is due for the steps that ended after `done`, up to `edge`.
    pub(super) fn run(&mut self, means: &Means, done: Option<Timestamp>, edge: Timestamp) {
        let state = means.store.state();
        let serving = serving(&state);
        self.know(&serving);
        self.read_usage(means, &serving);
        let step = i64::try_from(STEP.as_millis()).unwrap_or(i64::MAX);
        let last = edge.as_millis();
        let first =
            done.map_or(last, |done| done.as_millis() + step).max(last - STEPS_MADE_UP_MAX * step);
        let mut ended = first;
        while ended <= last {
            self.record(means, Timestamp::from_millis(ended - step));
            ended += step;
        }
    }

    /// Keeps the series of the variants that serve, and of no others.
    fn know(&mut self, serving: &Serving<'_>) {
        let mut known = std::mem::take(&mut self.variants);
        for (endpoint, live) in serving {
            for fleet in &live.fleets {
                let key = ((*endpoint).clone(), fleet.variant.clone());
                let idle = known.remove(&key).unwrap_or_else(|| Idle::of(&key.0, &key.1));
                self.variants.insert(key, idle);
            }
        }
    }

    fn record(&self, means: &Means, window: Timestamp) {
        let first_of_minute = window.as_millis().rem_euclid(60_000) == 0;
        let idle = self.variants.values().flat_map(|variant| {
            let minutely = first_of_minute.then_some(&variant.each_minute);
            variant.each_window.iter().chain(minutely.into_iter().flatten()).cloned()
        });
        let idle: Vec<SeriesKey> = idle.collect();
        if !idle.is_empty() {
            means.metrics.idle(idle, window);
        }
        let samples = self.samples(means, window);
        if !samples.is_empty() {
            means.metrics.record(samples);
        }
    }

    /// One sample of each instance whose use is known.
    fn samples(&self, means: &Means, window: Timestamp) -> Vec<Sample> {
        let mut samples = Vec::new();
        for Observed { id, fleet, .. } in means.driver.observe() {
            let Some(used) = self.readings.get(&id).and_then(|reading| reading.used) else {
                continue;
            };
            let Some(variant) = self.variants.get(&(fleet.endpoint, fleet.variant)) else {
                continue;
            };
            for (series, percent) in variant.used.iter().zip(used) {
                let values = Distribution::of(percent, 1.0);
                samples.push(Sample { series: series.clone(), at: window, values });
            }
        }
        samples
    }

    fn read_usage(&mut self, means: &Means, serving: &Serving<'_>) {
        let wall = means.clock.steady();
        if self.read_at.is_some_and(|at| wall.since(at) < USAGE_SPAN_MIN) {
            return;
        }
        self.read_at = Some(wall);
        let mut before = std::mem::take(&mut self.readings);
        for observed in means.driver.observe().into_iter().filter(|one| one.phase.is_ready()) {
            let Some(usage) = means.driver.usage(&observed.id) else { continue };
            let (cores, memory_bytes) = share(means, serving, &observed);
            let used = before.remove(&observed.id).map(|before| {
                let spent = usage.cpu.saturating_sub(before.cpu).as_secs_f64();
                let cpu = 100.0 * spent / wall.since(before.at).as_secs_f64().max(1e-3);
                let memory = percent(usage.memory_bytes, memory_bytes);
                [cpu, cpu / f64::from(cores.max(1)), memory, memory]
            });
            self.readings.insert(observed.id, Reading { cpu: usage.cpu, at: wall, used });
        }
    }
}

/// The cores and the bytes of memory that an instance's type gives it, or the machine's.
fn share(means: &Means, serving: &Serving<'_>, observed: &Observed) -> (u32, u64) {
    let fleet = &observed.fleet;
    let live = serving.get(&fleet.endpoint).filter(|live| live.id == fleet.deployment);
    let kind = live.and_then(|live| live.config.instance_type(&fleet.variant));
    let resources = kind.and_then(|kind| means.resources.get(kind)).copied().unwrap_or_default();
    let machine = means.machine;
    (
        resources.cpus.unwrap_or(machine.cores),
        resources.memory_bytes.unwrap_or(machine.memory_bytes),
    )
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory, as a share")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

impl Idle {
    fn of(endpoint: &EndpointName, variant: &VariantName) -> Self {
        Self {
            each_window: idle_series(endpoint, variant, Resolution::TenSeconds),
            each_minute: idle_series(endpoint, variant, Resolution::Minute),
            used: [CPU, CPU_NORMALIZED, MEMORY, MEMORY_NORMALIZED]
                .map(|definition| definition.series(endpoint, variant)),
        }
    }
}

/// The endpoints that serve, with the fleets that do.
type Serving<'a> = BTreeMap<&'a EndpointName, &'a Deployment>;

fn serving(state: &State) -> Serving<'_> {
    let endpoints = state.endpoints.values().filter(|endpoint| endpoint.stage.serves());
    endpoints.filter_map(|endpoint| Some((&endpoint.name, endpoint.live.as_deref()?))).collect()
}
