//! What steps of a program leave on the stack, and the budget that they are paid from.

use super::WORK_MAX;
use super::error::Problem;
use super::function::Word;
use super::track::Track;

/// CloudWatch's types: S, TS and TS[], and the words that stand where only some functions take them.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// NaN where there is no value, as for the average of nothing. Never infinite.
    Scalar(f64),
    Series(Track),
    Array(Vec<Track>),
    Word(Word),
}

impl Value {
    pub(super) fn scalar(value: f64) -> Self {
        Self::Scalar(if value.is_finite() { value } else { f64::NAN })
    }

    const fn type_name(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "Scalar",
            Self::Series(_) => "TimeSeries",
            Self::Array(_) => "Array[TimeSeries]",
            Self::Word(_) => "Keyword",
        }
    }

    /// That an operator or a function does not take these.
    pub(super) fn refuse(operation: &'static str, operands: &[&Self]) -> Problem {
        let types: Vec<_> = operands.iter().map(|operand| operand.type_name()).collect();
        Problem::Types { operation, types: types.join(", ") }
    }
}

/// What may still be computed for a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: WORK_MAX }
    }
}

impl Budget {
    /// Pays for so many points; one for the step itself comes on top.
    pub(super) fn spend(&mut self, points: usize) -> Result<(), Problem> {
        let cost = points.saturating_add(1);
        self.left = self.left.checked_sub(cost).ok_or(Problem::TooMuchWork)?;
        Ok(())
    }
}
