//! Between the wire's types and the domain's.

use domain::metric::{Dimension, MetricId, Unit};
use domain::time::Timestamp;
use wire::cloudwatch::{self as model, StandardUnit};

pub(super) const fn timestamp(at: Timestamp) -> wire::Timestamp {
    wire::Timestamp(at.as_millis())
}

pub(super) const fn time(at: wire::Timestamp) -> Timestamp {
    Timestamp::from_millis(at.0)
}

/// Both name the same units.
pub(super) fn unit(unit: StandardUnit) -> Unit {
    unit.as_str().parse().unwrap_or_default()
}

pub(super) fn shown_unit(unit: Unit) -> Option<StandardUnit> {
    unit.as_str().parse().ok()
}

/// A number that the model keeps above zero.
pub(super) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

pub(super) fn shown_count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(super) fn dimensions(given: Option<&[model::Dimension]>) -> Vec<Dimension> {
    let read = |given: &model::Dimension| Dimension {
        name: given.name.as_str().into(),
        value: given.value.as_str().into(),
    };
    given.unwrap_or_default().iter().map(read).collect()
}

pub(super) fn shown_dimensions(metric: &MetricId) -> Vec<model::Dimension> {
    let shown = |dimension: &Dimension| model::Dimension {
        name: dimension.name.to_string(),
        value: dimension.value.to_string(),
    };
    metric.dimensions().iter().map(shown).collect()
}

pub(super) fn shown_metric(metric: &MetricId) -> model::Metric {
    model::Metric {
        namespace: Some(metric.namespace.to_string()),
        metric_name: Some(metric.name.to_string()),
        dimensions: Some(shown_dimensions(metric)),
    }
}
