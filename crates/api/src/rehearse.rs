//! Dry runs: what a call would come to, and nothing of it is kept.
//!
//! The operation itself runs, on one image of the state that takes no changes, so that a dry run cannot answer anything
//! but what the call would have met. What has no dry run is refused: nobody may take a real call for one.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use store::Rehearsal;
use wire::Call;
use wire::sagemaker::Operation;

use crate::sagemaker::dry_run;
use crate::{Context, Error, answer, refuse};

/// Answers a call as [`crate::serve`] would: with the same error, or with the operation's output and `TidegatePlan`.
/// Nothing changes, not even when the key was last used.
pub async fn rehearse(cx: &Context, call: &Call, request_id: &str) -> Response<Bytes> {
    let Some(operation) = of(call) else {
        return refuse(call, &Error::NoDryRun(call.operation.name), request_id);
    };
    let store = Arc::new(Rehearsal::of(cx.store.state()));
    let cx = Context { store, nudge: Arc::new(|| ()), ..cx.clone() };
    let shown = match answer(&cx, call).await {
        Ok(output) => match operation {
            DryRun::Update => dry_run::update(&cx, call, &output)
                .map(|output| call.respond_as(&output, request_id)),
            DryRun::Delete => {
                dry_run::delete(&cx, call).map(|output| call.respond_as(&output, request_id))
            }
        },
        Err(error) => Err(error),
    };
    shown.unwrap_or_else(|error| refuse(call, &error, request_id))
}

/// The operations that have a dry run.
#[derive(Debug, Clone, Copy)]
enum DryRun {
    Update,
    Delete,
}

fn of(call: &Call) -> Option<DryRun> {
    if call.service.id != wire::sagemaker::SERVICE.id {
        return None;
    }
    match call.operation.name.parse() {
        Ok(Operation::UpdateEndpoint) => Some(DryRun::Update),
        Ok(Operation::DeleteEndpoint) => Some(DryRun::Delete),
        Ok(_) | Err(_) => None,
    }
}
