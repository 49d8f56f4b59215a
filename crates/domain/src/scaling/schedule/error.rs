//! Why a schedule is refused, in AWS's words (`reference/autoscaling-and-cloudwatch.md`, section 1.5).

use jiff::Timestamp as Instant;

/// A schedule that cannot be kept. Its text is the message of AWS's `ValidationException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// None of the three forms.
    #[error(
        r"Invalid schedule expression. Details: Schedule expressions must have the following syntax: rate(<number>\s?(minutes?|hours?|days?)), cron(<cron_expression>) or at(yyyy-MM-dd'T'HH:mm:ss)."
    )]
    Syntax,
    /// `position` counts characters from the start of the expression in `cron(…)`.
    #[error(
        "Invalid schedule expression. Details: Invalid CRON expression: error at position {position}, details: {details}"
    )]
    Cron { position: usize, details: String },
    /// `at(…)` with a date or time that does not exist.
    #[error(
        "Invalid schedule expression. Details: Invalid schedule at DateTime expression: {details}"
    )]
    At { details: String },
    /// Two runs would come closer to each other than [`super::INTERVAL_MIN`].
    #[error(
        "Invalid schedule frequency. Run for '{first:.3}' and '{second:.3}' are less than 60 seconds apart"
    )]
    TooFrequent { first: Instant, second: Instant },
    /// No zone of that name in the bundled database.
    #[error("Invalid schedule timezone: {0}")]
    Timezone(String),
}

impl ScheduleError {
    /// What is wrong with a cron expression; only its length at an unexpected end is known to be named as a position.
    pub(super) fn cron(details: impl Into<String>) -> Self {
        Self::Cron { position: 0, details: details.into() }
    }
}
