//! Every metric of ours: its unit, how finely it is kept, and what it means (sections 7.1 and 7.3).

use std::sync::{Arc, LazyLock};

use domain::metric::{INVOCATIONS, MetricId, UTILIZATION, Unit};
use domain::name::{EndpointName, VariantName};

use crate::sample::{Resolution, SeriesKey};

/// A metric of a variant: its dimensions are `EndpointName` and `VariantName`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    pub namespace: &'static str,
    pub name: &'static str,
    pub unit: Unit,
    pub resolution: Resolution,
    /// Whether a minute without a request has a zero.
    pub zero_when_idle: bool,
    pub description: &'static str,
}

const fn invocations(name: &'static str, description: &'static str) -> Definition {
    Definition {
        namespace: INVOCATIONS,
        name,
        unit: Unit::None,
        resolution: Resolution::Minute,
        zero_when_idle: true,
        description,
    }
}

const fn latency(name: &'static str, description: &'static str) -> Definition {
    Definition { unit: Unit::Microseconds, zero_when_idle: false, ..invocations(name, description) }
}

const fn utilization(name: &'static str, description: &'static str) -> Definition {
    Definition {
        namespace: UTILIZATION,
        unit: Unit::Percent,
        zero_when_idle: false,
        ..invocations(name, description)
    }
}

pub const REQUESTS: Definition = invocations("Invocations", "Requests for the variant.");
pub const REQUESTS_PER_INSTANCE: Definition = invocations(
    "InvocationsPerInstance",
    "Requests for the variant, each divided by the instances in service when it came. Its Sum is what counts.",
);
pub const ERRORS_4XX: Definition =
    invocations("Invocation4XXErrors", "1 for a request answered with a status of 4xx, else 0.");
pub const ERRORS_5XX: Definition =
    invocations("Invocation5XXErrors", "1 for a request answered with a status of 5xx, else 0.");
pub const MODEL_ERRORS: Definition = invocations(
    "InvocationModelErrors",
    "1 for a request that the model server did not answer with 2xx, broken connections and timeouts included; else 0.",
);
pub const MODEL_LATENCY: Definition =
    latency("ModelLatency", "Time that the model server took for a request, by the wall clock.");
pub const OVERHEAD_LATENCY: Definition = latency(
    "OverheadLatency",
    "Time that a request took beside the model server's, by the wall clock.",
);
pub const CONCURRENCY: Definition = Definition {
    resolution: Resolution::TenSeconds,
    ..invocations(
        "ConcurrentRequestsPerModel",
        "Requests that an instance has in hand or waiting, whenever one comes. Minimum and Maximum are what counts.",
    )
};
pub const CPU: Definition =
    utilization("CPUUtilization", "CPU that an instance uses: 100 for each core.");
pub const MEMORY: Definition =
    utilization("MemoryUtilization", "Memory that an instance uses, of what it may.");
pub const CPU_NORMALIZED: Definition =
    utilization("CPUUtilizationNormalized", "CPU that an instance uses, of all its cores.");
pub const MEMORY_NORMALIZED: Definition =
    utilization("MemoryUtilizationNormalized", "Memory that an instance uses, of what it may.");

pub const ALL: [Definition; 12] = [
    REQUESTS,
    REQUESTS_PER_INSTANCE,
    ERRORS_4XX,
    ERRORS_5XX,
    MODEL_ERRORS,
    MODEL_LATENCY,
    OVERHEAD_LATENCY,
    CONCURRENCY,
    CPU,
    MEMORY,
    CPU_NORMALIZED,
    MEMORY_NORMALIZED,
];

/// The texts of names and namespaces, which all variants share.
static TEXTS: LazyLock<Vec<(&'static str, Arc<str>)>> = LazyLock::new(|| {
    let texts = ALL.iter().flat_map(|definition| [definition.namespace, definition.name]);
    texts.map(|text| (text, Arc::from(text))).collect()
});

fn text(wanted: &'static str) -> Arc<str> {
    let known = TEXTS.iter().find(|(text, _)| *text == wanted);
    known.map_or_else(|| wanted.into(), |(_, text)| Arc::clone(text))
}

impl Definition {
    /// The series of a variant.
    pub fn series(&self, endpoint: &EndpointName, variant: &VariantName) -> SeriesKey {
        self.beside(&MetricId::of_variant(self.namespace, self.name, endpoint, variant))
    }

    /// The series of the variant that another metric is one of.
    pub fn beside(&self, other: &MetricId) -> SeriesKey {
        let metric = other.sibling(text(self.namespace), text(self.name));
        SeriesKey { metric, unit: self.unit, resolution: self.resolution }
    }
}

/// What [`Metrics::idle`](crate::Metrics::idle) is given for a variant, for each minute or, where they are kept finer,
/// each ten seconds.
pub fn idle_series(
    endpoint: &EndpointName,
    variant: &VariantName,
    resolution: Resolution,
) -> Vec<SeriesKey> {
    let one = MetricId::of_variant(INVOCATIONS, REQUESTS.name, endpoint, variant);
    let idle = ALL.iter().filter(|known| known.zero_when_idle && known.resolution == resolution);
    idle.map(|definition| definition.beside(&one)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_metric_is_there_once_and_is_described() {
        let names: BTreeSet<_> = ALL.iter().map(|known| (known.namespace, known.name)).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|known| known.description.ends_with('.')));
    }

    #[test]
    fn a_sibling_is_the_same_metric_as_one_made_on_its_own() {
        let (endpoint, variant) = ("e".parse().unwrap(), "v".parse().unwrap());
        let requests = REQUESTS.series(&endpoint, &variant);
        for definition in ALL {
            let alone =
                MetricId::of_variant(definition.namespace, definition.name, &endpoint, &variant);
            assert_eq!(definition.beside(&requests.metric).metric, alone);
        }
    }
}
