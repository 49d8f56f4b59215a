//! Values at and beyond every edge: whatever is refused or kept, it is answered, and what is kept can be shown.

use serde_json::{Value, json};

use super::{World, named, stepping, tracking, with};

const LARGEST: i32 = i32::MAX;

/// Calls with one value that is at or beyond an edge, and whether it is kept.
fn calls() -> Vec<(&'static str, Value, bool)> {
    let register = "RegisterScalableTarget";
    let (put, plan) = ("PutScalingPolicy", "PutScheduledAction");
    let track = |value: Value| {
        let mut input = tracking("track", 1.0);
        input["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] = value;
        input
    };
    let step = |lower: Value, adjustment: Value| {
        let mut input = stepping("step");
        input["StepScalingPolicyConfiguration"]["StepAdjustments"] =
            json!([{"MetricIntervalLowerBound": lower, "ScalingAdjustment": adjustment}]);
        input
    };
    let action = |more: Value| {
        let whole = json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)",
                           "ScalableTargetAction": {"MaxCapacity": 9}});
        with(named(whole), more)
    };
    vec![
        (register, named(json!({"MaxCapacity": LARGEST})), true),
        (register, named(json!({"MinCapacity": LARGEST, "MaxCapacity": LARGEST})), true),
        (register, named(json!({"MaxCapacity": 2_147_483_648_u32})), false),
        (register, named(json!({"MinCapacity": 1.5})), false),
        (register, named(json!({"MinCapacity": "2"})), false),
        (register, named(json!({"ResourceId": "e".repeat(1601)})), false),
        (put, track(json!("NaN")), false),
        (put, track(json!("Infinity")), false),
        (put, track(json!(-1)), false),
        (put, track(json!(1e-108)), true),
        (put, track(json!(1e108)), true),
        (put, step(json!("NaN"), json!(1)), false),
        (put, step(json!("Infinity"), json!(1)), false),
        (put, step(json!(1e308), json!(LARGEST)), true),
        (put, step(json!(0), json!(i32::MIN)), true),
        (put, step(json!(0), json!(2_147_483_648_u32)), false),
        (plan, action(json!({"StartTime": 1e300})), false),
        (
            plan,
            action(json!({"StartTime": -62_135_596_800_i64, "EndTime": 253_402_300_799_i64})),
            true,
        ),
        (plan, action(json!({"StartTime": 253_402_300_799_i64})), true),
        (plan, action(json!({"Schedule": "rate(2147483647 days)"})), true),
        (plan, action(json!({"Schedule": "rate(2147483648 days)"})), false),
        (plan, action(json!({"Schedule": "cron(0 0 31 2 ? 2199)"})), true),
        (plan, action(json!({"ScalableTargetAction": {"MaxCapacity": LARGEST}})), true),
    ]
}

#[tokio::test]
async fn every_value_gets_an_answer_and_what_is_kept_can_be_shown() {
    let service = &wire::application_autoscaling::SERVICE;
    for (operation, input, kept) in calls() {
        let world = World::registered().await;
        let (status, body) = world.call(service, operation, input.clone()).await;
        let expected = if kept { 200 } else { 400 };
        assert_eq!(status, expected, "{operation} {input}: {body}");
        let shown = (world.targets().await, world.policies().await, world.actions().await);
        assert_eq!(shown.0.len(), 1);
        assert_eq!(
            shown.1.len() + shown.2.len(),
            usize::from(kept && operation.starts_with("Put"))
        );
    }
}
