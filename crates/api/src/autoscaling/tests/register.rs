//! Registration: what is kept, how updates merge, and how a capacity outside the bounds is moved (section 1.6).

use domain::endpoint::{Event, Stage};
use serde_json::{Value, json};

use super::{DIMENSION, MAIN, SECS, World, named};

#[tokio::test]
async fn a_target_comes_back_with_all_that_aws_shows() {
    let world = World::with_endpoint().await;
    let arn = world.register(1, 4).await["ScalableTargetARN"].clone();
    assert!(arn.as_str().unwrap().starts_with(
        "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/056m"
    ));
    assert_eq!(
        world.targets().await,
        [json!({
            "ServiceNamespace": "sagemaker", "ResourceId": MAIN, "ScalableDimension": DIMENSION,
            "MinCapacity": 1, "MaxCapacity": 4, "CreationTime": SECS, "ScalableTargetARN": arn,
            "RoleARN": "arn:aws:iam::000000000000:role/aws-service-role/\
                        sagemaker.application-autoscaling.amazonaws.com/\
                        AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            "SuspendedState": {"DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false,
                               "ScheduledScalingSuspended": false},
        })]
    );
    assert!(world.activities().await.is_empty());
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let world = World::registered().await;
    let before = world.targets().await.remove(0);
    let updates = [
        (json!({}), 1, 4, [false, false, false]),
        (json!({"MinCapacity": null, "SuspendedState": {}}), 1, 4, [false, false, false]),
        (json!({"MaxCapacity": 6}), 1, 6, [false, false, false]),
        (
            json!({"SuspendedState": {"ScheduledScalingSuspended": true}}),
            1,
            6,
            [false, false, true],
        ),
        (
            json!({"MinCapacity": 0, "SuspendedState": {"DynamicScalingInSuspended": true},
                   "RoleARN": "arn:aws:iam::000000000000:role/nobody"}),
            0,
            6,
            [true, false, true],
        ),
        (
            json!({"SuspendedState": {"ScheduledScalingSuspended": false}}),
            0,
            6,
            [true, false, false],
        ),
    ];
    for (update, min, max, [inwards, outwards, scheduled]) in updates {
        world.pass(1000);
        world.good("RegisterScalableTarget", named(update.clone())).await;
        let mut expected = before.clone();
        (expected["MinCapacity"], expected["MaxCapacity"]) = (json!(min), json!(max));
        expected["SuspendedState"] = json!({"DynamicScalingInSuspended": inwards,
            "DynamicScalingOutSuspended": outwards, "ScheduledScalingSuspended": scheduled});
        assert_eq!(world.targets().await, [expected], "{update}");
    }
}

#[tokio::test]
async fn a_capacity_outside_the_bounds_is_moved_the_way_of_every_change() {
    for (min, max, wanted, cause) in [
        (3, 4, 3, "minimum capacity was set to 3"),
        (0, 1, 1, "maximum capacity was set to 1"),
        // SageMaker runs no variant without instances.
        (0, 0, 1, "maximum capacity was set to 0"),
    ] {
        let world = World::with_endpoint().await;
        world.register(min, max).await;
        assert_eq!((world.wanted(), world.endpoint("Chat").stage), (wanted, Stage::Resizing));
        let activity = world.activities().await.remove(0);
        assert_eq!(activity["Description"], format!("Setting desired instance count to {wanted}."));
        assert_eq!(
            (&activity["Cause"], &activity["StatusCode"]),
            (&json!(cause), &json!("InProgress"))
        );
        assert_eq!(
            activity["StatusMessage"],
            format!(
                "Successfully set desired instance count to {wanted}. Waiting for change to be fulfilled by sagemaker."
            )
        );
        assert_eq!(activity.get("EndTime"), None);
    }
}

#[tokio::test]
async fn the_next_registration_tells_the_end_of_the_change_before() {
    let world = World::with_endpoint().await;
    world.register(3, 4).await;
    // Another change waits for no one: while the first is under way, the bounds change and the capacity does not.
    world.register(4, 4).await;
    assert_eq!((world.wanted(), world.activities().await.len()), (3, 1));
    world.event("Chat", Event::Resized).await;
    world.pass(1000);
    world.good("RegisterScalableTarget", named(json!({}))).await;
    let shown: Vec<_> = world.activities().await;
    let of = |name: &str| shown.iter().map(|one| one[name].clone()).collect::<Vec<Value>>();
    assert_eq!(of("StatusCode"), [json!("InProgress"), json!("Successful")]);
    assert_eq!(
        of("Cause"),
        [json!("minimum capacity was set to 4"), json!("minimum capacity was set to 3")]
    );
    assert_eq!((world.wanted(), shown[1]["EndTime"].is_number()), (4, true));
}

#[tokio::test]
async fn a_fleet_beyond_the_limit_is_registered_and_its_activity_says_why_it_does_not_grow() {
    let world = World::with_endpoint().await;
    world.register(20, 30).await;
    assert_eq!((world.wanted(), world.endpoint("Chat").stage), (2, Stage::InService));
    let activity = world.activities().await.remove(0);
    assert_eq!(activity["StatusCode"], "Failed");
    let message = activity["StatusMessage"].as_str().unwrap();
    assert!(
        message.starts_with(
            "Failed to set desired instance count to 20. Reason: The account-level service limit"
        ),
        "{message}"
    );
    assert_eq!(world.targets().await[0]["MinCapacity"], 20);
}

#[tokio::test]
async fn an_endpoint_that_is_being_created_can_be_registered_and_is_left_alone() {
    let world = World::new();
    world.begin("Chat").await;
    world.register(3, 4).await;
    assert_eq!(world.endpoint("Chat").stage, Stage::Creating);
    assert!(world.activities().await.is_empty());
    world.event("Chat", Event::Deployed).await;
    world.good("RegisterScalableTarget", named(json!({}))).await;
    assert_eq!(world.wanted(), 3);
}

#[tokio::test]
async fn a_target_is_known_by_its_endpoint_whatever_the_case_and_shown_as_the_endpoint_is_spelled()
{
    let world = World::with_endpoint().await;
    let shouted = "endpoint/CHAT/variant/main";
    let input = json!({"ResourceId": shouted, "MinCapacity": 1, "MaxCapacity": 2});
    world.good("RegisterScalableTarget", named(input)).await;
    world.register(1, 3).await;
    let input = json!({"ResourceIds": [shouted, MAIN]});
    let shown = world.listed("DescribeScalableTargets", "ScalableTargets", input).await;
    assert_eq!((shown.len(), &shown[0]["ResourceId"]), (1, &json!(MAIN)));
    assert_eq!(shown[0]["MaxCapacity"], 3);
}
