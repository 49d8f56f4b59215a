//! `DeleteScalingPolicy`: with it go the alarms that it owns, and its action from those that users have made.

use std::collections::BTreeSet;

use domain::scaling::{Policy, Refusal, TargetKey};
use store::Changes;
use wire::application_autoscaling::{DeleteScalingPolicyRequest, DeleteScalingPolicyResponse};

use super::lookup::resource;
use super::remove;
use crate::cloudwatch::alarms;
use crate::{Context, Error};

pub(super) async fn delete_scaling_policy(
    cx: &Context,
    input: DeleteScalingPolicyRequest,
) -> Result<DeleteScalingPolicyResponse, Error> {
    let resource = resource!(input)?;
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    cx.decide(move |state| {
        let key = (TargetKey::from(&resource), input.policy_name);
        let found = state.targets.get(&key.0).zip(state.policies.get(&key));
        let Some((target, policy)) = found else {
            return Err(Refusal::NoPolicy { resource, name: key.1 }.into());
        };
        let owned = policy.alarms.iter().collect();
        let actions: BTreeSet<String> =
            remove::user_action(target, policy, &scope).into_iter().collect();
        let changes = Changes::none().delete::<Policy>(key);
        let changes = alarms::detach(changes, state, &scope, &actions, &owned, now);
        let changes = alarms::delete(changes, state, &scope, owned, now);
        Ok((changes, DeleteScalingPolicyResponse {}))
    })
    .await
}
