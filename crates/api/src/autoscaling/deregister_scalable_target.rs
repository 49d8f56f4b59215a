//! `DeregisterScalableTarget`: the target goes with all that hangs on it; its capacity stays as it is.

use domain::scaling::{Refusal, TargetKey};
use store::Changes;
use wire::application_autoscaling::{
    DeregisterScalableTargetRequest, DeregisterScalableTargetResponse,
};

use super::lookup::resource;
use super::remove;
use crate::{Context, Error};

pub(super) async fn deregister_scalable_target(
    cx: &Context,
    input: DeregisterScalableTargetRequest,
) -> Result<DeregisterScalableTargetResponse, Error> {
    let resource = resource!(input)?;
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    cx.decide(move |state| {
        let target = state.targets.get(&TargetKey::from(&resource));
        let target = target.ok_or(Refusal::NoTarget(resource))?;
        let changes = remove(Changes::none(), state, &scope, &[target], now);
        Ok((changes, DeregisterScalableTargetResponse {}))
    })
    .await
}
