//! Why a call of IAM or STS is refused, and what AWS says then
//! (`reference/autoscaling-and-cloudwatch.md`, sections 8.3 and 8.5).

use auth::policy::Malformed;
use domain::iam::RefusalKind;
use http::StatusCode;

use crate::Error;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Records(#[from] domain::iam::Refusal),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("Invalid principal in policy: \"AWS\":\"{0}\"")]
    NoPrincipal(String),
    #[error("Must specify userName when calling with non-User credentials")]
    NoUserName,
    #[error("Invalid Marker.")]
    Marker,
    #[error("The following option is not supported: {0}")]
    Unsupported(&'static str),
    #[error("Invalid Input: {0}")]
    BadPolicyInput(String),
    /// Sessions of users may not call IAM, as there is no MFA device that would lift that.
    #[error("The security token included in the request is invalid")]
    UserSession,
    #[error("The value {0} is no action: it must have the form service:Action.")]
    NotAnAction(String),

    // STS.
    #[error("Rate exceeded")]
    TooManySessions,
    #[error("{0}")]
    AccessDenied(String),
    #[error("Roles may not be assumed by root accounts.")]
    RootAssumes,
    #[error("Cannot call GetSessionToken with session credentials")]
    SessionAsksForSession,
    #[error("MultiFactorAuthentication failed with invalid MFA one time pass code. ")]
    MultiFactor,
    #[error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")]
    TooLong,
    #[error(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    )]
    ChainTooLong,
    #[error(
        "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have \
         length less than or equal to 2048"
    )]
    SessionPolicyTooLong,
    #[error(
        "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less \
         than or equal to {max}"
    )]
    TooManySessionPolicies { max: usize },
    #[error("Packed policy consumes {percent}% of allotted space, please use smaller policy.")]
    Packed { percent: usize },
    #[error("The session tag key {0} was handed on by the session before and cannot be set again.")]
    TagHandedOn(String),
    #[error("The session already has the source identity {0}, which cannot change.")]
    SourceIdentityFixed(String),
}

impl Refusal {
    pub(crate) const fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Records(refusal) => match refusal.kind() {
                RefusalKind::NoSuchEntity => (StatusCode::NOT_FOUND, "NoSuchEntity"),
                RefusalKind::EntityAlreadyExists => (StatusCode::CONFLICT, "EntityAlreadyExists"),
                RefusalKind::DeleteConflict => (StatusCode::CONFLICT, "DeleteConflict"),
                RefusalKind::LimitExceeded => (StatusCode::CONFLICT, "LimitExceeded"),
                RefusalKind::InvalidInput => (StatusCode::BAD_REQUEST, "InvalidInput"),
                RefusalKind::UnmodifiableEntity => (StatusCode::BAD_REQUEST, "UnmodifiableEntity"),
                RefusalKind::PolicyNotAttachable => {
                    (StatusCode::BAD_REQUEST, "PolicyNotAttachable")
                }
            },
            Self::Malformed(_) | Self::NoPrincipal(_) => {
                (StatusCode::BAD_REQUEST, "MalformedPolicyDocument")
            }
            Self::NoUserName
            | Self::Marker
            | Self::TooLong
            | Self::ChainTooLong
            | Self::SessionPolicyTooLong
            | Self::TooManySessionPolicies { .. }
            | Self::TagHandedOn(_)
            | Self::SourceIdentityFixed(_) => (StatusCode::BAD_REQUEST, "ValidationError"),
            Self::Unsupported(_) | Self::NotAnAction(_) | Self::BadPolicyInput(_) => {
                (StatusCode::BAD_REQUEST, "InvalidInput")
            }
            Self::UserSession => (StatusCode::FORBIDDEN, "InvalidClientTokenId"),
            Self::TooManySessions => (StatusCode::BAD_REQUEST, "Throttling"),
            Self::AccessDenied(_)
            | Self::RootAssumes
            | Self::SessionAsksForSession
            | Self::MultiFactor => (StatusCode::FORBIDDEN, "AccessDenied"),
            Self::Packed { .. } => (StatusCode::BAD_REQUEST, "PackedPolicyTooLarge"),
        }
    }
}

impl From<domain::iam::Refusal> for Error {
    fn from(refusal: domain::iam::Refusal) -> Self {
        Self::Iam(refusal.into())
    }
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        Self::Iam(malformed.into())
    }
}
