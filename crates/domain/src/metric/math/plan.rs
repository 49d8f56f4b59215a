//! The queries of a request in the order in which they depend on one another, and the periods at which each is needed.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{MathError, Problem};
use super::parse::{Expression, parse_text};
use super::run::{Machine, Request};
use super::track::{Grid, Track};
use super::value::{Budget, Value};
use super::{
    ID_LENGTH_MAX, Outcome, PERIOD_DEFAULT_SECS, POINTS_MAX, Point, QUERIES_MAX, Query,
    RESULTS_MAX, SINGLE_MAX, Series, Stat, Window,
};
use crate::metric::Source;

#[derive(Debug)]
pub(super) struct Plan<'a> {
    queries: &'a [Query],
    /// What is to be computed; nothing for metrics.
    expressions: Vec<Option<Expression>>,
    /// Indices of the queries that each reads.
    needs: Vec<Vec<usize>>,
    /// Every query after those that it needs.
    order: Vec<usize>,
    /// Of each query, the coarsest of its own period and of those that it reads; nothing if there is none.
    periods: Vec<Option<u32>>,
    indices: BTreeMap<&'a str, usize>,
    /// What planning has left.
    left: Budget,
}

impl<'a> Plan<'a> {
    pub(super) fn of(queries: &'a [Query]) -> Result<Self, MathError> {
        if queries.len() > QUERIES_MAX {
            return Err(MathError::TooManyQueries(queries.len()));
        }
        let mut indices = BTreeMap::new();
        for (index, query) in queries.iter().enumerate() {
            let id = query.id.as_str();
            if !is_id(id) {
                return Err(MathError::MalformedId { id: id.to_owned() });
            }
            if period(query) == Some(0) {
                return Err(MathError::ZeroPeriod { id: id.to_owned() });
            }
            if indices.insert(id, index).is_some() {
                return Err(MathError::DuplicateId { id: id.to_owned() });
            }
        }
        let mut plan = Self {
            queries,
            expressions: Vec::new(),
            needs: Vec::new(),
            order: Vec::new(),
            periods: Vec::new(),
            indices,
            left: Budget::default(),
        };
        for (index, query) in queries.iter().enumerate() {
            let (expression, needs) =
                plan.read(query).map_err(|problem| plan.error(index, problem))?;
            plan.expressions.push(expression);
            plan.needs.push(needs);
        }
        plan.sort()?;
        plan.set_periods();
        Ok(plan)
    }

    pub(super) fn error(&self, index: usize, problem: Problem) -> MathError {
        match problem {
            Problem::TooMuchWork => MathError::TooMuchWork,
            problem => MathError::Expression { id: self.queries[index].id.clone(), problem },
        }
    }

    pub(super) fn is_shown(&self, index: usize) -> bool {
        self.queries[index].return_data != Some(false)
    }

    /// Parses an expression and finds what it reads.
    fn read(&mut self, query: &Query) -> Result<(Option<Expression>, Vec<usize>), Problem> {
        let Source::Expression { text, .. } = &query.source else { return Ok((None, Vec::new())) };
        let expression = parse_text(text)?;
        let mut needs = BTreeSet::new();
        for id in expression.references() {
            let index = self.indices.get(id).ok_or_else(|| Problem::UnknownId(id.to_owned()))?;
            needs.insert(*index);
        }
        for filter in expression.filters() {
            self.left.spend(self.queries.len())?;
            needs.extend(matching(self.queries, filter));
        }
        Ok((Some(expression), needs.into_iter().collect()))
    }

    /// Finds the order, or a circle.
    fn sort(&mut self) -> Result<(), MathError> {
        let mut readers = vec![Vec::new(); self.needs.len()];
        let mut waiting: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        for (reader, needs) in self.needs.iter().enumerate() {
            for need in needs {
                readers[*need].push(reader);
            }
        }
        let mut ready: Vec<_> = (0..waiting.len()).filter(|index| waiting[*index] == 0).collect();
        while let Some(index) = ready.pop() {
            self.order.push(index);
            for reader in &readers[index] {
                waiting[*reader] -= 1;
                if waiting[*reader] == 0 {
                    ready.push(*reader);
                }
            }
        }
        let Some(stuck) = waiting.iter().position(|waiting| *waiting > 0) else { return Ok(()) };
        // Whoever still waits needs another that does: after as many steps as there are queries, it goes in a circle.
        let next = |index: usize| {
            self.needs[index].iter().copied().find(|need| waiting[*need] > 0).unwrap_or(index)
        };
        let inside = (0..waiting.len()).fold(stuck, |index, _| next(index));
        Err(self.error(inside, Problem::Circle(self.queries[next(inside)].id.clone())))
    }

    fn set_periods(&mut self) {
        self.periods = self.queries.iter().map(period).collect();
        for index in &self.order {
            let read = self.needs[*index].iter().filter_map(|need| self.periods[*need]).max();
            self.periods[*index] = self.periods[*index].max(read);
        }
    }

    /// What alarms and scaling policies ask for beyond a list that makes sense.
    pub(super) fn check_single(&self) -> Result<(), MathError> {
        let expressions = self.expressions.iter().flatten().count();
        if expressions > SINGLE_MAX || self.queries.len() - expressions > SINGLE_MAX {
            return Err(MathError::TooManyForOneSeries);
        }
        if (0..self.queries.len()).filter(|index| self.is_shown(*index)).count() != 1 {
            return Err(MathError::NotOneReturned);
        }
        if self.periods.iter().any(Option::is_none) {
            return Err(MathError::NoPeriod);
        }
        let mut named = self.queries.iter().filter_map(|query| Some((query, period(query)?)));
        let Some((_, others)) = named.next() else { return Ok(()) };
        match named.find(|(_, period)| *period != others) {
            Some((query, period)) => {
                Err(MathError::PeriodsDiffer { id: query.id.clone(), period, others })
            }
            None => Ok(()),
        }
    }

    /// Evaluates the queries that return data.
    pub(super) fn run(
        self,
        window: Window,
        fetch: &mut dyn FnMut(&Stat, u32) -> Vec<Point>,
    ) -> Result<Vec<(usize, Outcome)>, MathError> {
        let shown = (0..self.queries.len()).filter(|index| self.is_shown(*index)).collect();
        self.outcomes(shown, window, fetch)
    }

    /// Evaluates every query.
    pub(super) fn run_all(
        &self,
        window: Window,
        fetch: &mut dyn FnMut(&Stat, u32) -> Vec<Point>,
    ) -> Result<Vec<(usize, Outcome)>, MathError> {
        self.outcomes((0..self.queries.len()).collect(), window, fetch)
    }

    fn outcomes(
        &self,
        wanted: Vec<usize>,
        window: Window,
        fetch: &mut dyn FnMut(&Stat, u32) -> Vec<Point>,
    ) -> Result<Vec<(usize, Outcome)>, MathError> {
        let needed = self.needed(&wanted)?;
        let mut budget = self.left;
        let mut values: BTreeMap<(usize, u32), Value> = BTreeMap::new();
        for index in &self.order {
            for period in &needed[*index] {
                let value =
                    self.value(*index, Grid::of(window, *period), &values, &mut budget, fetch);
                let value = value.map_err(|problem| self.error(*index, problem))?;
                values.insert((*index, *period), value);
            }
        }
        let mut outcomes = Vec::with_capacity(wanted.len());
        for index in wanted {
            let period = self.period(index);
            let Some(value) = values.get(&(index, period)) else { continue };
            let outcome = self.outcome(index, value, Grid::of(window, period), &mut budget);
            outcomes.push((index, outcome.map_err(|problem| self.error(index, problem))?));
        }
        Ok(outcomes)
    }

    fn period(&self, index: usize) -> u32 {
        self.periods[index].unwrap_or(PERIOD_DEFAULT_SECS)
    }

    /// At which periods each query is needed: at its own where it is wanted, and at that of whatever reads it.
    fn needed(&self, wanted: &[usize]) -> Result<Vec<BTreeSet<u32>>, MathError> {
        let mut needed = vec![BTreeSet::new(); self.queries.len()];
        let mut results = 0;
        for index in wanted {
            needed[*index].insert(self.period(*index));
        }
        for reader in self.order.iter().rev() {
            let periods = needed[*reader].clone();
            results += periods.len();
            if results > RESULTS_MAX {
                return Err(MathError::TooMuchWork);
            }
            for need in &self.needs[*reader] {
                needed[*need].extend(&periods);
            }
        }
        Ok(needed)
    }

    /// The value of one query at one period.
    fn value(
        &self,
        index: usize,
        grid: Grid,
        values: &BTreeMap<(usize, u32), Value>,
        budget: &mut Budget,
        fetch: &mut dyn FnMut(&Stat, u32) -> Vec<Point>,
    ) -> Result<Value, Problem> {
        match (&self.queries[index].source, &self.expressions[index]) {
            (Source::Metric(stat), _) => {
                let points = in_order(fetch(stat, grid.period));
                if points.len() > POINTS_MAX {
                    return Err(Problem::TooManyPoints);
                }
                budget.spend(points.len())?;
                Ok(Value::Series(Track::new(Some(index), points)))
            }
            (_, Some(expression)) => {
                let request = &Evaluated { plan: self, values, period: grid.period };
                Machine { request, grid, budget }.run(expression.steps())
            }
            (_, None) => Ok(Value::Scalar(f64::NAN)),
        }
    }

    fn outcome(
        &self,
        index: usize,
        value: &Value,
        grid: Grid,
        budget: &mut Budget,
    ) -> Result<Outcome, Problem> {
        let mut series = |track: &Track, label: &Option<String>| {
            budget.spend(track.points.len())?;
            let points = track.points.to_vec();
            Ok(Series { label: label.clone(), period: grid.period, points })
        };
        let query = &self.queries[index];
        match value {
            Value::Series(track) => Ok(Outcome::Series(series(track, &query.label)?)),
            Value::Scalar(value) => {
                grid.len()?;
                Ok(Outcome::Series(series(&Track::constant(*value, grid), &query.label)?))
            }
            Value::Array(tracks) => {
                let named = tracks.iter().map(|track| {
                    let of = track.origin.and_then(|origin| self.queries.get(origin));
                    let of = of.unwrap_or(query);
                    Ok((of.id.clone(), series(track, &of.label)?))
                });
                Ok(Outcome::Array(named.collect::<Result<_, Problem>>()?))
            }
            Value::Word(_) => Err(Value::refuse("the result", &[value])),
        }
    }
}

/// What has been evaluated, at one period.
struct Evaluated<'a> {
    plan: &'a Plan<'a>,
    values: &'a BTreeMap<(usize, u32), Value>,
    period: u32,
}

impl Request for Evaluated<'_> {
    fn load(&self, id: &str) -> Result<Value, Problem> {
        let index = self.plan.indices.get(id).copied();
        let value = index.and_then(|index| self.values.get(&(index, self.period)));
        value.cloned().ok_or_else(|| Problem::UnknownId(id.to_owned()))
    }

    fn metrics(&self, filter: &str) -> Vec<Track> {
        let values = matching(self.plan.queries, filter)
            .filter_map(|index| self.values.get(&(index, self.period)));
        let tracks = values.filter_map(|value| match value {
            Value::Series(track) => Some(track.clone()),
            _ => None,
        });
        tracks.collect()
    }
}

/// Indices of the metrics whose ids contain a text.
fn matching(queries: &[Query], filter: &str) -> impl Iterator<Item = usize> {
    let metrics = queries.iter().enumerate().filter(move |(_, query)| {
        matches!(query.source, Source::Metric(_)) && query.id.contains(filter)
    });
    metrics.map(|(index, _)| index)
}

/// The period that a query names; a metric's is never absent.
fn period(query: &Query) -> Option<u32> {
    match &query.source {
        Source::Metric(stat) => Some(stat.period.unwrap_or(PERIOD_DEFAULT_SECS)),
        Source::Expression { period, .. } => *period,
    }
}

fn is_id(id: &str) -> bool {
    id.len() <= ID_LENGTH_MAX
        && id.starts_with(|char: char| char.is_ascii_lowercase())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What was fetched, with what the evaluation relies on: in order, one point for each time, no value but numbers.
fn in_order(mut points: Vec<Point>) -> Vec<Point> {
    points.retain(|point| point.value.is_finite());
    if !points.is_sorted_by(|left, right| left.at < right.at) {
        points.sort_by_key(|point| point.at);
        points.dedup_by_key(|point| point.at);
    }
    points
}
