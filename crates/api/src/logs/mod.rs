//! CloudWatch Logs: the output of model servers, read-only. Each endpoint is a log group, each instance a stream.

mod describe_log_groups;
mod describe_log_streams;
mod filter_log_events;
mod get_log_events;
mod group;
#[cfg(test)]
mod tests;
mod token;

use http::StatusCode;
use wire::logs::Operation;
use wire::{Call, Document, Value};

use crate::{Context, Error};

/// Events on a page when a request does not say, and at most.
const EVENTS_MAX: usize = 10_000;

/// Groups or streams on a page when a request does not say, and at most.
const DESCRIBED_MAX: usize = 50;

/// Why a request for logs is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("The specified log group does not exist.")]
    NoGroup,
    #[error("The specified log stream does not exist.")]
    NoStream,
    #[error("The specified nextToken is invalid.")]
    BadToken,
    #[error(transparent)]
    Pattern(#[from] ::logs::PatternError),
    #[error("{0}")]
    Parameters(&'static str),
    #[error("Rate exceeded")]
    Busy(#[from] ::logs::Busy),
}

impl Refusal {
    pub(crate) const fn code(&self) -> (StatusCode, &'static str) {
        let code = match self {
            Self::NoGroup | Self::NoStream => "ResourceNotFoundException",
            Self::BadToken | Self::Pattern(_) | Self::Parameters(_) => "InvalidParameterException",
            Self::Busy(_) => "ThrottlingException",
        };
        (StatusCode::BAD_REQUEST, code)
    }
}

pub(crate) async fn serve(cx: &Context, call: &Call) -> Result<Document, Error> {
    let unserved = Error::Unserved { service: call.service.id, operation: call.operation.name };
    let operation: Operation = call.operation.name.parse().map_err(|_| unserved)?;
    match operation {
        Operation::DescribeLogGroups => {
            shown(describe_log_groups::describe_log_groups(cx, call.input()?).await)
        }
        Operation::DescribeLogStreams => {
            shown(describe_log_streams::describe_log_streams(cx, call.input()?).await)
        }
        Operation::FilterLogEvents => {
            shown(filter_log_events::filter_log_events(cx, call.input()?).await)
        }
        Operation::GetLogEvents => shown(get_log_events::get_log_events(cx, &call.input()?).await),
    }
}

fn shown(output: Result<impl Value, Refusal>) -> Result<Document, Error> {
    Ok(output?.to_document())
}

/// A limit that the model's range has admitted already.
fn limit(asked: Option<i32>, most: usize) -> usize {
    asked.and_then(|limit| usize::try_from(limit).ok()).map_or(most, |limit| limit.clamp(1, most))
}
