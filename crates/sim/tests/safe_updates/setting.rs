//! An endpoint with everything that scaling may hang on it, and what of that must be there again.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::scaling::{DIMENSION, NAMESPACE, ScheduledAction, Target};
use domain::time::Timestamp;
use runtime::fake::Behaviour;
use serde_json::{Value, json};
use sim::World;
use wire::{Service, application_autoscaling, cloudwatch, sagemaker};

/// The config in use.
pub(crate) const OLD: &str = "old";

/// Another model everywhere, and another instance type for the variant `a`.
pub(crate) const NEW: &str = "new";

/// The same, whose instances end by themselves.
pub(crate) const FAILING: &str = "failing";

/// The same as `NEW`, whose instances take four minutes to become ready.
pub(crate) const SLOW: &str = "slow";

/// Without the variant `a`.
pub(crate) const WITHOUT: &str = "without";

/// The endpoint `e`: `a` has 3 instances and `b` 2, both scaled; `c` has 1. Neither counts nor weights are those of its config.
pub(crate) fn world() -> World {
    let mut world = World::new().unwrap();
    let ready = Behaviour::ready_after(Duration::from_secs(2));
    world.script("good", ready.stopping(Duration::from_secs(1)));
    world.script("slow", Behaviour::ready_after(Duration::from_mins(4)));
    world.script("bad", Behaviour::ends_after(Duration::from_secs(1), "exit status 1"));
    hosting(&mut world);
    for variant in ["a", "b"] {
        scale(&mut world, variant);
    }
    let changes = json!([
        {"VariantName": "a", "DesiredInstanceCount": 3, "DesiredWeight": 2.0},
        {"VariantName": "b", "DesiredInstanceCount": 2, "DesiredWeight": 1.5},
    ]);
    let input = json!({"EndpointName": "e", "DesiredWeightsAndCapacities": changes});
    done(&mut world, &sagemaker::SERVICE, "UpdateEndpointWeightsAndCapacities", &input);
    world.advance(Duration::from_secs(30)).unwrap();
    world
}

fn hosting(world: &mut World) {
    for (name, image) in [("m", "good"), ("n", "good"), ("s", "slow"), ("x", "bad")] {
        let input = json!({"ModelName": name, "PrimaryContainer": {"Image": image}});
        done(world, &sagemaker::SERVICE, "CreateModel", &input);
    }
    let (large, larger) = ("ml.m5.large", "ml.m5.xlarge");
    for (name, variants) in [
        (OLD, &[("a", "m", large), ("b", "m", large), ("c", "m", large)][..]),
        (NEW, &[("a", "n", larger), ("b", "n", large), ("c", "n", large)]),
        (FAILING, &[("a", "x", larger), ("b", "n", large), ("c", "n", large)]),
        (SLOW, &[("a", "s", larger), ("b", "s", large), ("c", "s", large)]),
        (WITHOUT, &[("b", "n", large), ("c", "n", large)]),
    ] {
        let variants = variants.iter().map(|(variant, model, kind)| {
            json!({"VariantName": variant, "ModelName": model, "InstanceType": kind,
                   "InitialInstanceCount": 1})
        });
        let variants: Vec<Value> = variants.collect();
        let input = json!({"EndpointConfigName": name, "ProductionVariants": variants});
        done(world, &sagemaker::SERVICE, "CreateEndpointConfig", &input);
    }
    let input = json!({"EndpointName": "e", "EndpointConfigName": OLD});
    done(world, &sagemaker::SERVICE, "CreateEndpoint", &input);
    world.advance(Duration::from_secs(10)).unwrap();
}

fn scale(world: &mut World, variant: &str) {
    let scaling = &application_autoscaling::SERVICE;
    let suspended = json!({"ScheduledScalingSuspended": variant == "a"});
    let metric = json!({"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"});
    let tracking = json!({"TargetValue": 70.0, "PredefinedMetricSpecification": metric,
                          "ScaleInCooldown": 600, "ScaleOutCooldown": 30, "DisableScaleIn": true});
    let steps = json!([{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]);
    let stepping =
        json!({"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps, "Cooldown": 45});
    for (operation, more) in [
        (
            "RegisterScalableTarget",
            json!({"MinCapacity": 1, "MaxCapacity": 6, "SuspendedState": suspended,
                   "Tags": {"team": "search", "of": variant}}),
        ),
        (
            "PutScalingPolicy",
            json!({"PolicyName": "track", "PolicyType": "TargetTrackingScaling",
                   "TargetTrackingScalingPolicyConfiguration": tracking}),
        ),
        (
            "PutScalingPolicy",
            json!({"PolicyName": "step", "PolicyType": "StepScaling",
                   "StepScalingPolicyConfiguration": stepping}),
        ),
        (
            "PutScheduledAction",
            json!({"ScheduledActionName": "summer", "Schedule": "cron(0 8 1 7 ? *)",
                   "Timezone": "Europe/Berlin", "ScalableTargetAction": {"MinCapacity": 4}}),
        ),
        (
            "PutScheduledAction",
            json!({"ScheduledActionName": "once", "Schedule": "at(2026-12-24T12:00:00)",
                   "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 8}}),
        ),
    ] {
        let mut input = json!({"ServiceNamespace": NAMESPACE, "ScalableDimension": DIMENSION,
                               "ResourceId": format!("endpoint/e/variant/{variant}")});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        done(world, scaling, operation, &input);
    }
    let state = world.state();
    let of = |target: &Target| target.resource.variant.as_str() == variant;
    let action = state.targets.values().find(|target| of(target)).unwrap();
    let action = action.policy_arn(&world.scope(), "step");
    let input = json!({
        "AlarmName": format!("own-{variant}"), "Namespace": "App", "MetricName": "Load",
        "Dimensions": [{"Name": "Variant", "Value": variant}], "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 50.5,
        "TreatMissingData": "notBreaching", "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [action, "arn:aws:sns:us-east-1:000000000000:people"]});
    done(world, &cloudwatch::SERVICE, "PutMetricAlarm", &input);
}

fn done(world: &mut World, service: &'static Service, operation: &str, input: &Value) {
    let answer = world.call(service, operation, input).unwrap();
    assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
}

/// What must be there again, as text: all but ids, times, and states of alarms.
pub(crate) fn scaling(world: &World) -> BTreeMap<String, String> {
    let (state, scope) = (world.state(), world.scope());
    let mut all = BTreeMap::new();
    for (key, target) in &state.targets {
        let tags = state.tagged.get(&target.arn(&scope)).map(|tagged| &tagged.tags);
        let Target { resource, min, max, suspended, .. } = &**target;
        all.insert(
            format!("target {key}"),
            format!("{resource:?} {min} {max} {suspended:?} {tags:?}"),
        );
    }
    for (key, policy) in &state.policies {
        let alarms: Vec<String> =
            policy.alarms.iter().map(|name| anonymous(&name.to_string())).collect();
        all.insert(format!("policy {key:?}"), format!("{:?} {alarms:?}", policy.plan));
    }
    for (key, action) in &state.scheduled_actions {
        let created_at = Timestamp::default();
        let action = ScheduledAction {
            created_at,
            done_until: created_at,
            ..ScheduledAction::clone(action)
        };
        all.insert(format!("action {key:?}"), format!("{action:?}"));
    }
    for alarm in state.alarms.values() {
        all.insert(
            format!("alarm {}", anonymous(&alarm.name.to_string())),
            anonymous(&format!("{:?}", alarm.config)),
        );
    }
    all
}

/// Without UUIDs.
fn anonymous(text: &str) -> String {
    let is_uuid = |word: &str| {
        word.len() == 36
            && word.char_indices().all(|(at, one)| match at {
                8 | 13 | 18 | 23 => one == '-',
                _ => one.is_ascii_hexdigit(),
            })
    };
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let head = rest.get(..36).filter(|head| is_uuid(head));
        let width = head.map_or_else(|| rest.chars().next().map_or(1, char::len_utf8), str::len);
        words.push(head.map_or(&rest[..width], |_| "<id>"));
        rest = &rest[width..];
    }
    words.concat()
}

/// The config in use, with the counts and weights of its variants.
pub(crate) fn fleet(world: &World) -> String {
    let endpoints = world.endpoints();
    let endpoint = endpoints.first().unwrap();
    let live = endpoint.live.as_ref().unwrap();
    let fleets = live.fleets.iter().map(|fleet| {
        let kind = live.config.instance_type(&fleet.variant).unwrap_or_default();
        let counts = (fleet.current_count, fleet.desired_count);
        format!("{} {} {kind} {counts:?} {}", fleet.variant, fleet.model.name, fleet.desired_weight)
    });
    let fleets: Vec<String> = fleets.collect();
    format!("{:?} {} {}", endpoint.stage, endpoint.config_name, fleets.join(", "))
}

/// The same after an update to `NEW`.
pub(crate) const fn updated() -> &'static str {
    "InService new a n ml.m5.xlarge (3, 3) 2, b n ml.m5.large (2, 2) 1.5, c n ml.m5.large (1, 1) 1"
}
