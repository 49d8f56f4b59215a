//! `PutScalingPolicy`: makes a policy or changes one, with the alarms of a target tracking policy.

use domain::scaling::{self, PolicyBook, PolicyIds, PolicyPut, Refusal, TargetKey};
use store::Changes;
use wire::application_autoscaling::{PutScalingPolicyRequest, PutScalingPolicyResponse};

use super::lookup::{self, resource};
use super::{policy_request, shown};
use crate::cloudwatch::alarms;
use crate::{Context, Error};

pub(super) async fn put_scaling_policy(
    cx: &Context,
    input: PutScalingPolicyRequest,
) -> Result<PutScalingPolicyResponse, Error> {
    let resource = resource!(input)?;
    let key = TargetKey::from(&resource);
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    let [created_by, high, low] = lookup::ids(cx);
    cx.decide(move |state| {
        let missing = || Refusal::NotRegistered(resource.clone());
        let target = state.targets.get(&key).ok_or_else(missing)?;
        let request = policy_request::read(input, resource.clone())?;
        let (own, others): (Vec<_>, Vec<_>) = state
            .policies_of(&key)
            .map(|policy| &**policy)
            .partition(|policy| policy.name == request.name);
        let existing = own.first().copied();
        let book = PolicyBook { scope: &scope, target: Some(target), existing, others: &others };
        let ids = PolicyIds { created_by, high, low };
        let PolicyPut { policy, create, delete } = scaling::put_policy(&book, &request, ids, now)?;
        let output = PutScalingPolicyResponse {
            policy_arn: target.policy_arn(&scope, &policy.name),
            alarms: Some(create.iter().map(|alarm| shown::alarm(alarm, &scope)).collect()),
        };
        let changes = alarms::delete(Changes::none(), state, &scope, &delete, now);
        let changes = alarms::create(changes, state, &scope, create, now);
        Ok((changes.put(policy), output))
    })
    .await
}
