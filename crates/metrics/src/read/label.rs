//! What results are called where the query does not say: by the metric, and by what tells it from others of that name.

use std::fmt::Write;

use domain::metric::{Query, Source, Stat};

pub(super) struct Labels(Vec<String>);

impl Labels {
    pub(super) fn of(queries: &[Query]) -> Self {
        let stats: Vec<&Stat> = queries.iter().filter_map(stat).collect();
        Self(queries.iter().map(|query| label(query, &stats)).collect())
    }

    pub(super) fn of_query(&self, index: usize, query: &Query) -> String {
        self.0.get(index).unwrap_or(&query.id).clone()
    }

    /// An element of an array: the array's label, if it has one, and that of the metric it was made of.
    pub(super) fn of_element(&self, queries: &[Query], array: &Query, id: &str) -> String {
        let origin = queries.iter().position(|query| query.id == id);
        let own = origin.and_then(|index| self.0.get(index)).map_or(id, String::as_str);
        match &array.label {
            Some(label) => format!("{label} {own}"),
            None => own.to_owned(),
        }
    }
}

fn stat(query: &Query) -> Option<&Stat> {
    match &query.source {
        Source::Metric(stat) => Some(stat),
        Source::Expression { .. } => None,
    }
}

fn label(query: &Query, all: &[&Stat]) -> String {
    if let Some(label) = &query.label {
        return label.clone();
    }
    let Some(stat) = stat(query) else { return query.id.clone() };
    let alike: Vec<&&Stat> =
        all.iter().filter(|other| other.metric.name == stat.metric.name).collect();
    let mut label = stat.metric.name.to_string();
    for dimension in stat.metric.dimensions() {
        let common = alike.iter().all(|other| other.metric.dimensions().contains(dimension));
        if !common {
            label.push(' ');
            label.push_str(&dimension.value);
        }
    }
    let differs = |other: &&&Stat| other.statistic != stat.statistic || other.period != stat.period;
    if alike.iter().any(differs) {
        write!(label, " {}", stat.statistic).expect("a string takes every text");
        if let Some(period) = stat.period {
            write!(label, " {period}").expect("a string takes every text");
        }
    }
    label
}
