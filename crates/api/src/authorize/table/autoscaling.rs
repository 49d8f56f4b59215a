//! Application Auto Scaling: everything that changes something is about a scalable target.

use domain::arn::Scope;
use domain::iam::{AUTOSCALING_SERVICE, scaling_role_name, service_linked_role};
use domain::scaling::{DIMENSION, NAMESPACE, ResourceId, Target, TargetKey};
use domain::time::Timestamp;
use wire::application_autoscaling::Operation;

use super::super::need::{Need, tags, texts};
use super::Ask;

const SERVICE: &str = "application-autoscaling";

pub(super) fn needs(ask: &Ask<'_>, operation: Operation) -> Vec<Need> {
    let target = |action| vec![on_target(ask, action)];
    let any = |action| {
        let shown = ask.autoscaling_arn("scalable-target/*");
        vec![Need::any(SERVICE, action).shown_as(shown)]
    };
    let tagged = |action| Need::on(SERVICE, action, ask.text("ResourceARN").to_owned());
    match operation {
        Operation::DeleteScalingPolicy => target("DeleteScalingPolicy"),
        Operation::DeleteScheduledAction => target("DeleteScheduledAction"),
        Operation::DeregisterScalableTarget => target("DeregisterScalableTarget"),
        Operation::DescribeScalableTargets => any("DescribeScalableTargets"),
        Operation::DescribeScalingActivities => any("DescribeScalingActivities"),
        Operation::DescribeScalingPolicies => any("DescribeScalingPolicies"),
        Operation::DescribeScheduledActions => any("DescribeScheduledActions"),
        Operation::GetPredictiveScalingForecast => any("GetPredictiveScalingForecast"),
        Operation::ListTagsForResource => vec![tagged("ListTagsForResource")],
        Operation::PutScalingPolicy => target("PutScalingPolicy"),
        Operation::PutScheduledAction => target("PutScheduledAction"),
        Operation::RegisterScalableTarget => register(ask),
        Operation::TagResource => {
            vec![tagged("TagResource").with_tags(&tags(ask.input, "Tags"))]
        }
        Operation::UntagResource => {
            vec![tagged("UntagResource").with_tag_keys(texts(ask.input, "TagKeys"))]
        }
    }
}

fn register(ask: &Ask<'_>) -> Vec<Need> {
    let tags = tags(ask.input, "Tags");
    let need = on_target(ask, "RegisterScalableTarget").with_tags(&tags);
    let tagging = (!tags.is_empty()).then(|| on_target(ask, "TagResource").with_tags(&tags));
    [Some(need), tagging, linked_role(ask)].into_iter().flatten().collect()
}

/// The first registration makes the role that scaling works with, unless it is there (section 1.9).
fn linked_role(ask: &Ask<'_>) -> Option<Need> {
    if ask.state.roles.contains_key(&scaling_role_name()) {
        return None;
    }
    let made = service_linked_role(AUTOSCALING_SERVICE, None, None, 0, Timestamp::from_millis(0));
    let arn = made.ok()?.arn(ask.scope);
    let need = Need::on("iam", "CreateServiceLinkedRole", arn);
    Some(need.with("iam:awsservicename", [AUTOSCALING_SERVICE.to_owned()]))
}

/// The target that the input's three parts name.
fn on_target(ask: &Ask<'_>, action: &'static str) -> Need {
    let id: Option<ResourceId> = ask.text("ResourceId").parse().ok();
    let found = id.and_then(|id| ask.state.targets.get(&TargetKey::from(&id)));
    Need::on(SERVICE, action, ask.target_arn(found.map(|target| &**target)))
        .with_member("application-autoscaling:service-namespace", ask.input.get("ServiceNamespace"))
        .with_member(
            "application-autoscaling:scalable-dimension",
            ask.input.get("ScalableDimension"),
        )
}

/// What the deletion of an endpoint needs for a target of it (promise S9).
pub(crate) fn deregister(scope: &Scope, target: &Target) -> Need {
    of_endpoint(scope, target, "DeregisterScalableTarget")
}

/// What it needs for a target that has policies.
pub(crate) fn delete_policy(scope: &Scope, target: &Target) -> Need {
    of_endpoint(scope, target, "DeleteScalingPolicy")
}

fn of_endpoint(scope: &Scope, target: &Target, action: &'static str) -> Need {
    Need::on(SERVICE, action, target.arn(scope))
        .with("application-autoscaling:service-namespace", [NAMESPACE.to_owned()])
        .with("application-autoscaling:scalable-dimension", [DIMENSION.to_owned()])
}
