//! Policies and their alarms (sections 1.6, 2.2 and 3).

use domain::alarm::{Alarm, HistoryKind};
use serde_json::{Value, json};

use super::{MAIN, SECS, World, named, stepping, tracking};

const INVOCATIONS: &str = "SageMakerVariantInvocationsPerInstance";

fn names(alarms: &Value) -> Vec<String> {
    let alarms = alarms.as_array().unwrap().iter();
    alarms.map(|alarm| alarm["AlarmName"].as_str().unwrap().to_owned()).collect()
}

/// The alarms that there are.
fn kept(world: &World) -> Vec<Alarm> {
    world.state().alarms.values().map(|alarm| Alarm::clone(alarm)).collect()
}

/// What the histories of all alarms tell, in the order of their alarms.
fn told(world: &World) -> Vec<String> {
    let state = world.state();
    let items = state.alarm_history.values();
    items
        .map(|item| {
            assert_eq!(item.kind, HistoryKind::ConfigurationUpdate);
            item.summary.rsplit(' ').next().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_tracking_policy_has_its_pair_of_alarms() {
    let world = World::registered().await;
    let put = world.good("PutScalingPolicy", tracking("tt", 100.0)).await;
    let id = world.target().id;
    assert_eq!(
        put["PolicyARN"],
        format!(
            "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:{id}:resource/sagemaker/{MAIN}:policyName/tt"
        )
    );
    let alarms = names(&put["Alarms"]);
    assert_eq!(alarms.len(), 2);
    assert!(alarms[0].starts_with(&format!("TargetTracking-{MAIN}-AlarmHigh-")), "{alarms:?}");
    assert!(alarms[1].starts_with(&format!("TargetTracking-{MAIN}-AlarmLow-")), "{alarms:?}");
    assert_eq!(
        put["Alarms"][0]["AlarmARN"],
        format!("arn:aws:cloudwatch:us-east-1:000000000000:alarm:{}", alarms[0])
    );
    let kept = kept(&world);
    assert_eq!(kept.iter().map(|alarm| alarm.name.to_string()).collect::<Vec<_>>(), alarms);
    assert_eq!(told(&world), ["created", "created"]);
    assert_eq!(
        world.policies().await,
        [json!({
            "PolicyARN": put["PolicyARN"], "PolicyName": "tt", "ServiceNamespace": "sagemaker", "ResourceId": MAIN,
            "ScalableDimension": super::DIMENSION, "PolicyType": "TargetTrackingScaling", "Alarms": put["Alarms"],
            "CreationTime": SECS,
            // Only what was given.
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 100.0, "PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS}},
        })]
    );
}

#[tokio::test]
async fn each_change_replaces_the_alarms_and_clears_what_it_leaves_out() {
    let world = World::registered().await;
    let mut first = tracking("tt", 100.0);
    first["TargetTrackingScalingPolicyConfiguration"]["ScaleInCooldown"] = json!(60);
    let before = world.good("PutScalingPolicy", first).await;
    world.pass(1000);
    let config = json!({"TargetValue": 50, "DisableScaleIn": true, "ScaleOutCooldown": 0});
    let update =
        named(json!({"PolicyName": "tt", "TargetTrackingScalingPolicyConfiguration": config}));
    let after = world.good("PutScalingPolicy", update).await;
    assert_eq!(after["PolicyARN"], before["PolicyARN"]);
    let (old, new) = (names(&before["Alarms"]), names(&after["Alarms"]));
    assert_eq!(new.len(), 1, "scaling in is off");
    assert!(!old.contains(&new[0]));
    let kept = kept(&world);
    assert_eq!(kept.iter().map(|alarm| alarm.name.to_string()).collect::<Vec<_>>(), new);
    let mut told = told(&world);
    told.sort();
    assert_eq!(told, ["created", "created", "created", "deleted", "deleted"]);
    let shown = world.policies().await.remove(0);
    assert_eq!(shown["CreationTime"], SECS);
    assert_eq!(
        shown["TargetTrackingScalingPolicyConfiguration"],
        json!({"TargetValue": 50.0, "DisableScaleIn": true, "ScaleOutCooldown": 0,
               "PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS}})
    );
}

#[tokio::test]
async fn a_customized_metric_comes_back_as_it_was_given() {
    let stat = json!({"Metric": {"MetricName": "m", "Namespace": "n", "Dimensions": [{"Name": "d", "Value": "v"}]},
                      "Stat": "p99", "Unit": "Count"});
    let table = [
        (
            json!({"MetricName": "m", "Namespace": "n", "Statistic": "Average"}),
            json!({"MetricName": "m", "Namespace": "n", "Statistic": "Average", "Dimensions": []}),
        ),
        (
            json!({"MetricName": "m", "Namespace": "n", "Statistic": "SampleCount", "Unit": "Percent",
                   "Dimensions": [{"Name": "d", "Value": "v"}]}),
            Value::Null,
        ),
        (
            json!({"Metrics": [
                {"Id": "m1", "MetricStat": stat, "ReturnData": false},
                {"Id": "e1", "Expression": "m1 * 2", "Label": "twice", "ReturnData": true}]}),
            Value::Null,
        ),
    ];
    for (given, shown) in table {
        let world = World::registered().await;
        let mut input = tracking("tt", 1.5);
        input["TargetTrackingScalingPolicyConfiguration"] =
            json!({"TargetValue": 1.5, "CustomizedMetricSpecification": given});
        world.good("PutScalingPolicy", input).await;
        let policy = world.policies().await.remove(0);
        let expected = if shown.is_null() { given } else { shown };
        let config = &policy["TargetTrackingScalingPolicyConfiguration"];
        assert_eq!(config["CustomizedMetricSpecification"], expected);
        assert_eq!(kept(&world).len(), 2);
    }
}

#[tokio::test]
async fn a_step_policy_keeps_its_steps_and_clears_the_rest() {
    let world = World::registered().await;
    let mut first = stepping("step");
    first["StepScalingPolicyConfiguration"]["Cooldown"] = json!(10);
    first["StepScalingPolicyConfiguration"]["MetricAggregationType"] = json!("Maximum");
    let put = world.good("PutScalingPolicy", first.clone()).await;
    assert_eq!(put["Alarms"], json!([]));
    let shown = |policies: Vec<Value>| policies[0]["StepScalingPolicyConfiguration"].clone();
    let given = first["StepScalingPolicyConfiguration"].clone();
    assert_eq!(shown(world.policies().await), given);
    world.good("PutScalingPolicy", named(json!({"PolicyName": "step"}))).await;
    assert_eq!(shown(world.policies().await), given);
    let update = json!({"PolicyName": "step", "StepScalingPolicyConfiguration": {"Cooldown": 20}});
    world.good("PutScalingPolicy", named(update)).await;
    assert_eq!(
        shown(world.policies().await),
        json!({"AdjustmentType": "ChangeInCapacity", "Cooldown": 20, "StepAdjustments": given["StepAdjustments"]})
    );
}

/// An alarm of a user's that has these actions.
fn users_alarm(world: &World, template: &Alarm, name: &str, actions: &[&str]) -> Alarm {
    let mut config = template.config.clone();
    config.alarm_actions = actions.iter().map(ToString::to_string).collect();
    Alarm::create(name.into(), config, world.cx.clock.now())
}

#[tokio::test]
async fn a_deleted_policy_takes_its_alarms_and_leaves_those_of_users_without_its_action() {
    let world = World::registered().await;
    world.good("PutScalingPolicy", tracking("tt", 5.0)).await;
    let step = world.good("PutScalingPolicy", stepping("step")).await;
    let arn = step["PolicyARN"].as_str().unwrap();
    let template = kept(&world).remove(0);
    world.put(users_alarm(&world, &template, "mine", &[arn, "arn:aws:sns:us-east-1:0:t"])).await;
    world.put(users_alarm(&world, &template, "other", &["arn:aws:sns:us-east-1:0:t"])).await;
    let of_step = json!({"PolicyNames": ["step"]});
    let list = ("DescribeScalingPolicies", "ScalingPolicies");
    let shown = world.listed(list.0, list.1, of_step).await;
    assert_eq!(names(&shown[0]["Alarms"]), ["mine"]);

    world.good("DeleteScalingPolicy", named(json!({"PolicyName": "step"}))).await;
    let left = |name: &str| {
        let alarms = kept(&world);
        let alarm = alarms.into_iter().find(|alarm| alarm.name.as_str() == name).unwrap();
        alarm.config.alarm_actions
    };
    assert_eq!(left("mine"), ["arn:aws:sns:us-east-1:0:t"]);
    assert_eq!(left("other").len(), 1);
    assert!(told(&world).contains(&"updated".to_owned()));

    world.good("DeleteScalingPolicy", named(json!({"PolicyName": "tt"}))).await;
    assert_eq!(kept(&world).len(), 2);
    assert!(world.policies().await.is_empty());
    let again = world.bad("DeleteScalingPolicy", named(json!({"PolicyName": "tt"}))).await;
    assert!(again.starts_with("ObjectNotFoundException: No scaling policy found"), "{again}");
}

#[tokio::test]
async fn a_target_has_at_most_fifty_policies() {
    let world = World::registered().await;
    for number in 0..50 {
        world.good("PutScalingPolicy", stepping(&format!("p{number}"))).await;
    }
    let told = world.bad("PutScalingPolicy", stepping("one more")).await;
    assert_eq!(told, "LimitExceededException: A scalable target has at most 50 scaling policies");
    world.good("PutScalingPolicy", stepping("p7")).await;
}
