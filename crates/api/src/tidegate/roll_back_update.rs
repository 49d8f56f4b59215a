//! `RollBackUpdate`: takes the update back that an endpoint has under way. The control loop does it.

use domain::name::EndpointName;
use store::Changes;
use wire::tidegate::{LastUpdate, RollBackUpdateInput};

use super::{Refusal, describe_last_update, lookup};
use crate::Error;
use crate::context::{Context, name};

pub(super) async fn roll_back_update(
    cx: &Context,
    input: &RollBackUpdateInput,
) -> Result<LastUpdate, Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let now = cx.clock.now();
    let after = cx
        .decide(move |state| {
            let endpoint = lookup::endpoint(state, &name)?;
            let after = endpoint
                .request_rollback(now)
                .map_err(|refusal| Refusal::InUse(refusal.to_string()))?;
            Ok((Changes::none().put(after.clone()), after))
        })
        .await?;
    Ok(describe_last_update::of(&after))
}
