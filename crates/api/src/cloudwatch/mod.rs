//! CloudWatch: metrics and alarms.

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
