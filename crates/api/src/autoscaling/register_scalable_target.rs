//! `RegisterScalableTarget`: makes a target or changes one, and moves a capacity that lies outside its bounds.

use std::sync::Arc;

use domain::scaling::{
    self, Begun, Registered, Registration, Registry, SuspendedChange, TARGETS_MAX, TargetKey,
};
use domain::tag::Tags;
use store::Changes;
use wire::application_autoscaling::{
    RegisterScalableTargetRequest, RegisterScalableTargetResponse,
};

use super::lookup::{self, resource};
use super::tagging;
use crate::iam::ensure_scaling_role;
use crate::{Context, Error};

pub(super) async fn register_scalable_target(
    cx: &Context,
    input: RegisterScalableTargetRequest,
) -> Result<RegisterScalableTargetResponse, Error> {
    let resource = resource!(input)?;
    let key = TargetKey::from(&resource);
    let tags = input.tags.unwrap_or_default();
    let suspended = input.suspended_state.unwrap_or_default();
    let mut request = Registration {
        resource,
        min: input.min_capacity,
        max: input.max_capacity,
        suspended: SuspendedChange {
            dynamic_in: suspended.dynamic_scaling_in_suspended,
            dynamic_out: suspended.dynamic_scaling_out_suspended,
            scheduled: suspended.scheduled_scaling_suspended,
        },
        role_arn: input.role_arn,
        tagged: !tags.is_empty(),
    };
    let (scope, limits, now) = (cx.scope.clone(), Arc::clone(&cx.limits), cx.clock.now());
    let [target_id, activity_id] = lookup::ids(cx);
    let role_entropy = (cx.entropy)();
    cx.decide(move |state| {
        let endpoint = lookup::endpoint(state, &key);
        request.resource = lookup::spelled(request.resource, endpoint);
        let found = state.targets.get(&key);
        let (existing, ended) =
            found.map(|target| lookup::looked_after(state, target, now)).unzip();
        let registry = Registry {
            scope: &scope,
            existing: existing.as_ref(),
            endpoint,
            targets: state.targets.size(),
            targets_max: TARGETS_MAX,
        };
        let Registered { target, correction } =
            scaling::register(&registry, &request, target_id, now)?;
        let arn = target.arn(&scope);
        let mut changes = ended.flatten().into_iter().fold(Changes::none(), Changes::put);
        changes = ensure_scaling_role(changes, state, role_entropy, now);
        if !tags.is_empty() {
            let tags = tagging::with(&arn, &Tags::default(), tags)?;
            changes = tagging::put(changes, arn.clone(), tags);
        }
        let changes = match (correction, endpoint) {
            (Some(change), Some(endpoint)) => {
                let admit = |after: &_| state.admit(&limits, Some(endpoint), after);
                let Begun { target, endpoint, activity } =
                    scaling::begin(&target, endpoint, &change, activity_id, now, admit);
                endpoint.into_iter().fold(changes.put(target).put(activity), Changes::put)
            }
            _ => changes.put(target),
        };
        Ok((changes, RegisterScalableTargetResponse { scalable_target_arn: Some(arn) }))
    })
    .await
}
