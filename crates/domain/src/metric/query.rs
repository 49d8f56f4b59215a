//! A query as `GetMetricData`, metric-math alarms and customised scaling metrics write it.

use serde::{Deserialize, Serialize};

use super::{MetricId, Statistic, Unit};

/// `MetricDataQuery`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// `^[a-z][a-zA-Z0-9_]*$`, unique in a request.
    pub id: String,
    pub source: Source,
    pub label: Option<String>,
    /// Whether the result is shown; CloudWatch's default is true.
    pub return_data: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Source {
    Metric(Stat),
    /// A metric-math expression; the period, in seconds, is optional.
    Expression {
        text: String,
        period: Option<u32>,
    },
}

/// `MetricStat`: one statistic of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stat {
    pub metric: MetricId,
    pub statistic: Statistic,
    /// Only values of this unit; of any where it is absent.
    pub unit: Option<Unit>,
    /// Seconds. Absent in scaling policies, where Application Auto Scaling chooses it.
    pub period: Option<u32>,
}
