//! What `PutMetricData` takes, and its complaints, which AWS makes all at once, a line for each (section 6.2).

use std::time::Duration;

use domain::alarm::JavaDouble;
use domain::metric::{Distribution, EXACT_VALUES_MAX, MetricId, Summary};
use domain::time::Timestamp;
use metrics::{Resolution, Sample, SeriesKey};
use wire::cloudwatch::{MetricDatum, PutMetricDataInput, StatisticSet};

use super::{Refusal, members};

/// Datums of one request.
const DATA_MAX: usize = 1000;

/// The largest value, 2^360, either way.
const VALUE_MAX: f64 = f64::from_bits((1023 + 360) << 52);

/// How old a sample may be.
const AGE_MAX: Duration = Duration::from_hours(14 * 24);

/// How far ahead a sample may be.
const AHEAD_MAX: Duration = Duration::from_hours(2);

/// Complaints that are told of one request: enough to see what is wrong, and an answer of a few kilobytes.
const TOLD_MAX: usize = 50;

/// What is wrong, by the error that it is. A parameter that is missing is told before two that exclude one another, and
/// both before values.
#[derive(Debug, Default)]
struct Complaints {
    missing: Vec<String>,
    combinations: Vec<String>,
    values: Vec<String>,
}

impl Complaints {
    fn missing(&mut self, text: String) {
        self.missing.push(text);
    }

    fn combination(&mut self, text: String) {
        self.combinations.push(text);
    }

    fn value(&mut self, text: String) {
        self.values.push(text);
    }

    fn invalid(&mut self, value: impl std::fmt::Display, path: &str) {
        self.value(format!("The value {value} for parameter {path} is invalid."));
    }

    /// A number that is finite and not too large.
    fn check_number(&mut self, number: f64, path: &str) {
        if !number.is_finite() || number.abs() > VALUE_MAX {
            self.invalid(JavaDouble(number), path);
        }
    }

    fn is_full(&self) -> bool {
        self.missing.len() + self.combinations.len() + self.values.len() >= TOLD_MAX
    }

    fn verdict(self) -> Result<(), Refusal> {
        let Self { missing, combinations, values } = self;
        match (missing.is_empty(), combinations.is_empty(), values.is_empty()) {
            (false, ..) => Err(Refusal::Missing(missing.join("\n"))),
            (true, false, _) => Err(Refusal::Combination(combinations.join("\n"))),
            (true, true, false) => Err(Refusal::Value(values.join("\n"))),
            (true, true, true) => Ok(()),
        }
    }
}

/// The samples of a request, or everything that is wrong with it.
pub(super) fn samples(input: &PutMetricDataInput, now: Timestamp) -> Result<Vec<Sample>, Refusal> {
    if input.namespace.starts_with("AWS/") {
        let text = "The value AWS/ for parameter Namespace is invalid.";
        return Err(Refusal::Value(text.to_owned()));
    }
    let own = input.metric_data.as_deref().unwrap_or_default();
    let entities = input.entity_metric_data.as_deref().unwrap_or_default();
    let of_entities = || entities.iter().map(|one| one.metric_data.as_deref().unwrap_or_default());
    let total = own.len() + of_entities().map(<[_]>::len).sum::<usize>();
    if total == 0 {
        return Err(Refusal::Missing("The parameter MetricData is required.".to_owned()));
    }
    if total > DATA_MAX {
        return Err(Refusal::Value(too_many("MetricData", DATA_MAX)));
    }
    let mut complaints = Complaints::default();
    let mut samples = Vec::with_capacity(total);
    let mut read = |data: &[MetricDatum], list: &str| {
        for (position, datum) in (1_usize..).zip(data) {
            if complaints.is_full() {
                return;
            }
            let path = format!("{list}.member.{position}");
            samples.push(sample(&input.namespace, datum, &path, now, &mut complaints));
        }
    };
    read(own, "MetricData");
    for (position, data) in (1_usize..).zip(of_entities()) {
        read(data, &format!("EntityMetricData.member.{position}.MetricData"));
    }
    complaints.verdict()?;
    Ok(samples)
}

fn too_many(list: &str, most: usize) -> String {
    format!("The collection {list} must not have a size greater than {most}.")
}

/// A datum as a sample, which is of use only if there is no complaint.
fn sample(
    namespace: &str,
    datum: &MetricDatum,
    path: &str,
    now: Timestamp,
    complaints: &mut Complaints,
) -> Sample {
    check_dimensions(datum, path, complaints);
    let at = datum.timestamp.map_or(now, members::time);
    if now.since(at) > AGE_MAX {
        complaints.value(format!(
            "The parameter {path}.Timestamp must specify a time within the past two weeks."
        ));
    }
    if at.since(now) > AHEAD_MAX {
        complaints.value(format!(
            "The parameter {path}.Timestamp must specify a time no more than two hours in the future."
        ));
    }
    let resolution = match datum.storage_resolution {
        Some(1) => Resolution::Second,
        Some(60) | None => Resolution::Minute,
        Some(other) => {
            complaints.invalid(other, &format!("{path}.StorageResolution"));
            Resolution::Minute
        }
    };
    let dimensions = members::dimensions(datum.dimensions.as_deref());
    let metric = MetricId::new(namespace, &datum.metric_name, dimensions);
    let unit = datum.unit.map(members::unit).unwrap_or_default();
    let values = values(datum, path, complaints);
    Sample { series: SeriesKey { metric, unit, resolution }, at, values }
}

fn check_dimensions(datum: &MetricDatum, path: &str, complaints: &mut Complaints) {
    let given = datum.dimensions.as_deref().unwrap_or_default();
    for (position, dimension) in (1_usize..).zip(given) {
        let path = format!("{path}.Dimensions.member.{position}");
        for (text, path) in
            [(&dimension.name, format!("{path}.Name")), (&dimension.value, format!("{path}.Value"))]
        {
            if !text.is_ascii() {
                complaints.value(format!(
                    "The value {text} for parameter {path} contains non-ASCII characters."
                ));
            } else if text.trim().is_empty() || text.bytes().any(|byte| byte.is_ascii_control()) {
                complaints.invalid(text, &path);
            }
        }
        let earlier = given.get(..position - 1).unwrap_or_default();
        if dimension.name.starts_with(':')
            || earlier.iter().any(|other| other.name == dimension.name)
        {
            complaints.invalid(&dimension.name, &format!("{path}.Name"));
        }
    }
}

/// The one of three forms in which a datum's values are given.
fn values(datum: &MetricDatum, path: &str, complaints: &mut Complaints) -> Distribution {
    // awsQuery has no empty lists.
    let filled = |list: &Option<Vec<f64>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let given = [
        ("Value", datum.value.is_some()),
        ("Values", filled(&datum.values)),
        ("StatisticValues", datum.statistic_values.is_some()),
    ];
    let given: Vec<&str> = given.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect();
    if let [one, other, ..] = given.as_slice() {
        complaints.combination(format!(
            "The parameters {path}.{one} and {path}.{other} are mutually exclusive and you have specified both."
        ));
    }
    if let Some(value) = datum.value {
        complaints.check_number(value, &format!("{path}.Value"));
        return Distribution::of(value, 1.0);
    }
    if let Some(set) = &datum.statistic_values {
        return statistic_set(set, &format!("{path}.StatisticValues"), complaints);
    }
    match datum.values.as_deref() {
        Some(values) if !values.is_empty() => {
            let counts = datum.counts.as_deref().filter(|counts| !counts.is_empty());
            counted(values, counts, path, complaints)
        }
        _ => {
            complaints.missing(format!(
                "At least one of the parameters {path}.Value or {path}.StatisticValues must be specified."
            ));
            Distribution::EMPTY
        }
    }
}

fn counted(
    values: &[f64],
    counts: Option<&[f64]>,
    path: &str,
    complaints: &mut Complaints,
) -> Distribution {
    if values.len() > EXACT_VALUES_MAX {
        complaints.value(too_many(&format!("{path}.Values"), EXACT_VALUES_MAX));
        return Distribution::EMPTY;
    }
    if counts.is_some_and(|counts| counts.len() != values.len()) {
        complaints.value(format!(
            "The parameters {path}.Values and {path}.Counts must be of the same size."
        ));
    }
    let mut found = Distribution::EMPTY;
    for (index, value) in values.iter().enumerate() {
        let position = index + 1;
        complaints.check_number(*value, &format!("{path}.Values.member.{position}"));
        let count = counts.map_or(Some(&1.0), |counts| counts.get(index)).copied().unwrap_or(0.0);
        let counts = format!("{path}.Counts.member.{position}");
        complaints.check_number(count, &counts);
        if count < 0.0 {
            complaints.invalid(JavaDouble(count), &counts);
        }
        found.add_many(*value, count);
    }
    found
}

fn statistic_set(set: &StatisticSet, path: &str, complaints: &mut Complaints) -> Distribution {
    let StatisticSet { sample_count, sum, minimum, maximum } = *set;
    let numbers =
        [("SampleCount", sample_count), ("Sum", sum), ("Minimum", minimum), ("Maximum", maximum)];
    for (name, number) in numbers {
        complaints.check_number(number, &format!("{path}.{name}"));
    }
    if maximum < minimum {
        complaints
            .value(format!("The parameter {path}.Maximum must be greater than {path}.Minimum."));
    }
    if sample_count <= 0.0 {
        complaints.value(format!("The parameter {path}.SampleCount must be greater than 0."));
    }
    Distribution::from_summary(Summary { count: sample_count, sum, min: minimum, max: maximum })
}
