//! Filters and pages of the Describe operations (sections 1.4, 1.6 and 1.7).

use domain::endpoint::Event;
use serde_json::{Value, json};

use super::{DIMENSION, MAIN, World, named, stepping};

async fn names(
    world: &World,
    operation: &str,
    list: &str,
    name: &str,
    input: Value,
) -> Vec<String> {
    let found = world.listed(operation, list, input).await;
    found.iter().map(|one| one[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_nobody_can_have_registered_is_found_nowhere() {
    let world = World::registered().await;
    world.good("PutScalingPolicy", stepping("p")).await;
    let none = [
        ("sagemaker", None, Some("endpoint/Nobody/variant/main")),
        ("sagemaker", None, Some("no resource of ours")),
        ("sagemaker", Some("sagemaker:inference-component:DesiredCopyCount"), Some(MAIN)),
        ("ecs", Some("ecs:service:DesiredCount"), Some(MAIN)),
        ("ecs", None, None),
    ];
    for (namespace, dimension, resource) in none {
        let one = json!({"ServiceNamespace": namespace, "ScalableDimension": dimension, "ResourceId": resource});
        for (operation, list) in [
            ("DescribeScalingPolicies", "ScalingPolicies"),
            ("DescribeScheduledActions", "ScheduledActions"),
            ("DescribeScalingActivities", "ScalingActivities"),
        ] {
            assert_eq!(world.good(operation, one.clone()).await, json!({list: []}), "{one}");
        }
        let ids = resource.map(|id| vec![id]);
        let many = json!({"ServiceNamespace": namespace, "ScalableDimension": dimension, "ResourceIds": ids});
        let shown = world.good("DescribeScalableTargets", many.clone()).await;
        assert_eq!(shown, json!({"ScalableTargets": []}), "{many}");
    }
    let found =
        json!({"ResourceId": MAIN, "ScalableDimension": DIMENSION, "PolicyNames": ["p", "q"]});
    let list = ("DescribeScalingPolicies", "ScalingPolicies", "PolicyName");
    assert_eq!(names(&world, list.0, list.1, list.2, found).await, ["p"]);
    let other = json!({"PolicyNames": ["q"]});
    assert!(names(&world, list.0, list.1, list.2, other).await.is_empty());
}

#[tokio::test]
async fn policies_come_ten_at_a_time_the_newest_first() {
    let world = World::registered().await;
    for number in 0..23 {
        world.pass(1000);
        world.good("PutScalingPolicy", stepping(&format!("p{number:02}"))).await;
    }
    let expected: Vec<String> = (0..23).rev().map(|number| format!("p{number:02}")).collect();
    // No page has more than ten; an empty one leads nowhere.
    for (size, pages) in
        [(None, vec![10, 10, 3]), (Some(50), vec![10, 10, 3]), (Some(9), vec![9, 9, 5])]
    {
        let (mut all, mut sizes, mut token) = (Vec::new(), Vec::new(), Value::Null);
        loop {
            let input =
                json!({"ServiceNamespace": "sagemaker", "MaxResults": size, "NextToken": token});
            let page = world.good("DescribeScalingPolicies", input).await;
            let shown = page["ScalingPolicies"].as_array().unwrap();
            sizes.push(shown.len());
            all.extend(shown.iter().map(|one| one["PolicyName"].as_str().unwrap().to_owned()));
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!((all, sizes), (expected.clone(), pages), "{size:?}");
    }
    let input = json!({"ServiceNamespace": "sagemaker", "MaxResults": 0});
    let empty = world.good("DescribeScalingPolicies", input).await;
    assert_eq!(empty, json!({"ScalingPolicies": []}));
}

#[tokio::test]
async fn targets_and_actions_are_found_by_name_and_listed_in_order() {
    let world = World::registered().await;
    world.begin("Alone").await;
    world.event("Alone", Event::Deployed).await;
    let ids = ["endpoint/Alone/variant/main", MAIN, "endpoint/Chat/variant/spare"];
    for id in ids {
        let input = json!({"ResourceId": id, "MinCapacity": 1, "MaxCapacity": 4});
        world.good("RegisterScalableTarget", named(input)).await;
        for name in ["evening", "night"] {
            let action = json!({"ResourceId": id, "ScheduledActionName": name, "Schedule": "rate(1 day)",
                                "ScalableTargetAction": {"MinCapacity": 1}});
            world.good("PutScheduledAction", named(action)).await;
        }
    }
    let targets = ("DescribeScalableTargets", "ScalableTargets", "ResourceId");
    assert_eq!(names(&world, targets.0, targets.1, targets.2, json!({})).await, ids);
    let two = json!({"ResourceIds": [ids[2], ids[0], ids[2]], "ScalableDimension": DIMENSION});
    assert_eq!(names(&world, targets.0, targets.1, targets.2, two).await, [ids[0], ids[2]]);
    let actions = ("DescribeScheduledActions", "ScheduledActions");
    let night = json!({"ScheduledActionNames": ["night"]});
    assert_eq!(names(&world, actions.0, actions.1, "ResourceId", night).await, ids);
    let of_main = json!({"ResourceId": MAIN});
    assert_eq!(
        names(&world, actions.0, actions.1, "ScheduledActionName", of_main).await,
        ["evening", "night"]
    );
    let first = json!({"ServiceNamespace": "sagemaker", "MaxResults": 4});
    let first = world.good(actions.0, first).await;
    let rest = json!({"NextToken": first["NextToken"]});
    assert_eq!(names(&world, actions.0, actions.1, "ResourceId", rest).await, [ids[2], ids[2]]);
}
