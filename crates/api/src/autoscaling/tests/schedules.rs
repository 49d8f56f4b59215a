//! Scheduled actions (sections 1.6 and 4).

use serde_json::{Value, json};

use super::{DIMENSION, MAIN, SECS, World, named, with};

fn action(more: Value) -> Value {
    with(named(json!({"ScheduledActionName": "night"})), more)
}

#[tokio::test]
async fn an_update_keeps_the_schedule_clears_the_times_and_replaces_the_action_whole() {
    let world = World::registered().await;
    let first = json!({"Schedule": "cron(0 18 ? * MON-FRI *)", "Timezone": "Europe/Paris", "StartTime": 1_800_000_000,
                       "EndTime": 1_900_000_000.5, "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 3}});
    assert_eq!(world.good("PutScheduledAction", action(first)).await, json!({}));
    let id = world.target().id;
    let mut expected = json!({
        "ScheduledActionName": "night", "ServiceNamespace": "sagemaker", "ResourceId": MAIN,
        "ScalableDimension": DIMENSION, "CreationTime": SECS,
        "ScheduledActionARN": format!("arn:aws:autoscaling:us-east-1:000000000000:scheduledAction:{id}:\
                                       resource/sagemaker/{MAIN}:scheduledActionName/night"),
        "Schedule": "cron(0 18 ? * MON-FRI *)", "Timezone": "Europe/Paris", "StartTime": 1_800_000_000.0,
        "EndTime": 1_900_000_000.5, "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 3},
    });
    assert_eq!(world.actions().await, [expected.clone()]);
    world.pass(5000);
    let update = json!({"ScalableTargetAction": {"MinCapacity": 2}});
    world.good("PutScheduledAction", action(update)).await;
    expected["ScalableTargetAction"] = json!({"MinCapacity": 2});
    for cleared in ["StartTime", "EndTime"] {
        expected.as_object_mut().unwrap().remove(cleared);
    }
    assert_eq!(world.actions().await, [expected]);
    assert_eq!(world.targets().await[0]["MinCapacity"], 1, "nothing happens before its time");
}

#[tokio::test]
async fn what_is_past_or_spelled_in_the_singular_is_accepted() {
    let world = World::registered().await;
    for schedule in ["at(2001-02-03T04:05:06)", "rate(1 days)", "rate(5 minute)"] {
        let input =
            action(json!({"Schedule": schedule, "ScalableTargetAction": {"MaxCapacity": 9}}));
        world.good("PutScheduledAction", input).await;
        assert_eq!(world.actions().await[0]["Schedule"], schedule);
    }
}

#[tokio::test]
async fn an_action_is_deleted_once() {
    let world = World::registered().await;
    let given = json!({"Schedule": "rate(1 hour)", "ScalableTargetAction": {"MinCapacity": 1}});
    world.good("PutScheduledAction", action(given)).await;
    assert_eq!(world.good("DeleteScheduledAction", action(json!({}))).await, json!({}));
    assert!(world.actions().await.is_empty());
    let again = world.bad("DeleteScheduledAction", action(json!({}))).await;
    assert!(again.starts_with("ObjectNotFoundException: No scheduled action found"), "{again}");
}
