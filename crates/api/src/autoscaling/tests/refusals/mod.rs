//! AWS's words for what does not go: each row of section 1.5 that a call can reach. Nothing changes then.

mod policies;
mod registration;

use serde_json::{Value, json};

use super::{DIMENSION, MAIN, World, named, stepping, tracking, with};

const NO_TARGET: &str = "service namespace: sagemaker, resource ID: endpoint/Chat/variant/spare, scalable dimension: \
     sagemaker:variant:DesiredInstanceCount";

/// Names the variant that is not registered.
fn spare(more: Value) -> Value {
    with(named(more), json!({"ResourceId": "endpoint/Chat/variant/spare"}))
}

async fn world() -> World {
    let world = World::registered().await;
    world.good("PutScalingPolicy", tracking("tt", 10.0)).await;
    world.good("PutScalingPolicy", stepping("step")).await;
    let action = json!({"ScheduledActionName": "night", "Schedule": "rate(1 day)",
                        "ScalableTargetAction": {"MinCapacity": 1}});
    world.good("PutScheduledAction", named(action)).await;
    world
}

/// Each row: operation, input, code and text. Code is `ValidationException` where the row has none.
async fn check(rows: Vec<(&str, Value, &str)>) {
    let world = world().await;
    let before = format!("{:?}", world.state());
    for (operation, input, expected) in rows {
        let told = world.bad(operation, input.clone()).await;
        let expected = if expected.starts_with('#') {
            expected.replacen('#', "", 1)
        } else {
            format!("ValidationException: {expected}")
        };
        assert_eq!(told, expected, "{operation} {input}");
    }
    assert_eq!(format!("{:?}", world.state()), before);
}

#[tokio::test]
async fn what_is_not_there() {
    let named_policy = |name: &str| json!({"PolicyName": name});
    let rows = [
        (
            "PutScalingPolicy",
            spare(json!({"PolicyName": "p"})),
            format!("#ObjectNotFoundException: No scalable target registered for {NO_TARGET}"),
        ),
        (
            "PutScheduledAction",
            spare(json!({"ScheduledActionName": "a"})),
            format!("#ObjectNotFoundException: No scalable target registered for {NO_TARGET}"),
        ),
        (
            "DeregisterScalableTarget",
            spare(json!({})),
            format!("#ObjectNotFoundException: No scalable target found for {NO_TARGET}"),
        ),
        (
            "DeleteScalingPolicy",
            spare(named_policy("tt")),
            format!(
                "#ObjectNotFoundException: No scaling policy found for {NO_TARGET}, policy name: tt"
            ),
        ),
        (
            "DeleteScheduledAction",
            spare(json!({"ScheduledActionName": "night"})),
            format!(
                "#ObjectNotFoundException: No scheduled action found for {NO_TARGET}, scheduled action name: night"
            ),
        ),
    ];
    check(
        rows.iter()
            .map(|(operation, input, text)| (*operation, input.clone(), text.as_str()))
            .collect(),
    )
    .await;
}

#[tokio::test]
async fn schedules() {
    let put = "PutScheduledAction";
    let changed = |more: Value| {
        let whole = json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)",
                           "ScalableTargetAction": {"MinCapacity": 1}});
        with(named(whole), more)
    };
    let at = |schedule: &str| changed(json!({"Schedule": schedule}));
    check(vec![
        (put, changed(json!({"ScalableTargetAction": null})), "ScalableTargetAction must be set"),
        (
            put,
            changed(json!({"ScalableTargetAction": {}})),
            "At least one of minimum capacity and maximum capacity should be provided",
        ),
        (put, changed(json!({"Schedule": null})), "Schedule must be set"),
        (
            put,
            at("cron(0 0 * * ?)"),
            "Invalid schedule expression. Details: Invalid CRON expression: error at position 9, details: Unexpected \
             end of expression.",
        ),
        (
            put,
            at("cron(0 18 * * * *)"),
            "Invalid schedule expression. Details: Invalid CRON expression: error at position 0, details: Specifying \
             both a day-of-week AND a day-of-month parameter is not supported.",
        ),
        (
            put,
            at("at(2099-02-30T00:00:00)"),
            "Invalid schedule expression. Details: Invalid schedule at DateTime expression: Cannot parse \
             \"2099-02-30T00:00:00\": Value 30 for dayOfMonth must be in the range [1,28]",
        ),
        (
            put,
            at("rate(0 minutes)"),
            "Invalid schedule frequency. Run for '1970-01-01T00:00:00.000Z' and '1970-01-01T00:00:00.000Z' are less \
             than 60 seconds apart",
        ),
        (put, changed(json!({"Timezone": "Mars/Olympus"})), "Invalid schedule timezone: Mars/Olympus"),
        (
            put,
            changed(json!({"Timezone": ""})),
            "1 validation error detected: Value '' at 'timezone' failed to satisfy constraint: Member must have length \
             greater than or equal to 1",
        ),
        (
            put,
            changed(json!({"StartTime": 2_000_000_000, "EndTime": 2_000_000_000})),
            "StartTime must be before EndTime",
        ),
        (
            put,
            changed(json!({"ScalableTargetAction": {"MinCapacity": -1}})),
            "Minimum capacity cannot be less than 0",
        ),
        (
            put,
            changed(json!({"ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 1}})),
            "Maximum capacity cannot be less than minimum capacity",
        ),
    ])
    .await;
}

#[tokio::test]
async fn tags_and_pages() {
    let unknown = "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/\
                   056m00000000000000000000000000000000";
    let space = |more: Value| with(json!({"ServiceNamespace": "sagemaker"}), more);
    let token = "#InvalidNextTokenException: The NextToken value is not valid";
    let negative = "MaxResults cannot be less than 0";
    let not_found = "#ResourceNotFoundException: Scalable Target not found";
    check(vec![
        ("ListTagsForResource", json!({"ResourceARN": unknown}), not_found),
        ("TagResource", json!({"ResourceARN": unknown, "Tags": {"a": "b"}}), not_found),
        ("UntagResource", json!({"ResourceARN": unknown, "TagKeys": ["a"]}), not_found),
        (
            "UntagResource",
            json!({"ResourceARN": unknown, "TagKeys": []}),
            "TagKeys cannot be null or empty",
        ),
        (
            "UntagResource",
            json!({"ResourceARN": unknown}),
            "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
        ),
        ("DescribeScalableTargets", space(json!({"NextToken": "made up"})), token),
        ("DescribeScalingPolicies", space(json!({"NextToken": "made up"})), token),
        ("DescribeScheduledActions", space(json!({"NextToken": "made up"})), token),
        ("DescribeScalingActivities", space(json!({"NextToken": "made up"})), token),
        ("DescribeScalableTargets", space(json!({"MaxResults": -1})), negative),
        ("DescribeScalingPolicies", space(json!({"MaxResults": -1})), negative),
        ("DescribeScheduledActions", space(json!({"MaxResults": -1})), negative),
        (
            "DescribeScalableTargets",
            space(json!({"ScalableDimension": DIMENSION})),
            "Scalable dimension cannot be specified without resource IDs",
        ),
        (
            "DescribeScalingPolicies",
            space(json!({"ScalableDimension": "ecs:service:DesiredCount", "ResourceId": MAIN})),
            "#AccessDeniedException: Account is not authorized",
        ),
    ])
    .await;
    let world = world().await;
    let told = world.bad("ListTagsForResource", json!({"ResourceARN": "arn:aws:s3:::b"})).await;
    assert!(
        told.starts_with(
            "ValidationException: 1 validation error detected: Value 'arn:aws:s3:::b' at 'resourceARN' failed to \
             satisfy constraint: Member must satisfy regular expression pattern: ^arn:.+:application-autoscaling:"
        ),
        "{told}"
    );
}
