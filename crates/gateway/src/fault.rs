//! Everything that the data plane answers instead of a prediction, and in which words.
//!
//! The runtime has its own codes (`ValidationError`, not `ValidationException`) and its own shape: the type in the header
//! `x-amzn-ErrorType`, the rest in the body (`reference/sagemaker-hosting.md`, sections 0 and 5).

use std::borrow::Cow;
use std::time::Duration;

use auth::{Dialect, Problem};
use bytes::Bytes;
use http::StatusCode;
use wire::sagemaker_runtime::{InternalStreamFailure, ModelStreamError};
use wire::{Document, ErrorBody, event_stream};

use crate::recorder::Outcome;
use crate::settings::{BODY_BYTES_MAX, Settings};

/// The container's name in texts: that of a model's `PrimaryContainer`.
const CONTAINER: &str = "primary";

/// The member that tells the errors of one type apart.
const ERROR_CODE: &str = "ErrorCode";

/// What went wrong. Each variant has its answer in [`Fault::answer`].
#[derive(Debug)]
pub(crate) enum Fault {
    /// The signature, in any of the ways that `auth` tells apart.
    Signature(Problem),
    /// No policy allows it, or one denies it; in the words of the policies.
    Forbidden(String),
    /// `wire` could not read it, or it breaks the model's constraints.
    Rejected(Box<ErrorBody>),
    /// Longer than the model allows; how long, if the head said so.
    BodyTooLarge {
        announced: Option<u64>,
    },
    /// The body ended before its announced length.
    BodyBroken,
    BodyTooSlow,
    EndpointNotFound {
        endpoint: String,
    },
    VariantNotFound {
        endpoint: String,
        variant: String,
    },
    /// A header that asks for what no endpoint here has.
    Header {
        endpoint: String,
        header: Unsupported,
    },
    Unavailable(Unavailable),
    Model {
        endpoint: String,
        fault: ModelFault,
    },
    /// A defect of ours; the log has the cause.
    Internal,
}

/// Headers of `InvokeEndpoint` that need a kind of endpoint that Tidegate does not host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsupported {
    TargetModel,
    TargetContainerHostname,
    InferenceComponent,
    SessionId,
    EnableExplanations,
    PrefixAwareId,
}

/// Why the request cannot be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// No instance became ready within the deadline.
    NoInstance,
    /// As many requests as may wait for an instance already do.
    TooManyWaiting,
    /// Every instance that could take it has as many requests as one may.
    Full,
    /// As many bytes of bodies as may be held already are.
    NoRoom,
}

/// What the model server did wrong.
#[derive(Debug)]
pub(crate) enum ModelFault {
    /// It answered with something other than 2xx. `whole` says whether `body` is all of its answer.
    Answered {
        status: StatusCode,
        body: String,
        whole: bool,
    },
    TimedOut,
    Broken,
    TooLong,
}

/// Why a stream ends before the model server's answer does (`reference/sagemaker-hosting.md`, section 5, "Response
/// stream"). It is told inside the stream, whose status has long been 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamFault {
    /// It went on for longer than it may.
    TimedOut { limit: Duration },
    /// The model server's connection broke.
    Broken,
    /// The instance was taken out of the routes, and had the time that such a one has.
    TakenOut,
    /// The server stops.
    Stopping,
}

impl StreamFault {
    /// As what the metrics count it: too slow or broken is the model server's fault, what ends from this side is not.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::TimedOut { .. } | Self::Broken => Outcome::ModelFailed,
            Self::TakenOut | Self::Stopping => Outcome::GatewayFailed,
        }
    }

    /// The frame that ends the stream.
    pub(crate) fn frame(self) -> Bytes {
        let (code, message) = match self {
            Self::TimedOut { limit } => (
                "ModelInvocationTimeExceeded",
                format!("The model did not finish its response within {} seconds.", limit.as_secs_f32()),
            ),
            Self::Broken => ("StreamBroken", ModelFault::Broken.original().into_owned()),
            Self::TakenOut => (
                "StreamBroken",
                "The instance was taken out of service, and the response did not end in the time that was left."
                    .to_owned(),
            ),
            Self::Stopping => {
                let message = "The server stops, and the response did not end in the time that was left.";
                let error = InternalStreamFailure { message: Some(message.to_owned()) };
                return encoded(&event_stream::exception(&error));
            }
        };
        let error = ModelStreamError { message: Some(message), error_code: Some(code.to_owned()) };
        encoded(&event_stream::exception(&error))
    }
}

fn encoded(message: &event_stream::EventStreamMessage) -> Bytes {
    message.encode().expect("an error's text is far shorter than a frame may be")
}

impl Fault {
    /// As what the metrics count it, for a request that is known to be for a variant; nothing if it is for none after
    /// all, or is refused before that is known.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Signature(_)
            | Self::Forbidden(_)
            | Self::Rejected(_)
            | Self::BodyTooLarge { .. }
            | Self::BodyBroken
            | Self::BodyTooSlow
            | Self::EndpointNotFound { .. }
            | Self::VariantNotFound { .. }
            | Self::Header { .. } => None,
            Self::Unavailable(_) | Self::Internal => Some(Outcome::GatewayFailed),
            Self::Model { fault, .. } => Some(fault.outcome()),
        }
    }

    pub(crate) fn answer(&self, settings: &Settings) -> ErrorBody {
        let account = &settings.account;
        match self {
            Self::Signature(problem) => {
                let answer = problem.answer(Dialect::RestJson);
                let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_REQUEST);
                plain(status, answer.code, answer.message)
            }
            Self::Forbidden(message) => {
                plain(StatusCode::BAD_REQUEST, "AccessDeniedException", message.clone())
            }
            Self::Rejected(error) => (**error).clone(),
            Self::BodyTooLarge { announced } => invalid(too_large(*announced)),
            Self::BodyBroken => invalid("The request body ended before its announced length."),
            Self::BodyTooSlow => plain(
                StatusCode::REQUEST_TIMEOUT,
                "RequestTimeoutException",
                format!(
                    "The request body did not arrive within {} seconds.",
                    settings.limits.body_read.as_secs()
                ),
            ),
            Self::EndpointNotFound { endpoint } => {
                invalid(format!("Endpoint {endpoint} of account {account} not found."))
            }
            Self::VariantNotFound { endpoint, variant } => invalid(format!(
                "Variant {variant} of endpoint {endpoint} of account {account} not found."
            )),
            Self::Header { endpoint, header } => {
                let error = invalid(header.message(endpoint));
                match header.code() {
                    Some(code) => error.with(ERROR_CODE, Document::String(code.to_owned())),
                    None => error,
                }
            }
            Self::Unavailable(why) => plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                why.message().to_owned(),
            ),
            Self::Model { endpoint, fault } => fault.answer(endpoint, settings),
            Self::Internal => plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalFailure",
                "The request failed because of a defect of the server; its log has the cause."
                    .to_owned(),
            ),
        }
    }
}

fn plain(status: StatusCode, kind: &'static str, message: String) -> ErrorBody {
    ErrorBody { modelled: true, ..ErrorBody::new(kind, status, message) }
}

fn invalid(message: impl Into<String>) -> ErrorBody {
    plain(StatusCode::BAD_REQUEST, "ValidationError", message.into())
}

/// In the words of `wire`'s validation, which cannot be asked about a body that is not read.
fn too_large(announced: Option<u64>) -> String {
    let value = announced.map_or_else(String::new, |length| {
        format!(" 'java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]'")
    });
    format!(
        "1 validation error detected: Value{value} at 'body' failed to satisfy constraint: \
         Member must have length less than or equal to {BODY_BYTES_MAX}"
    )
}

impl Unsupported {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::TargetModel => Some("TARGET_MODEL_HEADER_NOT_SUPPORTED"),
            Self::TargetContainerHostname
            | Self::InferenceComponent
            | Self::SessionId
            | Self::EnableExplanations
            | Self::PrefixAwareId => None,
        }
    }

    fn message(self, endpoint: &str) -> String {
        match self {
            Self::TargetModel => {
                format!("Endpoint {endpoint} is not a multi-model endpoint and does not support target model header.")
            }
            Self::TargetContainerHostname => format!(
                "Endpoint {endpoint} does not run containers in Direct mode and does not support the \
                 X-Amzn-SageMaker-Target-Container-Hostname header."
            ),
            Self::InferenceComponent => "Inference Component Name header is not allowed for endpoints to which you \
                                         dont plan to deploy inference components. Please remove the Inference \
                                         Component Name header and try again."
                .to_owned(),
            Self::SessionId => without(endpoint, "X-Amzn-SageMaker-Session-Id", "stateful sessions"),
            Self::EnableExplanations => without(endpoint, "X-Amzn-SageMaker-Enable-Explanations", "an explainer"),
            Self::PrefixAwareId => without(endpoint, "X-Amzn-SageMaker-Prefix-Aware-Id", "prefix-aware routing"),
        }
    }
}

fn without(endpoint: &str, header: &str, lacking: &str) -> String {
    format!("Endpoint {endpoint} does not have {lacking} and does not support the {header} header.")
}

impl Unavailable {
    fn message(self) -> &'static str {
        match self {
            Self::NoInstance => {
                "No instance of the endpoint became ready to take the request in time."
            }
            Self::TooManyWaiting => {
                "Too many requests are waiting for an instance of an endpoint to become ready."
            }
            Self::Full => {
                "Every instance that could take the request is as busy as it may be. Try again later."
            }
            Self::NoRoom => {
                "The server holds as many bytes of requests and answers as it may. Try again later."
            }
        }
    }
}

impl ModelFault {
    fn status(&self) -> u16 {
        match self {
            Self::Answered { status, .. } => status.as_u16(),
            Self::TimedOut | Self::Broken | Self::TooLong => 0,
        }
    }

    fn outcome(&self) -> Outcome {
        if (400..500).contains(&self.status()) {
            Outcome::ModelRefused
        } else {
            Outcome::ModelFailed
        }
    }

    fn answer(&self, endpoint: &str, settings: &Settings) -> ErrorBody {
        let (region, account) = (&settings.region, &settings.account);
        let status = self.status();
        let (side, code) = if self.outcome() == Outcome::ModelRefused {
            ("client", "CLIENT_ERROR_FROM_MODEL")
        } else {
            ("server", "SERVER_ERROR_FROM_MODEL")
        };
        let original = self.original();
        let what = match self {
            Self::Answered { whole: false, .. } => {
                " and could not load the entire response body".to_owned()
            }
            Self::Answered { .. } | Self::TimedOut | Self::Broken | Self::TooLong => {
                format!(" with message \"{original}\"")
            }
        };
        let message = format!(
            "Received {side} error ({status}) from {CONTAINER}{what}. See \
             https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:\
             group=/aws/sagemaker/Endpoints/{endpoint} in account {account} for more information."
        );
        // It holds the log group's ARN, as AWS's does.
        let log_stream = format!(
            "arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/Endpoints/{endpoint}"
        );
        plain(StatusCode::FAILED_DEPENDENCY, "ModelError", message)
            .with(ERROR_CODE, Document::String(code.to_owned()))
            .with("OriginalStatusCode", Document::Integer(status.into()))
            .with("OriginalMessage", Document::String(original.into_owned()))
            .with("LogStreamArn", Document::String(log_stream))
    }

    fn original(&self) -> Cow<'_, str> {
        match self {
            Self::Answered { body, .. } => Cow::Borrowed(body),
            Self::TimedOut => Cow::Owned(format!(
                "Your invocation timed out while waiting for a response from container {CONTAINER}. Review the latency \
                 metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
            )),
            Self::Broken => Cow::Owned(format!(
                "The connection to container {CONTAINER} broke off before its response was complete."
            )),
            Self::TooLong => Cow::Owned(format!(
                "The response from container {CONTAINER} is longer than the maximum of {BODY_BYTES_MAX} bytes."
            )),
        }
    }
}
