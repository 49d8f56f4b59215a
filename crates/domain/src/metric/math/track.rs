//! What is done to the points of one series, or to those of several point by point. No budget and no types here.

use std::rc::Rc;

use super::error::Problem;
use super::function::Function;
use super::{POINTS_MAX, Point, Window};
use crate::time::Timestamp;

/// What a missing point counts as in an aggregate over several series and in the first branch of `IF`, beside one that
/// is there (CloudWatch's documentation of `AVG` and of `IF`). Operators have no value where one of their operands has
/// none.
const MISSING: f64 = 0.0;

/// A series within a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    /// The query of the metric that it was made of, if it was made of one.
    pub(super) origin: Option<usize>,
    /// Oldest first, one for each time at most, all values finite.
    pub(super) points: Rc<Vec<Point>>,
}

/// Keeps what is a number.
fn point(at: Timestamp, value: f64) -> Option<Point> {
    value.is_finite().then_some(Point { at, value, samples: None })
}

/// The times at which a series without gaps has a point: multiples of the period within a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    first: i64,
    step: i64,
    count: usize,
    pub(super) period: u32,
}

impl Grid {
    pub(super) fn of(window: Window, period: u32) -> Self {
        let (from, to) = (window.from.as_millis(), window.to.as_millis());
        let step = i64::from(period.max(1)) * 1000;
        // The last multiple may lie beyond what an i64 holds; there are no points there either.
        let first = from.checked_add(from.wrapping_neg().rem_euclid(step)).unwrap_or(i64::MAX);
        let span = i128::from(to) - i128::from(first);
        let steps = (span + i128::from(step) - 1).div_euclid(i128::from(step));
        Self { first, step, count: usize::try_from(steps).unwrap_or(0), period }
    }

    /// How many points there are, if not too many.
    pub(super) const fn len(&self) -> Result<usize, Problem> {
        if self.count <= POINTS_MAX { Ok(self.count) } else { Err(Problem::TooManyPoints) }
    }

    /// At most [`POINTS_MAX`] times; ask [`Self::len`] before.
    fn times(self) -> impl Iterator<Item = Timestamp> {
        let indices = 0..i64::try_from(self.count.min(POINTS_MAX)).unwrap_or(0);
        indices.map(move |index| {
            Timestamp::from_millis(self.first.saturating_add(index.saturating_mul(self.step)))
        })
    }

    /// The grid's times and those of a series, in order.
    fn times_with(self, points: &[Point]) -> Vec<Timestamp> {
        let mut times: Vec<_> = self.times().chain(points.iter().map(|point| point.at)).collect();
        times.sort();
        times.dedup();
        times
    }
}

impl Track {
    pub(super) fn new(origin: Option<usize>, points: Vec<Point>) -> Self {
        Self { origin, points: Rc::new(points) }
    }

    /// The same points, known by what another was made of.
    #[must_use]
    pub(super) fn made_of(self, other: &Self) -> Self {
        Self { origin: other.origin, ..self }
    }

    pub(super) fn constant(value: f64, grid: Grid) -> Self {
        Self::new(None, grid.times().filter_map(|at| point(at, value)).collect())
    }

    /// Each point for itself. What is no number then is dropped.
    pub(super) fn map(&self, change: impl Fn(Point) -> f64) -> Self {
        let points = self.points.iter().filter_map(|old| point(old.at, change(*old)));
        Self::new(self.origin, points.collect())
    }

    /// Each point but the first, from itself and the one before.
    pub(super) fn map_pairs(&self, change: impl Fn(Point, Point) -> f64) -> Self {
        let pairs = self.points.iter().zip(self.points.iter().skip(1));
        let points = pairs.filter_map(|(before, after)| point(after.at, change(*before, *after)));
        Self::new(self.origin, points.collect())
    }

    pub(super) fn running_sum(&self) -> Self {
        let sums = self.points.iter().scan(0.0, |sum, old| {
            *sum += old.value;
            Some(point(old.at, *sum))
        });
        Self::new(self.origin, sums.flatten().collect())
    }

    /// At each time at which both have a point.
    pub(super) fn join(&self, other: &Self, join: impl Fn(f64, f64) -> f64) -> Self {
        let mut right = other.points.iter().peekable();
        let both = self.points.iter().filter_map(|left| {
            while right.next_if(|right| right.at < left.at).is_some() {}
            let right = right.next_if(|right| right.at == left.at)?;
            point(left.at, join(left.value, right.value))
        });
        Self::new(None, both.collect())
    }

    fn value_at(&self, at: Timestamp) -> Option<f64> {
        let index = self.points.binary_search_by_key(&at, |point| point.at).ok()?;
        self.points.get(index).map(|point| point.value)
    }

    /// `IF`: at each time of the condition, the value of one branch. A missing point is 0 in the first branch, and no
    /// point in the second (CloudWatch's documentation, "Using IF expressions").
    pub(super) fn choose(&self, then: &Branch, otherwise: &Branch) -> Self {
        let points = self.points.iter().filter_map(|condition| {
            let value = if condition.value == 0.0 {
                otherwise.at(condition.at)
            } else {
                then.at(condition.at).or(Some(MISSING))
            };
            point(condition.at, value?)
        });
        Self::new(None, points.collect())
    }

    /// `FILL` with what is known without the series itself.
    pub(super) fn fill_with(&self, filler: &Branch, grid: Grid) -> Self {
        let times = grid.times_with(&self.points).into_iter();
        let points = times.filter_map(|at| {
            let value = self.value_at(at).or_else(|| filler.at(at))?;
            point(at, value)
        });
        Self::new(self.origin, points.collect())
    }

    /// `FILL` with the value before the gap. A gap at the beginning stays.
    pub(super) fn fill_repeating(&self, grid: Grid) -> Self {
        let times = grid.times_with(&self.points).into_iter();
        let points = times.filter_map(|at| {
            let until = self.points.partition_point(|point| point.at <= at);
            let last = self.points.get(until.checked_sub(1)?)?;
            point(at, last.value)
        });
        Self::new(self.origin, points.collect())
    }

    /// `FILL` with what lies on the line between the values around the gap. Gaps at the ends stay.
    pub(super) fn fill_linearly(&self, grid: Grid) -> Self {
        let times = grid.times_with(&self.points).into_iter();
        let points = times.filter_map(|at| {
            let until = self.points.partition_point(|point| point.at <= at);
            let before = self.points.get(until.checked_sub(1)?)?;
            if before.at == at {
                return point(at, before.value);
            }
            let after = self.points.get(until)?;
            let share = at.since(before.at).as_secs_f64() / after.at.since(before.at).as_secs_f64();
            point(at, before.value + (after.value - before.value) * share)
        });
        Self::new(self.origin, points.collect())
    }

    /// A series without gaps, over the grid and wherever this one has points: what each time says.
    pub(super) fn of_times(&self, grid: Grid, value: impl Fn(Timestamp) -> Option<f64>) -> Self {
        let times = grid.times_with(&self.points).into_iter();
        Self::new(self.origin, times.filter_map(|at| point(at, value(at)?)).collect())
    }

    /// `SUM`, `AVG`, ... of all points.
    pub(super) fn aggregate(&self, function: Function) -> f64 {
        aggregate(function, &self.points, 0)
    }
}

/// `SUM`, `AVG`, ... of several series, at each time at which any has a point.
pub(super) fn aggregate_across(function: Function, tracks: &[Track]) -> Track {
    let mut all: Vec<Point> =
        tracks.iter().flat_map(|track| track.points.iter().copied()).collect();
    // Stable: values of one time stay in the order of their series, so that sums come out the same every time.
    all.sort_by_key(|point| point.at);
    let points = all.chunk_by(|left, right| left.at == right.at).filter_map(|same| {
        let missing = tracks.len().saturating_sub(same.len());
        point(same.first()?.at, aggregate(function, same, missing))
    });
    Track::new(None, points.collect())
}

/// What a function says of the values that are there and of so many that are missing. NaN if it says nothing.
fn aggregate(function: Function, points: &[Point], missing: usize) -> f64 {
    let values = || points.iter().map(|point| point.value).chain((missing > 0).then_some(MISSING));
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 points")]
    let (present, missing) = (points.len() as f64, missing as f64);
    let count = present + missing;
    let average = || values().sum::<f64>() / count;
    match function {
        // The sum of nothing is 0, not -0.
        Function::Sum => values().sum::<f64>() + 0.0,
        Function::Avg => average(),
        Function::Min => values().fold(f64::NAN, f64::min),
        Function::Max => values().fold(f64::NAN, f64::max),
        Function::StdDev => {
            let average = average();
            let squares: f64 = points.iter().map(|point| (point.value - average).powi(2)).sum();
            ((squares + missing * (MISSING - average).powi(2)) / count).sqrt()
        }
        Function::DatapointCount => present,
        _ => f64::NAN,
    }
}

/// A side of `IF`, or what `FILL` fills with.
#[derive(Debug)]
pub(super) enum Branch {
    Scalar(f64),
    Track(Track),
    Nothing,
}

impl Branch {
    fn at(&self, at: Timestamp) -> Option<f64> {
        match self {
            Self::Scalar(value) => Some(*value),
            Self::Track(track) => track.value_at(at),
            Self::Nothing => None,
        }
    }
}
