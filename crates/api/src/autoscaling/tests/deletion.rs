//! What goes with a target, and with its endpoint (promise S9).

use domain::alarm::Alarm;
use domain::endpoint::{Event, Stage};
use serde_json::json;
use store::record::Tagged;

use super::{World, named, stepping, tracking};

/// Both variants registered, with policies of both kinds, a scheduled action, tags, and a user's alarm that drives the
/// step policies of both.
async fn full() -> World {
    let world = World::with_endpoint().await;
    let mut actions = vec!["arn:aws:sns:us-east-1:0:t".to_owned()];
    for variant in ["main", "spare"] {
        let of = |mut input: serde_json::Value| {
            input["ResourceId"] = json!(format!("endpoint/Chat/variant/{variant}"));
            input
        };
        let new = named(json!({"MinCapacity": 1, "MaxCapacity": 4, "Tags": {"a": "b"}}));
        world.good("RegisterScalableTarget", of(new)).await;
        world.good("PutScalingPolicy", of(tracking("tt", 5.0))).await;
        let step = world.good("PutScalingPolicy", of(stepping("step"))).await;
        actions.push(step["PolicyARN"].as_str().unwrap().to_owned());
        let action = json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)",
                            "ScalableTargetAction": {"MinCapacity": 1}});
        world.good("PutScheduledAction", of(named(action))).await;
    }
    let own = world.state().alarms.values().next().map(|alarm| Alarm::clone(alarm)).unwrap();
    let tags = serde_json::from_value(json!({"team": "tide"})).unwrap();
    world.put(Tagged { arn: own.arn(&world.cx.scope), tags }).await;
    let mut config = own.config;
    config.alarm_actions = actions;
    world.put(Alarm::create("mine".into(), config, world.cx.clock.now())).await;
    world
}

/// Targets, policies, scheduled actions, tags, alarms.
fn sizes(world: &World) -> [usize; 5] {
    let state = world.state();
    [
        state.targets.size(),
        state.policies.size(),
        state.scheduled_actions.size(),
        state.tagged.size(),
        state.alarms.size(),
    ]
}

fn actions_of_mine(world: &World) -> Vec<String> {
    world.state().alarms.get("mine").unwrap().config.alarm_actions.clone()
}

#[tokio::test]
async fn a_deregistered_target_takes_all_that_hangs_on_it_and_leaves_the_rest() {
    let world = full().await;
    assert_eq!(sizes(&world), [2, 4, 2, 3, 5]);
    assert_eq!(world.good("DeregisterScalableTarget", named(json!({}))).await, json!({}));
    assert_eq!(sizes(&world), [1, 2, 1, 1, 3]);
    assert_eq!(world.wanted(), 2, "capacity stays");
    assert_eq!(actions_of_mine(&world).len(), 2);
    let state = world.state();
    let told = state.alarm_history.values().filter(|item| item.summary.ends_with(" deleted"));
    assert_eq!(told.count(), 2);
    assert_eq!(state.history_of(&"mine".into()).count(), 1);
    let again = world.bad("DeregisterScalableTarget", named(json!({}))).await;
    assert!(again.starts_with("ObjectNotFoundException: No scalable target found"), "{again}");
}

#[tokio::test]
async fn a_deleted_endpoint_takes_its_targets_in_the_same_decision() {
    let world = full().await;
    world.sagemaker("DeleteEndpoint", json!({"EndpointName": "CHAT"})).await;
    assert_eq!(world.endpoint("Chat").stage, Stage::Deleting);
    assert_eq!(sizes(&world), [0, 0, 0, 0, 1]);
    assert_eq!(actions_of_mine(&world), ["arn:aws:sns:us-east-1:0:t"]);
    let told = world
        .bad("RegisterScalableTarget", named(json!({"MinCapacity": 1, "MaxCapacity": 2})))
        .await;
    assert!(told.contains("Could not find endpoint"), "{told}");
}

#[tokio::test]
async fn a_deletion_that_is_refused_removes_nothing() {
    let world = full().await;
    // The endpoint is busy.
    world.register(3, 4).await;
    let before = sizes(&world);
    let service = &wire::sagemaker::SERVICE;
    let (status, _) = world.call(service, "DeleteEndpoint", json!({"EndpointName": "Chat"})).await;
    assert_eq!((status, sizes(&world)), (400, before));
    // Its end is told when it goes.
    world.event("Chat", Event::Resized).await;
    world.sagemaker("DeleteEndpoint", json!({"EndpointName": "Chat"})).await;
    let shown = world.activities().await;
    assert_eq!((shown.len(), &shown[0]["StatusCode"]), (1, &json!("Successful")));
}
