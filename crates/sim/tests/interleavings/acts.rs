//! What clients do to an endpoint and its scaling.

use std::sync::Arc;

use domain::name::EndpointName;
use serde_json::{Value, json};
use wire::{Service, application_autoscaling, cloudwatch, iam, sagemaker};

use crate::scene::{Scene, of_target, own_alarm, policy, scheduled, stepping, tracking, with};

/// Something that a client does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Api {
        name: &'static str,
        by: By,
        call: Arc<wire::Call>,
    },
    /// The loop that looks after fleets runs, so many times.
    Fleets(usize),
    /// The loop that scales runs, so many times.
    Scaling(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Root,
    /// A user who may do everything with endpoints and with scaling, by policies that can be taken away one by one.
    Ann,
}

impl Act {
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Api { name, by, .. } => format!("{by:?}:{name}"),
            Self::Fleets(times) => format!("fleets*{times}"),
            Self::Scaling(times) => format!("scaling*{times}"),
        }
    }
}

/// Makes a call ready to be made.
fn api(
    (name, by): (&'static str, By),
    service: &'static Service,
    operation: &str,
    input: &Value,
) -> Act {
    let call = sim::request(service, operation, input).unwrap().unwrap();
    Act::Api { name, by, call: Arc::new(call) }
}

/// A user's call of SageMaker about `e`.
fn host((name, by): (&'static str, By), operation: &str, more: &Value) -> Act {
    api((name, by), &sagemaker::SERVICE, operation, &with(json!({"EndpointName": "e"}), more))
}

/// A call of Application Auto Scaling about `e`'s variant `a`.
fn auto((name, by): (&'static str, By), operation: &str, more: &Value) -> Act {
    api((name, by), &application_autoscaling::SERVICE, operation, &of_target("e", more))
}

fn rights(name: &'static str, operation: &str, input: &Value) -> Act {
    api((name, By::Root), &iam::SERVICE, operation, input)
}

pub(crate) fn create(by: By) -> Act {
    host(("create", by), "CreateEndpoint", &json!({"EndpointConfigName": "plain"}))
}

pub(crate) fn update(by: By, config: &'static str) -> Act {
    let name = match config {
        "model" => "update-model",
        "larger" => "update-larger",
        _ => "update-without",
    };
    let more = json!({"EndpointConfigName": config, "RetainAllVariantProperties": true});
    host((name, by), "UpdateEndpoint", &more)
}

pub(crate) fn delete(by: By) -> Act {
    host(("delete", by), "DeleteEndpoint", &json!({}))
}

pub(crate) fn capacity(by: By) -> Act {
    let change = json!([{"VariantName": "a", "DesiredInstanceCount": 3}]);
    let more = json!({"DesiredWeightsAndCapacities": change});
    host(("capacity", by), "UpdateEndpointWeightsAndCapacities", &more)
}

pub(crate) fn register(by: By) -> Act {
    let more = json!({"MinCapacity": 1, "MaxCapacity": 4});
    auto(("register", by), "RegisterScalableTarget", &more)
}

/// With a minimum above the count that there is, so that the endpoint has to grow; and with tags, which only a new
/// target takes.
pub(crate) fn register_more(by: By) -> Act {
    let more = json!({"MinCapacity": 3, "MaxCapacity": 6, "Tags": {"by": "register-more"}});
    auto(("register-more", by), "RegisterScalableTarget", &more)
}

pub(crate) fn deregister(by: By) -> Act {
    auto(("deregister", by), "DeregisterScalableTarget", &json!({}))
}

pub(crate) fn put_policy(by: By) -> Act {
    auto(("put-policy", by), "PutScalingPolicy", &tracking("track"))
}

pub(crate) fn put_step(by: By) -> Act {
    auto(("put-step", by), "PutScalingPolicy", &stepping("step"))
}

pub(crate) fn delete_policy(by: By, name: &'static str) -> Act {
    let label = if name == "step" { "delete-step" } else { "delete-policy" };
    auto((label, by), "DeleteScalingPolicy", &json!({"PolicyName": name}))
}

pub(crate) fn put_action(by: By) -> Act {
    auto(("put-action", by), "PutScheduledAction", &scheduled("often"))
}

pub(crate) fn delete_action(by: By) -> Act {
    let more = json!({"ScheduledActionName": "often"});
    auto(("delete-action", by), "DeleteScheduledAction", &more)
}

pub(crate) fn tag_endpoint(scene: &Scene) -> Act {
    let name: EndpointName = "e".parse().unwrap();
    let arn = scene.world.scope().sagemaker(domain::arn::Kind::Endpoint, &name);
    let input = json!({"ResourceArn": arn, "Tags": [{"Key": "late", "Value": "tag"}]});
    api(("tag-endpoint", By::Root), &sagemaker::SERVICE, "AddTags", &input)
}

/// Of `e`'s target, which must be registered.
pub(crate) fn tag_target(scene: &Scene) -> Act {
    let state = scene.world.state();
    let of_e = |target: &&Arc<domain::scaling::Target>| target.resource.endpoint.to_string() == "e";
    let arn = state.targets.values().find(of_e).unwrap().arn(&scene.world.scope());
    let input = json!({"ResourceARN": arn, "Tags": {"late": "tag"}});
    api(("tag-target", By::Root), &application_autoscaling::SERVICE, "TagResource", &input)
}

/// Makes an alarm drive the policy `step`, whose target must be registered.
pub(crate) fn put_alarm(scene: &Scene) -> Act {
    let input = with(own_alarm(&scene.world, "e"), &json!({"Threshold": 60.0}));
    api(("put-alarm", By::Root), &cloudwatch::SERVICE, "PutMetricAlarm", &input)
}

/// Lets that alarm call its policy.
pub(crate) fn ring() -> Act {
    let at = "2026-01-01T00:00:10.000+0000";
    let data =
        json!({"version": "1.0", "recentDatapoints": [60.0], "threshold": 50.0, "queryDate": at});
    let input = json!({"AlarmName": "own-e", "StateValue": "ALARM", "StateReason": "by hand",
                       "StateReasonData": data.to_string()});
    api(("ring", By::Root), &cloudwatch::SERVICE, "SetAlarmState", &input)
}

/// Takes one of Ann's policies away.
pub(crate) fn revoke(name: &'static str) -> Act {
    let label = match name {
        "deregister" => "revoke-deregister",
        "policies" => "revoke-policies",
        _ => "revoke-hosting",
    };
    rights(label, "DeleteUserPolicy", &json!({"UserName": "ann", "PolicyName": name}))
}

/// Denies Ann what her policies allow.
pub(crate) fn deny() -> Act {
    let denied = &["application-autoscaling:DeregisterScalableTarget"];
    rights("deny", "PutUserPolicy", &policy("deny", "Deny", denied))
}

/// Ann's key counts no more.
pub(crate) fn disable_key(scene: &Scene) -> Act {
    let state = scene.world.state();
    let user = state.users.values().next().unwrap();
    let key = user.access_keys.first().unwrap();
    let input = json!({"UserName": "ann", "AccessKeyId": key, "Status": "Inactive"});
    rights("disable-key", "UpdateAccessKey", &input)
}
