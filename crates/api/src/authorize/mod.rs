//! May this caller do that? Asked of every call before its operation runs.
//!
//! `table` says what an operation needs; the caller's `standing` and the policy language say whether that is
//! allowed. Everything is read from one image of the state, so that a change counts from the moment its call is
//! answered. Nothing here changes anything, and no operation decides for itself who may call it, but for those that
//! touch what belongs to another service (`DeleteEndpoint`) or that another's policy guards (`AssumeRole`).

mod authority;
mod compiled;
mod denied;
mod facts;
mod grant;
mod keyring;
mod need;
mod permit;
mod records;
mod standing;
mod table;
#[cfg(test)]
mod tests;

pub use authority::{Authority, TokenFault};
pub use denied::Denied;
pub use facts::Asked;
pub use grant::Grant;
pub use table::{Bucket, S3Call, s3_actions};

pub(crate) use need::Need;
pub(crate) use permit::Permit;
pub(crate) use table::{delete_policy, deregister};

use wire::Call;

use crate::{Context, Error};

/// Whether the caller may have this call served, and by what.
pub(crate) fn authorize(cx: &Context, call: &Call) -> Result<Grant, Error> {
    let state = cx.store.state();
    let permit = Permit::of(cx, &state)?;
    let user = permit.user_name(&state);
    let ask = table::Ask { scope: &cx.scope, state: &state, input: &call.input, user };
    let needs = table::needs(&ask, call.service.id, call.operation.name)?;
    needs.iter().try_for_each(|need| permit.check(&state, need))?;
    Ok(Grant { permit, needs, image: state })
}
