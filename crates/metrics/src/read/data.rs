//! Several queries in one, metric math included (`GetMetricData`).

use std::collections::BTreeSet;

use domain::metric::math::{self, MathError, Outcome, Series, Window};
use domain::metric::{Point, Query, Source, Stat};
use domain::time::Timestamp;

use super::label::Labels;
use crate::memory::Slot;
use crate::{Error, Metrics};

/// `ScanBy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    Ascending,
    #[default]
    Descending,
}

/// `MessageData`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub code: &'static str,
    pub value: String,
}

/// `MetricDataResult`, whole: cutting it into pages is the caller's.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    pub id: String,
    pub label: String,
    pub points: Vec<Point>,
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DataError {
    #[error(transparent)]
    Math(#[from] MathError),
    #[error(transparent)]
    Metrics(#[from] Error),
}

impl Metrics {
    /// The results of those queries that return data, in their order; a query that gives an array has several, with the
    /// same id. A metric without a unit in the query that has several in `from..to` has no points, and a message.
    pub fn data(
        &self,
        queries: &[Query],
        from: Timestamp,
        to: Timestamp,
        order: Order,
    ) -> Result<Vec<Data>, DataError> {
        let mut failed = None;
        let outcomes =
            math::evaluate(queries, Window { from, to }, &mut |stat, period| match self
                .fetch(stat, period, from, to)
            {
                Ok(points) => points,
                Err(why) => {
                    failed = Some(why);
                    Vec::new()
                }
            })?;
        if let Some(why) = failed {
            return Err(why.into());
        }
        let labels = Labels::of(queries);
        let mut results = Vec::with_capacity(outcomes.len());
        for (index, outcome) in outcomes {
            let Some(query) = queries.get(index) else { continue };
            let messages = self.messages(query, from, to)?;
            let several = match outcome {
                Outcome::Series(series) => vec![(None, series)],
                Outcome::Array(array) => {
                    array.into_iter().map(|(id, series)| (Some(id), series)).collect()
                }
            };
            for (element, series) in several {
                let label = match &element {
                    Some(element) => labels.of_element(queries, query, element),
                    None => labels.of_query(index, query),
                };
                let Series { mut points, .. } = series;
                if order == Order::Descending {
                    points.reverse();
                }
                results.push(Data {
                    id: query.id.clone(),
                    label,
                    points,
                    messages: messages.clone(),
                });
            }
        }
        Ok(results)
    }

    /// The points of a metric; none where its units cannot be added up.
    fn fetch(
        &self,
        stat: &Stat,
        period: u32,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Point>, Error> {
        if self.several_units(stat, period, from, to)?.is_some() {
            return Ok(Vec::new());
        }
        self.points(stat, period, from, to)
    }

    /// The units in which a metric has data, by their names, if they are several and the query names none.
    fn several_units(
        &self,
        stat: &Stat,
        period: u32,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<BTreeSet<&'static str>>, Error> {
        let known = {
            let memory = self.read_memory();
            let slot = memory.find(&stat.metric).and_then(|slot| memory.slot(slot));
            slot.map_or(0, Slot::units)
        };
        if stat.unit.is_some() || known < 2 {
            return Ok(None);
        }
        let buckets = self.statistics(&stat.metric, None, period, from, to)?;
        let units: BTreeSet<_> = buckets.iter().map(|bucket| bucket.unit.as_str()).collect();
        Ok((units.len() > 1).then_some(units))
    }

    fn messages(
        &self,
        query: &Query,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Message>, Error> {
        let Source::Metric(stat) = &query.source else { return Ok(Vec::new()) };
        let period = stat.period.unwrap_or(math::PERIOD_DEFAULT_SECS);
        let units = self.several_units(stat, period, from, to)?;
        let message = |units: BTreeSet<&str>| {
            let units: Vec<&str> = units.into_iter().collect();
            let value = format!("Multiple units returned: '[{}]'", units.join(", "));
            Message { code: "MultipleUnits", value }
        };
        Ok(units.map(message).into_iter().collect())
    }
}
