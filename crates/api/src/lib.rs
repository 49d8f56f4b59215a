//! What each operation of AWS's services does: one file per operation.
//!
//! An operation reads its input, asks `domain` for a decision and has `store` keep it. It only records what is wanted:
//! it never starts, stops or waits for an instance (invariant A2). Which protocol the caller speaks it cannot tell.

mod context;
mod error;
pub mod logs;
pub mod sagemaker;
pub mod sts;

pub use context::Context;
pub use error::Error;

use bytes::Bytes;
use http::Response;
use wire::Call;

/// Answers a call whose signature was verified.
pub async fn serve(cx: &Context, call: &Call, request_id: &str) -> Response<Bytes> {
    let answer = match call.service.id {
        "logs" => logs::serve(cx, call).await,
        "sagemaker" => sagemaker::serve(cx, call).await,
        "sts" => sts::serve(cx, call),
        other => Err(Error::Unserved { service: other, operation: call.operation.name }),
    };
    match answer {
        Ok(output) => call.respond_document(&output, request_id),
        Err(error) => {
            if let Error::Internal(cause) = &error {
                tracing::error!(
                    operation = call.operation.name,
                    request_id,
                    cause,
                    "an operation failed"
                );
            }
            call.respond_error(&error.body(), request_id)
        }
    }
}
