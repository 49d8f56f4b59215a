//! `DeleteEndpoint`: the record stays, as `Deleting`, until its last instance is gone. Its scalable targets go at once,
//! with all that hangs on them, if the caller may take these away too (promise S9); and so does its safe update.

use std::sync::Arc;

use domain::arn::Scope;
use domain::name::{EndpointKey, EndpointName};
use domain::scaling::{Target, TargetKey};
use store::record::SafeUpdate;
use store::{Changes, State};
use wire::sagemaker::DeleteEndpointInput;

use super::lookup;
use crate::Error;
use crate::authorize::{self, Permit};
use crate::autoscaling;
use crate::context::{Context, name};

pub(super) async fn delete_endpoint(cx: &Context, input: DeleteEndpointInput) -> Result<(), Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    let permit = Permit::of(cx, &cx.store.state())?;
    cx.decide(move |state| {
        let endpoint = lookup::endpoint(state, &scope, &name)?;
        let after = endpoint.request_delete(now).map_err(lookup::refuse(&scope))?;
        let targets: Vec<_> = state.targets_of(&EndpointKey::from(&name)).collect();
        admit(&permit, state, &scope, &targets)?;
        let changes = Changes::none().put(after).delete::<SafeUpdate>(EndpointKey::from(&name));
        let changes = autoscaling::remove(changes, state, &scope, &targets, now);
        Ok((changes, ()))
    })
    .await
}

/// Who may not deregister may not do so by deleting the endpoint either; whoever configured the scaling. Nothing is
/// deleted then (`reference/autoscaling-and-cloudwatch.md`, section 1.10).
fn admit(
    permit: &Permit,
    state: &State,
    scope: &Scope,
    targets: &[&Arc<Target>],
) -> Result<(), Error> {
    let permit = permit.within(state)?;
    for target in targets {
        let has_policies = state.policies_of(&TargetKey::from(&target.resource)).next().is_some();
        let policies = has_policies.then(|| authorize::delete_policy(scope, target));
        let needs = [Some(authorize::deregister(scope, target)), policies];
        for need in needs.iter().flatten() {
            permit.check(state, need).map_err(|_| Error::TargetsLeft)?;
        }
    }
    Ok(())
}
