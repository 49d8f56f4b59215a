//! Metric math: expressions over series, as `GetMetricData`, alarms and customised scaling metrics write them
//! (`reference/autoscaling-and-cloudwatch.md`, section 6.6).
//!
//! A text becomes a short program in postfix order (`parse`), the queries of a request are put in the order in which
//! they depend on one another (`plan`), and each program runs on a stack of its own (`run`). Nothing recurses but the
//! parser, to a bounded depth, and all work is paid for from one budget: an expression of a stranger costs no stack and
//! only so much time. Where the points come from is the caller's affair.

mod calendar;
mod call;
mod error;
mod function;
mod operator;
mod parse;
mod plan;
mod run;
mod track;
mod value;

#[cfg(test)]
mod tests;

use super::{Point, Query, Stat};
use crate::time::Timestamp;

pub use error::{MathError, Problem};
pub use parse::{Expression, parse};

/// The longest expression, in characters (`MetricDataQuery$Expression`).
pub const EXPRESSION_LENGTH_MAX: usize = 2048;

/// How deep parentheses, calls, signs and powers may stand in one another. Whole dashboards get by with ten, and the
/// parser's stack stays below 100 KiB.
pub const NESTING_MAX: usize = 64;

/// Queries in a request (section 6.2).
pub const QUERIES_MAX: usize = 500;

/// Metrics that one alarm or scaling policy may read, and as many expressions (section 6.4).
pub const SINGLE_MAX: usize = 10;

/// Characters of an id (`MetricDataQuery$Id`).
pub const ID_LENGTH_MAX: usize = 255;

/// Points of one series: what one `GetMetricData` may return in all (section 6.2).
pub const POINTS_MAX: usize = 100_800;

/// Series in one array: one per query, more only by repeating some.
pub const ARRAY_MAX: usize = QUERIES_MAX;

/// Points read, made and returned for one request, and one for every step of a program. Enough for 500 metrics by the
/// minute over a day, filled and summed up; about 100 MB if all were kept, and below half a second.
pub const WORK_MAX: usize = 30 * POINTS_MAX;

/// Results that one request may need: each query at each period at which something else reads it. Four times as many as
/// queries leaves room for mixed periods, and bounds how often the store is asked.
pub const RESULTS_MAX: usize = 4 * QUERIES_MAX;

/// The period of a metric and of an expression that name none: what Application Auto Scaling adds (section 2.2), and
/// CloudWatch's own default.
pub const PERIOD_DEFAULT_SECS: u32 = 60;

/// The time that is asked for: `from` is inside, `to` is not.
///
/// Functions that make points of their own (`FILL`, `TIME_SERIES`, `HOUR`, ...) put one at every multiple of the period
/// within it, so `from` belongs at the start of the first bucket that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// One evaluated query: every series has the points it has (missing ones are absent), oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// As the query says; for an element of an array, as the query says that it was made of.
    pub label: Option<String>,
    /// Seconds.
    pub period: u32,
    pub points: Vec<Point>,
}

/// What a query gives. A scalar is given as a series with that value at every period of the window.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Series(Series),
    /// An array, each with the id of the metric that it was made of, or the expression's own where there is none.
    Array(Vec<(String, Series)>),
}

/// Evaluates the queries that return data, with what they need, and gives each with its index in `queries`.
///
/// `fetch` gives the points of a metric at a period of so many seconds, oldest first. It is asked once for each pair
/// that is needed: an expression reads all its metrics at the coarsest of their periods and its own.
pub fn evaluate(
    queries: &[Query],
    window: Window,
    fetch: &mut dyn FnMut(&Stat, u32) -> Vec<Point>,
) -> Result<Vec<(usize, Outcome)>, MathError> {
    plan::Plan::of(queries)?.run(window, fetch)
}

/// Checks queries without data: ids are well-formed and unique, what expressions name exists, nothing goes in a circle,
/// every function and operator gets what it takes. What passes does not fail in [`evaluate`], but for its size.
///
/// `single` is for alarms and scaling policies: at most [`SINGLE_MAX`] metrics and expressions, all of one period, and
/// exactly one query returns data: one series.
pub fn check(queries: &[Query], single: bool) -> Result<(), MathError> {
    let plan = plan::Plan::of(queries)?;
    if single {
        plan.check_single()?;
    }
    // The type of a result never depends on the data: without any, a run is a check of types.
    let nowhere = Window { from: Timestamp::default(), to: Timestamp::default() };
    let outcomes = plan.run_all(nowhere, &mut |_, _| Vec::new())?;
    match outcomes.into_iter().find(|(index, outcome)| {
        single && plan.is_shown(*index) && matches!(outcome, Outcome::Array(_))
    }) {
        Some((index, _)) => Err(plan.error(index, Problem::ManySeries)),
        None => Ok(()),
    }
}
