//! STS: who is calling.

mod get_caller_identity;

use wire::sts::Operation;
use wire::{Call, Document, Value};

use crate::{Context, Error};

pub(crate) fn serve(cx: &Context, call: &Call) -> Result<Document, Error> {
    let unserved = Error::Unserved { service: call.service.id, operation: call.operation.name };
    match call.operation.name.parse().map_err(|_| unserved)? {
        Operation::GetCallerIdentity => {
            Ok(get_caller_identity::get_caller_identity(cx).to_document())
        }
    }
}
