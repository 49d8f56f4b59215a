//! A refusal, in the code and status of the protocol that the caller speaks
//! (`reference/autoscaling-and-cloudwatch.md`, section 8.3).

use http::StatusCode;
use wire::{Call, ErrorBody, Protocol};

/// Why a caller may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// In the words of the policies.
    #[error("{0}")]
    Policy(String),
    /// The key that signed has gone away since.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
}

impl Denied {
    /// As JSON services have it.
    pub(crate) const fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Policy(_) => (StatusCode::BAD_REQUEST, "AccessDeniedException"),
            Self::UnknownKey => (StatusCode::BAD_REQUEST, "UnrecognizedClientException"),
        }
    }

    /// As the service of this call has it.
    pub(crate) fn body(&self, call: &Call) -> ErrorBody {
        // CloudWatch keeps awsQuery's codes in its other protocols, and so does what is modelled after it here.
        let old = call.protocol == Protocol::AwsQuery
            || call.service.query_compatible
            || call.operation.error("AccessDenied").is_some();
        let (status, code) = match (self, old) {
            (Self::Policy(_), true) => (StatusCode::FORBIDDEN, "AccessDenied"),
            (Self::UnknownKey, true) => (StatusCode::FORBIDDEN, "InvalidClientTokenId"),
            (Self::Policy(_) | Self::UnknownKey, false) => self.code(),
        };
        ErrorBody::new(code, status, self.to_string())
    }
}
