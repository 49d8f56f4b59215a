//! Why an operation is refused, and what AWS says then (`reference/sagemaker-hosting.md`, section 1.1).

use domain::arn::{Kind, Scope};
use domain::endpoint::Refusal;
use http::StatusCode;
use wire::{Call, Document, ErrorBody};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Could not find {} \"{arn}\".", noun(*kind))]
    NotFound { kind: Kind, arn: String },
    #[error("Cannot create already existing {} \"{arn}\".", noun(*kind))]
    Exists { kind: Kind, arn: String },
    #[error("{}", refused(refusal, scope))]
    Refused { refusal: Refusal, scope: Scope },
    #[error(transparent)]
    MalformedModel(#[from] domain::model::Malformed),
    #[error(transparent)]
    MalformedConfig(#[from] domain::endpoint_config::Malformed),
    #[error(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){{0,62}}"
    )]
    BadName { member: &'static str, value: String },
    #[error("Invalid pagination token. Repeat the request that gave it, with the same sort order.")]
    BadToken,
    #[error(
        "The resource \"{0}\" is not of a kind that has tags here: model, endpoint-config or endpoint."
    )]
    UntaggableResource(String),
    /// AWS answers another account's ARN as it answers one that the caller may not touch.
    #[error(
        "User: {caller} is not authorized to perform: {action} on resource: {arn} because no resource-based policy \
         allows the {action} action"
    )]
    ForeignResource { caller: String, action: &'static str, arn: String },
    #[error("The resource has too many tags: at most {} are allowed.", domain::tag::TAGS_MAX)]
    TooManyTags,
    #[error(transparent)]
    Logs(#[from] crate::logs::Refusal),
    #[error(transparent)]
    Scaling(#[from] domain::scaling::Refusal),
    #[error(transparent)]
    Cloudwatch(#[from] crate::cloudwatch::Refusal),
    #[error(transparent)]
    Iam(#[from] crate::iam::Refusal),
    #[error(transparent)]
    Tidegate(#[from] crate::tidegate::Refusal),
    #[error(
        "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM identity used to \
         invoke DeleteEndpoint does not have application-autoscaling:DeregisterScalableTarget permission to deregister \
         the scalable target."
    )]
    TargetsLeft,
    /// No policy allows the call, or one denies it.
    #[error(transparent)]
    Denied(#[from] crate::authorize::Denied),
    #[error(transparent)]
    LimitExceeded(#[from] domain::endpoint::Exceeded),
    #[error(
        "The header x-tidegate-dry-run is for UpdateEndpoint and DeleteEndpoint, not for {0}: nothing was done."
    )]
    NoDryRun(&'static str),
    #[error("Tidegate does not implement the operation {operation} of {service}")]
    Unserved { service: &'static str, operation: &'static str },
    #[error("The server's disk is full: nothing was changed. Make room on it and try again.")]
    DiskFull,
    /// The cause goes to the log.
    #[error("The server's disk failed: nothing was changed. The server's log says more.")]
    DiskFailed(String),
    /// The cause goes to the log, never to the client.
    #[error("The request processing has failed because of an internal error.")]
    Internal(String),
}

const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Model => "model",
        Kind::EndpointConfig => "endpoint configuration",
        Kind::Endpoint => "endpoint",
    }
}

/// The domain names resources; AWS's texts show their ARNs.
fn refused(refusal: &Refusal, scope: &Scope) -> String {
    match refusal {
        Refusal::InProgress(name) | Refusal::Failed(name) | Refusal::NotRolledBack(name) => {
            refusal.in_words(&scope.sagemaker(Kind::Endpoint, name))
        }
        Refusal::NoSuchModel(name) => {
            format!("Could not find model \"{}\".", scope.sagemaker(Kind::Model, name))
        }
        _ => refusal.to_string(),
    }
}

impl Error {
    /// The error in the terms of the service and the protocol that it is an answer in.
    pub(crate) fn body_for(&self, call: &Call) -> ErrorBody {
        match self {
            Self::Denied(denied) => denied.body(call),
            other => other.body(),
        }
    }

    /// The error in AWS's terms.
    pub fn body(&self) -> ErrorBody {
        let (status, code) = match self {
            Self::NotFound { .. }
            | Self::Exists { .. }
            | Self::Refused { .. }
            | Self::MalformedModel(_)
            | Self::MalformedConfig(_)
            | Self::BadName { .. }
            | Self::BadToken
            | Self::UntaggableResource(_)
            | Self::TooManyTags
            | Self::TargetsLeft
            | Self::NoDryRun(_) => (StatusCode::BAD_REQUEST, "ValidationException"),
            Self::ForeignResource { .. } => (StatusCode::BAD_REQUEST, "AccessDeniedException"),
            Self::Logs(refusal) => refusal.code(),
            Self::Scaling(refusal) => crate::autoscaling::code(refusal),
            Self::Cloudwatch(refusal) => refusal.code(),
            Self::Iam(refusal) => refusal.code(),
            Self::Tidegate(refusal) => return refusal.body(),
            Self::Denied(denied) => denied.code(),
            Self::LimitExceeded(_) => (StatusCode::BAD_REQUEST, "ResourceLimitExceeded"),
            Self::Unserved { .. } => (StatusCode::BAD_REQUEST, "UnknownOperationException"),
            Self::DiskFull | Self::DiskFailed(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
            }
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
        };
        let body = ErrorBody::new(code, status, self.to_string());
        match self {
            Self::Scaling(refusal) => match refusal.resource_name() {
                Some(name) => body.with("ResourceName", Document::String(name.to_owned())),
                None => body,
            },
            _ => body,
        }
    }
}

impl From<wire::DecodeError> for Error {
    fn from(error: wire::DecodeError) -> Self {
        Self::Internal(error.to_string())
    }
}
