//! Why a request to CloudWatch is refused, and which of its errors that is (section 6.1).

use domain::alarm::{self, Kind};
use domain::metric::math::MathError;
use http::StatusCode;

/// A refusal: nothing has changed. Texts are made where the request is checked, since they name its members.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Alarm(#[from] alarm::Refusal),
    #[error(transparent)]
    Math(#[from] MathError),
    /// `ValidationError` in awsQuery, `ValidationException` in the others.
    #[error("{0}")]
    Invalid(String),
    /// `InvalidParameterValue`.
    #[error("{0}")]
    Value(String),
    /// `InvalidParameterCombination`.
    #[error("{0}")]
    Combination(String),
    /// `MissingParameter`.
    #[error("{0}")]
    Missing(String),
    /// AWS says nothing here.
    #[error("")]
    NoAlarm,
    #[error("The resource {0} does not exist.")]
    NoResource(String),
    #[error("The resource has too many tags: at most {} are allowed.", domain::tag::TAGS_MAX)]
    TooManyTags,
    #[error(
        "The value for parameter NextToken is invalid. Repeat the request that gave it, with nothing changed."
    )]
    BadToken,
    #[error("{0}")]
    TooManyMetrics(metrics::Error),
}

impl Refusal {
    pub(crate) const fn code(&self) -> (StatusCode, &'static str) {
        let code = match self {
            Self::Alarm(refusal) => match refusal.kind() {
                Kind::Validation => "ValidationException",
                Kind::InvalidParameterValue => "InvalidParameterValue",
                Kind::InvalidFormat => "InvalidFormat",
            },
            Self::Math(_) | Self::Invalid(_) => "ValidationException",
            Self::Value(_) | Self::TooManyTags => "InvalidParameterValue",
            Self::Combination(_) => "InvalidParameterCombination",
            Self::Missing(_) => "MissingParameter",
            Self::NoAlarm => return (StatusCode::NOT_FOUND, "ResourceNotFound"),
            Self::NoResource(_) => return (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            Self::BadToken => "InvalidNextToken",
            Self::TooManyMetrics(_) => "LimitExceeded",
        };
        (StatusCode::BAD_REQUEST, code)
    }
}
