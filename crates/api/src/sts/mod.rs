//! STS: who is calling, and sessions.

mod assume_role;
mod get_caller_identity;
mod get_session_token;
mod issue;
#[cfg(test)]
mod tests;

use wire::sts::Operation;
use wire::{Call, Document, Value};

use crate::{Context, Error};

pub(crate) async fn serve(cx: &Context, call: &Call) -> Result<Document, Error> {
    let unserved = Error::Unserved { service: call.service.id, operation: call.operation.name };
    match call.operation.name.parse().map_err(|_| unserved)? {
        Operation::AssumeRole => {
            let output = assume_role::assume_role(cx, call.input()?).await?;
            Ok(output.to_document())
        }
        Operation::GetCallerIdentity => {
            Ok(get_caller_identity::get_caller_identity(cx).to_document())
        }
        Operation::GetSessionToken => {
            let output = get_session_token::get_session_token(cx, &call.input()?).await?;
            Ok(output.to_document())
        }
    }
}
