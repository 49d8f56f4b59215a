//! What AWS has no operation for: why a variant scales as it does, and the instances behind an endpoint.

use http::StatusCode;
use wire::{Call, Document};

use crate::{Context, Error};

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {}

impl Refusal {
    pub(crate) const fn code(&self) -> (StatusCode, &'static str) {
        match *self {}
    }
}

pub(crate) async fn serve(_cx: &Context, call: &Call) -> Result<Document, Error> {
    Err(Error::Unserved { service: call.service.id, operation: call.operation.name })
}
