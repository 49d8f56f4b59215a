//! Tags of scalable targets.

use serde_json::{Value, json};

use super::{World, named};

async fn tags(world: &World, arn: &Value) -> Value {
    world.good("ListTagsForResource", json!({"ResourceARN": arn})).await["Tags"].clone()
}

#[tokio::test]
async fn tags_are_added_by_key_and_go_with_their_target() {
    let world = World::with_endpoint().await;
    let new = json!({"MinCapacity": 1, "MaxCapacity": 4, "Tags": {"a": "1", "b": "2"}});
    let arn = world.good("RegisterScalableTarget", named(new)).await["ScalableTargetARN"].clone();
    assert_eq!(tags(&world, &arn).await, json!({"a": "1", "b": "2"}));
    let more = json!({"ResourceARN": arn, "Tags": {"b": "3", "c": ""}});
    assert_eq!(world.good("TagResource", more).await, json!({}));
    let less = json!({"ResourceARN": arn, "TagKeys": ["a", "x"]});
    assert_eq!(world.good("UntagResource", less).await, json!({}));
    assert_eq!(tags(&world, &arn).await, json!({"b": "3", "c": ""}));

    world.good("DeregisterScalableTarget", named(json!({}))).await;
    let gone = world.bad("ListTagsForResource", json!({"ResourceARN": arn})).await;
    assert_eq!(gone, "ResourceNotFoundException: Scalable Target not found");
    let again = world.register(1, 4).await["ScalableTargetARN"].clone();
    assert_ne!(again, arn);
    assert_eq!(tags(&world, &again).await, json!({}));
    assert_eq!(world.state().tagged.size(), 0);
}

#[tokio::test]
async fn a_target_has_at_most_fifty_tags_and_none_of_awss() {
    let world = World::with_endpoint().await;
    let arn = world.register(1, 4).await["ScalableTargetARN"].clone();
    let many = |from: u32, to: u32| -> Value {
        let tags: serde_json::Map<String, Value> =
            (from..to).map(|number| (format!("k{number}"), json!("v"))).collect();
        json!({"ResourceARN": arn, "Tags": tags})
    };
    world.good("TagResource", many(0, 50)).await;
    world.good("TagResource", many(0, 50)).await;
    let told = world.bad("TagResource", many(50, 51)).await;
    assert_eq!(told, "TooManyTagsException: A scalable target has at most 50 tags");
    let input = json!({"ResourceARN": arn, "Tags": {"AWS:k": "v"}});
    let told = world.bad("TagResource", input).await;
    assert_eq!(told, "ValidationException: Tag keys that begin with aws: are reserved");
    assert_eq!(tags(&world, &arn).await.as_object().unwrap().len(), 50);
}
