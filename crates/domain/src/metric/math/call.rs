//! What each function does with its arguments (`reference/autoscaling-and-cloudwatch.md`, section 6.6).

use super::calendar;
use super::error::Problem;
use super::function::{Function, Word};
use super::run::Machine;
use super::track::{Branch, Track, aggregate_across};
use super::value::Value;

impl Machine<'_> {
    pub(super) fn call(
        &mut self,
        function: Function,
        arguments: &[Value],
    ) -> Result<Value, Problem> {
        use Function as F;
        let outcome = match (function, arguments) {
            (F::Sum | F::Avg | F::Min | F::Max | F::StdDev | F::DatapointCount, [operand]) => {
                self.aggregate(function, operand)?
            }
            (F::Abs | F::Ceil | F::Floor | F::Log | F::Log10, [operand]) => {
                self.pointwise(function, operand)?
            }
            (F::Diff | F::DiffTime | F::Rate | F::RunningSum, [operand]) => {
                self.consecutive(function, operand)?
            }
            (F::Fill, [series, filler]) => self.fill(series, filler)?,
            (F::If, [condition, then, otherwise @ ..]) => {
                self.choose(condition, then, otherwise.first())?
            }
            (F::Period, [Value::Series(_)]) => Some(Value::Scalar(f64::from(self.grid.period))),
            (F::TimeSeries, [Value::Scalar(value)]) => {
                self.grid.len()?;
                Some(Value::Series(Track::constant(*value, self.grid)))
            }
            (F::Minute | F::Hour | F::Day | F::Date | F::Month | F::Year | F::Epoch, [operand]) => {
                self.calendar(function, operand)?
            }
            (_, [Value::Array(tracks), rest @ ..]) => of_array(function, tracks, rest),
            _ => None,
        };
        outcome.ok_or_else(|| Value::refuse(function.name(), &arguments.iter().collect::<Vec<_>>()))
    }

    fn aggregate(&mut self, function: Function, operand: &Value) -> Result<Option<Value>, Problem> {
        Ok(match operand {
            Value::Series(track) => Some(Value::scalar(track.aggregate(function))),
            Value::Array(tracks) => {
                self.budget.spend(tracks.iter().map(|track| track.points.len()).sum())?;
                Some(Value::Series(aggregate_across(function, tracks)))
            }
            _ => None,
        })
    }

    fn pointwise(&mut self, function: Function, operand: &Value) -> Result<Option<Value>, Problem> {
        let change = |value: f64| match function {
            Function::Abs => value.abs(),
            Function::Ceil => value.ceil(),
            Function::Floor => value.floor(),
            Function::Log => value.ln(),
            _ => value.log10(),
        };
        if let Value::Scalar(value) = operand {
            return Ok(Some(Value::scalar(change(*value))));
        }
        self.each(function.name(), operand, |track| track.map(|point| change(point.value)))
            .map(Some)
    }

    /// What looks at a point and the one before.
    fn consecutive(
        &mut self,
        function: Function,
        operand: &Value,
    ) -> Result<Option<Value>, Problem> {
        let change = |track: &Track| match function {
            Function::RunningSum => track.running_sum(),
            Function::Diff => track.map_pairs(|before, after| after.value - before.value),
            Function::DiffTime => {
                track.map_pairs(|before, after| after.at.since(before.at).as_secs_f64())
            }
            _ => track.map_pairs(|before, after| {
                (after.value - before.value) / after.at.since(before.at).as_secs_f64()
            }),
        };
        self.each(function.name(), operand, change).map(Some)
    }

    fn fill(&mut self, series: &Value, filler: &Value) -> Result<Option<Value>, Problem> {
        let grid = self.grid;
        grid.len()?;
        if !matches!(series, Value::Series(_) | Value::Array(_)) {
            return Ok(None);
        }
        let name = Function::Fill.name();
        let outcome = match filler {
            Value::Word(Word::Repeat) => {
                self.each(name, series, |track| track.fill_repeating(grid))
            }
            Value::Word(Word::Linear) => self.each(name, series, |track| track.fill_linearly(grid)),
            _ => match branch(filler) {
                Some(filler) => self.each(name, series, |track| track.fill_with(&filler, grid)),
                None => return Ok(None),
            },
        };
        outcome.map(Some)
    }

    fn choose(
        &mut self,
        condition: &Value,
        then: &Value,
        otherwise: Option<&Value>,
    ) -> Result<Option<Value>, Problem> {
        let (Some(yes), Some(no)) = (branch(then), otherwise.map_or(Some(Branch::Nothing), branch))
        else {
            return Ok(None);
        };
        let condition = match condition {
            Value::Series(condition) => {
                return Ok(Some(Value::Series(condition.choose(&yes, &no))));
            }
            Value::Scalar(condition) => *condition,
            Value::Array(_) | Value::Word(_) => return Ok(None),
        };
        let is_series = [&yes, &no].into_iter().any(|side| matches!(side, Branch::Track(_)));
        let chosen = if condition.is_nan() {
            Branch::Nothing
        } else if condition == 0.0 {
            no
        } else {
            yes
        };
        Ok(Some(match chosen {
            Branch::Track(track) => Value::Series(track),
            // The type must not depend on the condition: a number beside a series stands for a series.
            Branch::Scalar(value) if is_series => {
                self.grid.len()?;
                Value::Series(Track::constant(value, self.grid))
            }
            Branch::Nothing if is_series => Value::Series(Track::default()),
            Branch::Scalar(value) => Value::Scalar(value),
            Branch::Nothing => Value::Scalar(f64::NAN),
        }))
    }

    fn calendar(&mut self, function: Function, operand: &Value) -> Result<Option<Value>, Problem> {
        let Value::Series(track) = operand else { return Ok(None) };
        self.grid.len()?;
        Ok(Some(Value::Series(track.of_times(self.grid, |at| calendar::value(function, at)))))
    }
}

/// Functions of an array as a whole.
fn of_array(function: Function, tracks: &[Track], rest: &[Value]) -> Option<Value> {
    let taken =
        |from: usize, to: usize| Value::Array(tracks.iter().take(to).skip(from).cloned().collect());
    match (function, rest) {
        #[expect(clippy::cast_precision_loss, reason = "at most 500 series")]
        (Function::MetricCount, []) => Some(Value::Scalar(tracks.len() as f64)),
        (Function::First, []) => Some(Value::Series(tracks.first().cloned().unwrap_or_default())),
        (Function::Last, []) => Some(Value::Series(tracks.last().cloned().unwrap_or_default())),
        (Function::RemoveEmpty, []) => {
            let full = tracks.iter().filter(|track| !track.points.is_empty());
            Some(Value::Array(full.cloned().collect()))
        }
        (Function::Slice, [Value::Scalar(from)]) => Some(taken(count(*from), usize::MAX)),
        (Function::Slice, [Value::Scalar(from), Value::Scalar(to)]) => {
            Some(taken(count(*from), count(*to)))
        }
        (Function::Sort, [Value::Word(Word::By(by)), Value::Word(order), limit @ ..]) => {
            let limit = match limit {
                [] => usize::MAX,
                [Value::Scalar(limit)] => count(*limit),
                _ => return None,
            };
            sorted(tracks, *by, *order, limit)
        }
        _ => None,
    }
}

/// Series without points, which have nothing to go by, come last in either order.
fn sorted(tracks: &[Track], by: Function, order: Word, limit: usize) -> Option<Value> {
    let descending = match order {
        Word::Ascending => false,
        Word::Descending => true,
        _ => return None,
    };
    let mut keyed: Vec<_> = tracks.iter().map(|track| (key(track, by), track)).collect();
    keyed.sort_by(|(left, _), (right, _)| match (left, right) {
        (Some(left), Some(right)) if descending => right.total_cmp(left),
        (Some(left), Some(right)) => left.total_cmp(right),
        (left, right) => left.is_none().cmp(&right.is_none()),
    });
    Some(Value::Array(keyed.into_iter().take(limit).map(|(_, track)| track.clone()).collect()))
}

fn key(track: &Track, by: Function) -> Option<f64> {
    (!track.points.is_empty()).then(|| track.aggregate(by))
}

fn branch(value: &Value) -> Option<Branch> {
    match value {
        Value::Scalar(value) => Some(Branch::Scalar(*value)),
        Value::Series(track) => Some(Branch::Track(track.clone())),
        Value::Array(_) | Value::Word(_) => None,
    }
}

/// How many a number means: none below zero, fractions do not count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and NaN is none"
)]
const fn count(number: f64) -> usize {
    number as usize
}
