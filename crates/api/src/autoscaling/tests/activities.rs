//! What `DescribeScalingActivities` shows (sections 1.4, 5.2 and 5.3).

use domain::scaling::{Activity, ActivityStatus, NotScaled};
use domain::uuid::Uuid;
use serde_json::{Value, json};

use super::{MAIN, SECS, World, key, named, with};

const LIST: &str = "ScalingActivities";
const DESCRIBE: &str = "DescribeScalingActivities";

impl World {
    async fn not_scaled(&self, number: u128, why: NotScaled) {
        let activity = Activity {
            resource: MAIN.parse().unwrap(),
            id: Uuid::from_entropy(number),
            description: "Attempting to scale due to alarm triggered".to_owned(),
            cause: "monitor alarm a in state ALARM triggered policy p".to_owned(),
            started_at: self.cx.clock.now(),
            ended_at: None,
            status: why.status(),
            status_message: None,
            details: None,
            not_scaled: Some(why),
        };
        self.put(activity).await;
    }
}

#[tokio::test]
async fn what_came_to_nothing_is_shown_to_those_who_ask_with_its_reason() {
    let world = World::with_endpoint().await;
    let reasons = [
        (
            NotScaled::AlreadyAtMaxCapacity { max: 4 },
            json!({"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 4}),
        ),
        (
            NotScaled::AlreadyAtMinCapacity { min: 1 },
            json!({"Code": "AlreadyAtMinCapacity", "MinCapacity": 1}),
        ),
        (
            NotScaled::AlreadyAtDesiredCapacity { current: Some(2) },
            json!({"Code": "AlreadyAtDesiredCapacity", "CurrentCapacity": 2}),
        ),
        (
            NotScaled::AlreadyAtDesiredCapacity { current: None },
            json!({"Code": "AlreadyAtDesiredCapacity"}),
        ),
        (
            NotScaled::TargetServicePutResourceAsUnscalable,
            json!({"Code": "TargetServicePutResourceAsUnscalable"}),
        ),
    ];
    for (number, (why, _)) in (0..).zip(&reasons) {
        world.pass(1000);
        world.not_scaled(number, *why).await;
    }
    assert!(world.activities().await.is_empty());
    let all = world.listed(DESCRIBE, LIST, json!({"IncludeNotScaledActivities": true})).await;
    let shown: Vec<&Value> = all.iter().rev().map(|one| &one["NotScaledReasons"][0]).collect();
    assert_eq!(shown, reasons.iter().map(|(_, shown)| shown).collect::<Vec<_>>());
    assert_eq!((all[0].get("EndTime"), all[0].get("StatusMessage")), (None, None));
    assert_eq!(all[4]["StatusCode"], ActivityStatus::Failed.as_str());
}

#[tokio::test]
async fn activities_outlive_their_target_and_end_after_six_weeks() {
    let world = World::with_endpoint().await;
    world.register(3, 4).await;
    world.good("DeregisterScalableTarget", named(json!({}))).await;
    let shown = world.activities().await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["StatusCode"], "Unfulfilled");
    assert_eq!(shown[0]["StartTime"], SECS);
    let six_weeks = 6 * 7 * 24 * 3600 * 1000;
    world.pass(six_weeks);
    assert_eq!(world.activities().await.len(), 1);
    world.pass(1);
    assert!(world.activities().await.is_empty());
}

#[tokio::test]
async fn the_newest_come_first_and_a_negative_page_is_empty() {
    let world = World::with_endpoint().await;
    for number in 0..60 {
        world.pass(1000);
        world.not_scaled(number, NotScaled::AlreadyAtMinCapacity { min: 1 }).await;
    }
    let asked = |more: Value| {
        let input = json!({"ServiceNamespace": "sagemaker", "ResourceId": MAIN, "IncludeNotScaledActivities": true});
        with(input, more)
    };
    let first = world.good(DESCRIBE, asked(json!({}))).await;
    // Seconds since the first of them.
    let times = |page: &Value| -> Vec<f64> {
        let shown = page[LIST].as_array().unwrap().iter();
        shown.map(|one| one["StartTime"].as_f64().unwrap() - SECS).collect()
    };
    let down = |from: u32, to: u32| (to..=from).rev().map(f64::from).collect::<Vec<_>>();
    assert_eq!(times(&first), down(60, 11));
    // What comes in between moves nothing.
    world.pass(1000);
    world.not_scaled(99, NotScaled::AlreadyAtMinCapacity { min: 1 }).await;
    let second = world.good(DESCRIBE, asked(json!({"NextToken": first["NextToken"]}))).await;
    assert_eq!(times(&second), down(10, 1));
    assert_eq!(second.get("NextToken"), None);
    let other = json!({"NextToken": first["NextToken"], "IncludeNotScaledActivities": false});
    let told = world.bad(DESCRIBE, asked(other)).await;
    assert_eq!(told, "InvalidNextTokenException: The NextToken value is not valid");
    let none = world.good(DESCRIBE, asked(json!({"MaxResults": -1}))).await;
    assert_eq!((&none[LIST], none.get("NextToken")), (&json!([]), None));
    assert_eq!(world.state().activities_of(&key()).count(), 61);
}
