//! Runs the steps of one expression on a stack. What the operators do is here, what functions do in `call`.

use super::ARRAY_MAX;
use super::error::Problem;
use super::operator::Operator;
use super::parse::Step;
use super::track::{Grid, Track};
use super::value::{Budget, Value};

/// What steps see of the request.
pub(super) trait Request {
    /// The value of a query, which has been evaluated before.
    fn load(&self, id: &str) -> Result<Value, Problem>;

    /// The metrics whose ids contain a text.
    fn metrics(&self, filter: &str) -> Vec<Track>;
}

pub(super) struct Machine<'a> {
    pub(super) request: &'a dyn Request,
    pub(super) grid: Grid,
    pub(super) budget: &'a mut Budget,
}

impl Machine<'_> {
    pub(super) fn run(&mut self, steps: &[Step]) -> Result<Value, Problem> {
        let mut stack = Vec::new();
        for step in steps {
            let value = self.step(step, &mut stack)?;
            self.budget.spend(match &value {
                Value::Series(track) => track.points.len(),
                Value::Array(tracks) => tracks.len(),
                Value::Scalar(_) | Value::Word(_) => 0,
            })?;
            stack.push(value);
        }
        Ok(pop(&mut stack))
    }

    fn step(&mut self, step: &Step, stack: &mut Vec<Value>) -> Result<Value, Problem> {
        match step {
            Step::Number(number) => Ok(Value::scalar(*number)),
            Step::Word(word) => Ok(Value::Word(*word)),
            Step::Load(id) => self.request.load(id),
            Step::Metrics(filter) => Ok(Value::Array(self.request.metrics(filter))),
            Step::Array(elements) => array(stack.split_off(stack.len().saturating_sub(*elements))),
            Step::Negate => match pop(stack) {
                Value::Scalar(value) => Ok(Value::Scalar(-value)),
                operand => self.each("-", &operand, |track| track.map(|point| -point.value)),
            },
            Step::Binary(operator) => {
                let right = pop(stack);
                let left = pop(stack);
                self.binary(*operator, &left, &right)
            }
            Step::Call(function, arguments) => {
                let arguments = stack.split_off(stack.len().saturating_sub(*arguments));
                self.call(*function, &arguments)
            }
        }
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &Value,
        right: &Value,
    ) -> Result<Value, Problem> {
        let join = |left: f64, right: f64| operator.apply(left, right);
        match (left, right) {
            (Value::Scalar(left), Value::Scalar(right)) => Ok(Value::scalar(join(*left, *right))),
            (Value::Series(left), Value::Series(right)) => {
                Ok(Value::Series(left.join(right, join)))
            }
            (Value::Series(left), Value::Scalar(right)) => {
                Ok(Value::Series(left.map(|point| join(point.value, *right))))
            }
            (Value::Scalar(left), Value::Series(right)) => {
                Ok(Value::Series(right.map(|point| join(*left, point.value))))
            }
            (Value::Array(_), Value::Scalar(right)) if operator.is_arithmetic() => {
                self.each(operator.symbol(), left, |track| {
                    track.map(|point| join(point.value, *right))
                })
            }
            (Value::Scalar(left), Value::Array(_)) if operator.is_arithmetic() => {
                self.each(operator.symbol(), right, |track| {
                    track.map(|point| join(*left, point.value))
                })
            }
            (Value::Array(_), Value::Series(right)) if operator.is_arithmetic() => {
                self.each(operator.symbol(), left, |track| track.join(right, join).made_of(track))
            }
            (Value::Series(left), Value::Array(_)) if operator.is_arithmetic() => {
                self.each(operator.symbol(), right, |track| left.join(track, join).made_of(track))
            }
            _ => Err(Value::refuse(operator.symbol(), &[left, right])),
        }
    }

    /// A series, or each of an array for itself.
    pub(super) fn each(
        &mut self,
        operation: &'static str,
        operand: &Value,
        change: impl Fn(&Track) -> Track,
    ) -> Result<Value, Problem> {
        match operand {
            Value::Series(track) => Ok(Value::Series(change(track))),
            Value::Array(tracks) => {
                let mut changed = Vec::with_capacity(tracks.len());
                for track in tracks {
                    let track = change(track);
                    self.budget.spend(track.points.len())?;
                    changed.push(track);
                }
                Ok(Value::Array(changed))
            }
            other => Err(Value::refuse(operation, &[other])),
        }
    }
}

/// Arrays within arrays are one array.
fn array(elements: Vec<Value>) -> Result<Value, Problem> {
    let mut tracks = Vec::new();
    for element in elements {
        match element {
            Value::Series(track) => tracks.push(track),
            Value::Array(more) => tracks.extend(more),
            other => return Err(Value::refuse("[]", &[&other])),
        }
        if tracks.len() > ARRAY_MAX {
            return Err(Problem::TooManySeries);
        }
    }
    Ok(Value::Array(tracks))
}

fn pop(stack: &mut Vec<Value>) -> Value {
    stack.pop().expect("the parser writes a step after the steps of its operands")
}
