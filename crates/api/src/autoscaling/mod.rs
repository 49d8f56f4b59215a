//! Application Auto Scaling: scalable targets, policies, scheduled actions and activities.
//!
//! What becomes of a request is decided in `domain::scaling`. Here it is read, its records are found, and all that
//! follows from it is written in one decision, so that no update or deletion of an endpoint comes between.

mod delete_scaling_policy;
mod delete_scheduled_action;
mod deregister_scalable_target;
mod describe_scalable_targets;
mod describe_scaling_activities;
mod describe_scaling_policies;
mod describe_scheduled_actions;
mod get_predictive_scaling_forecast;
mod list_tags_for_resource;
mod lookup;
mod page;
mod policy_request;
mod put_scaling_policy;
mod put_scheduled_action;
mod register_scalable_target;
mod remove;
mod shown;
mod tag_resource;
mod tagging;
#[cfg(test)]
mod tests;
mod untag_resource;

use domain::scaling::{Refusal, RefusalKind};
use http::StatusCode;
use wire::application_autoscaling::Operation;
use wire::{Call, Document, Value};

use crate::{Context, Error};

pub(crate) use remove::remove;

/// A refusal's status and code (`reference/autoscaling-and-cloudwatch.md`, section 1.1).
pub(crate) fn code(refusal: &Refusal) -> (StatusCode, &'static str) {
    let code = match refusal.kind() {
        RefusalKind::Validation => "ValidationException",
        RefusalKind::ObjectNotFound => "ObjectNotFoundException",
        RefusalKind::LimitExceeded => "LimitExceededException",
        RefusalKind::ResourceNotFound => "ResourceNotFoundException",
        RefusalKind::TooManyTags => "TooManyTagsException",
        RefusalKind::InvalidNextToken => "InvalidNextTokenException",
        RefusalKind::FailedResourceAccess => "FailedResourceAccessException",
        RefusalKind::AccessDenied => "AccessDeniedException",
    };
    (StatusCode::BAD_REQUEST, code)
}

pub(crate) async fn serve(cx: &Context, call: &Call) -> Result<Document, Error> {
    let unserved = Error::Unserved { service: call.service.id, operation: call.operation.name };
    let operation: Operation = call.operation.name.parse().map_err(|_| unserved)?;
    match operation {
        Operation::DeleteScalingPolicy => {
            shown(delete_scaling_policy::delete_scaling_policy(cx, call.input()?).await)
        }
        Operation::DeleteScheduledAction => {
            shown(delete_scheduled_action::delete_scheduled_action(cx, call.input()?).await)
        }
        Operation::DeregisterScalableTarget => {
            shown(deregister_scalable_target::deregister_scalable_target(cx, call.input()?).await)
        }
        Operation::DescribeScalableTargets => {
            shown(describe_scalable_targets::describe_scalable_targets(cx, call.input()?))
        }
        Operation::DescribeScalingActivities => {
            shown(describe_scaling_activities::describe_scaling_activities(cx, &call.input()?))
        }
        Operation::DescribeScalingPolicies => {
            shown(describe_scaling_policies::describe_scaling_policies(cx, call.input()?))
        }
        Operation::DescribeScheduledActions => {
            shown(describe_scheduled_actions::describe_scheduled_actions(cx, call.input()?))
        }
        Operation::GetPredictiveScalingForecast => {
            shown(get_predictive_scaling_forecast::get_predictive_scaling_forecast(&call.input()?))
        }
        Operation::ListTagsForResource => {
            shown(list_tags_for_resource::list_tags_for_resource(cx, &call.input()?))
        }
        Operation::PutScalingPolicy => {
            shown(put_scaling_policy::put_scaling_policy(cx, call.input()?).await)
        }
        Operation::PutScheduledAction => {
            shown(put_scheduled_action::put_scheduled_action(cx, call.input()?).await)
        }
        Operation::RegisterScalableTarget => {
            shown(register_scalable_target::register_scalable_target(cx, call.input()?).await)
        }
        Operation::TagResource => shown(tag_resource::tag_resource(cx, call.input()?).await),
        Operation::UntagResource => shown(untag_resource::untag_resource(cx, call.input()?).await),
    }
}

fn shown(output: Result<impl Value, Error>) -> Result<Document, Error> {
    output.map(|output| output.to_document())
}
