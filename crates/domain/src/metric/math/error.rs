//! Why an expression or a list of queries is refused. Texts that AWS is known to give stand first in [`Problem`] and
//! [`MathError`]; the others follow their manner.

use super::{
    ARRAY_MAX, EXPRESSION_LENGTH_MAX, ID_LENGTH_MAX, NESTING_MAX, POINTS_MAX, QUERIES_MAX,
    SINGLE_MAX,
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MathError {
    #[error("Error in expression '{id}': {problem}")]
    Expression { id: String, problem: Problem },
    /// An expression on its own, of no query.
    #[error("Error in expression: {0}")]
    Text(Problem),
    #[error("Exactly one element of the metrics list should return data.")]
    NotOneReturned,
    #[error("Period must not be null")]
    NoPeriod,
    #[error("The value 0 for parameter Period of '{id}' is invalid.")]
    ZeroPeriod { id: String },
    #[error(
        "The value '{id}' for parameter Id is invalid: it must begin with a lowercase letter, go on with letters, digits and underscores, and have at most {ID_LENGTH_MAX} characters."
    )]
    MalformedId { id: String },
    #[error("The values for parameter Id in the metrics list are not unique: '{id}'.")]
    DuplicateId { id: String },
    #[error("The metrics list has {0} elements, more than {QUERIES_MAX}.")]
    TooManyQueries(usize),
    #[error(
        "The metrics list must not have more than {SINGLE_MAX} metrics and {SINGLE_MAX} expressions."
    )]
    TooManyForOneSeries,
    #[error(
        "All metrics and expressions in the metrics list must have the same period: '{id}' has {period} seconds, others have {others}."
    )]
    PeriodsDiffer { id: String, period: u32, others: u32 },
    #[error(
        "The metrics list needs more than can be computed at once: ask for less time, fewer metrics or longer periods."
    )]
    TooMuchWork,
}

/// What is wrong with one expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("Invalid syntax (character {at}: {expected} expected)")]
    Syntax { at: usize, expected: &'static str },
    #[error("Function '{0}' not found")]
    NoSuchFunction(String),
    #[error("Unsupported operand type(s) for {operation}: '[{types}]'")]
    Types { operation: &'static str, types: String },
    #[error("Function '{0}' is not supported by Tidegate")]
    Unsupported(&'static str),
    #[error("Metrics Insights queries are not supported by Tidegate")]
    Insights,
    #[error("Function '{function}' does not take {given} argument(s)")]
    Arguments { function: &'static str, given: usize },
    #[error("'{0}' is not the Id of an element of the metrics list")]
    UnknownId(String),
    #[error("The expression depends on itself by way of '{0}'")]
    Circle(String),
    #[error("The result must be a single time series, and this is an array of them")]
    ManySeries,
    #[error("The expression is longer than {EXPRESSION_LENGTH_MAX} characters")]
    TooLong,
    #[error("The expression is nested more than {NESTING_MAX} levels deep")]
    TooDeep,
    #[error("A series has more than {POINTS_MAX} data points")]
    TooManyPoints,
    #[error("An array has more than {ARRAY_MAX} time series")]
    TooManySeries,
    #[error("The metrics list needs more than can be computed at once")]
    TooMuchWork,
}
