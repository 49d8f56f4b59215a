//! Which metric a target tracking policy follows: read from a request, and told apart from those of other policies
//! (`reference/autoscaling-and-cloudwatch.md`, sections 1.5 and 2.1).

use super::TrackedMetric;
use crate::alarm::Watch;
use crate::metric::{Dimension, MetricId, Query, Source, Stat, Statistic, Unit};
use crate::scaling::{Refusal, ResourceId};

/// Metric queries of one policy (section 2.1).
const QUERIES_MAX: usize = 10;

/// The one predefined metric that has no meaning without a label.
const LABELLED: &str = "ALBRequestCountPerTarget";

/// `PredefinedMetricSpecification`.
#[derive(Debug, Clone, PartialEq)]
pub struct PredefinedMetric {
    /// `PredefinedMetricType`.
    pub name: String,
    pub label: Option<String>,
}

/// `CustomizedMetricSpecification`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Customized {
    pub name: Option<String>,
    pub namespace: Option<String>,
    pub dimensions: Vec<Dimension>,
    pub statistic: Option<Statistic>,
    pub unit: Option<Unit>,
    pub metrics: Option<Vec<Query>>,
}

impl TryFrom<&PredefinedMetric> for TrackedMetric {
    type Error = Refusal;

    fn try_from(given: &PredefinedMetric) -> Result<Self, Refusal> {
        if given.name == LABELLED && given.label.is_none() {
            return Err(Refusal::LabelMissing(given.name.clone()));
        }
        Self::of_predefined(&given.name).ok_or(Refusal::PredefinedMetric)
    }
}

impl TryFrom<&Customized> for TrackedMetric {
    type Error = Refusal;

    fn try_from(given: &Customized) -> Result<Self, Refusal> {
        let scalar = given.name.is_some()
            || given.namespace.is_some()
            || given.statistic.is_some()
            || given.unit.is_some()
            || !given.dimensions.is_empty();
        match (&given.metrics, &given.name, &given.namespace, given.statistic) {
            (Some(queries), ..) if !scalar => {
                let shown = |query: &&Query| query.return_data != Some(false);
                if queries.is_empty() || queries.len() > QUERIES_MAX {
                    return Err(Refusal::CustomizedMetric);
                }
                if queries.iter().filter(shown).count() != 1 {
                    return Err(Refusal::ReturnData);
                }
                Ok(Self::CustomizedMath(queries.clone()))
            }
            (None, Some(name), Some(namespace), Some(statistic)) => {
                let metric = MetricId::new(namespace, name, given.dimensions.clone());
                Ok(Self::Customized(Stat { metric, statistic, unit: given.unit, period: None }))
            }
            _ => Err(Refusal::CustomizedMetric),
        }
    }
}

impl TrackedMetric {
    /// Whether two policies of one target would follow the same metric: namespace, name, statistic and dimensions
    /// count; unit, label, period and the ids of queries do not.
    pub(super) fn is_same(&self, other: &Self, resource: &ResourceId) -> bool {
        identity(&self.watch(resource)) == identity(&other.watch(resource))
    }
}

/// What is left of a query when all that does not count is left out.
#[derive(Debug, PartialEq)]
enum Part {
    Metric(MetricId, Statistic, bool),
    /// An expression, with the place of a query in the list instead of its id.
    Expression(String, bool),
}

fn identity(watch: &Watch) -> Vec<Part> {
    match watch {
        Watch::Metric(stat) => vec![Part::Metric(stat.metric.clone(), stat.statistic, true)],
        Watch::Math(queries) => {
            let part = |query: &Query| {
                let shown = query.return_data != Some(false);
                match &query.source {
                    Source::Metric(stat) => {
                        Part::Metric(stat.metric.clone(), stat.statistic, shown)
                    }
                    Source::Expression { text, .. } => {
                        Part::Expression(without_ids(text, queries), shown)
                    }
                }
            };
            queries.iter().map(part).collect()
        }
    }
}

fn without_ids(text: &str, queries: &[Query]) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut plain = String::new();
    let mut word = String::new();
    // A blank ends the last word.
    for letter in text.chars().chain([' ']) {
        if is_word(letter) {
            word.push(letter);
            continue;
        }
        match queries.iter().position(|query| query.id == word) {
            Some(place) => {
                plain.push('$');
                plain.push_str(&place.to_string());
            }
            None => plain.push_str(&word),
        }
        word.clear();
        if !letter.is_whitespace() {
            plain.push(letter);
        }
    }
    plain
}
