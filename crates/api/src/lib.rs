//! What each operation of AWS's services does: one file per operation, but for IAM's, which has one per kept thing.
//!
//! An operation reads its input, asks `domain` for a decision and has `store` keep it. It only records what is wanted:
//! it never starts, stops or waits for an instance (invariant A2). Which protocol the caller speaks it cannot tell.

pub mod authorize;
pub mod autoscaling;
pub mod cloudwatch;
mod context;
mod error;
pub mod iam;
mod live;
mod local;
pub mod logs;
mod rehearse;
pub mod sagemaker;
pub mod sts;
#[cfg(test)]
mod testing;
pub mod tidegate;

pub use authorize::{Asked, Authority, Grant};
pub use context::Context;
pub use error::Error;
pub use live::{Live, Running, Still};
pub use local::{Lend, Local};
pub use rehearse::rehearse;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use wire::{Call, Document};

/// Answers a call whose signature was verified, if its caller may make it.
pub async fn serve(cx: &Context, call: &Call, request_id: &str) -> Response<Bytes> {
    match answer(cx, call).await {
        Ok(output) => call.respond_document(&output, request_id),
        Err(error) => refuse(call, &error, request_id),
    }
}

/// Whether a call is answered from memory, in a time that does not grow with what is kept, so that whoever has it may
/// serve it where it is.
pub fn is_light(call: &Call) -> bool {
    match call.service.id {
        "sagemaker" => ["DescribeEndpoint", "DescribeEndpointConfig", "DescribeModel"]
            .contains(&call.operation.name),
        "sts" => call.operation.name == "GetCallerIdentity",
        _ => false,
    }
}

/// What a call comes to, for its caller.
pub(crate) async fn answer(cx: &Context, call: &Call) -> Result<Document, Error> {
    let grant = Arc::new(authorize::authorize(cx, call)?);
    iam::note_use(cx, call.service.signing_name).await;
    operate(&Context { grant: Some(grant), ..cx.clone() }, call).await
}

/// An error in the form of the call that met it.
pub(crate) fn refuse(call: &Call, error: &Error, request_id: &str) -> Response<Bytes> {
    if let Error::Internal(cause) | Error::DiskFailed(cause) = error {
        tracing::error!(operation = call.operation.name, request_id, cause, "an operation failed");
    }
    call.respond_error(&error.body_for(call), request_id)
}

async fn operate(cx: &Context, call: &Call) -> Result<Document, Error> {
    match call.service.id {
        "application_autoscaling" => autoscaling::serve(cx, call).await,
        "cloudwatch" => cloudwatch::serve(cx, call).await,
        "iam" => iam::serve(cx, call).await,
        "logs" => logs::serve(cx, call).await,
        "sagemaker" => sagemaker::serve(cx, call).await,
        "sts" => sts::serve(cx, call).await,
        "tidegate" => tidegate::serve(cx, call).await,
        other => Err(Error::Unserved { service: other, operation: call.operation.name }),
    }
}
