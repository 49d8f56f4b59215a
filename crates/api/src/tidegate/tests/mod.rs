//! Operations through the wire.

mod updates;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::endpoint::Event;
use domain::instance::{DeploymentId, FleetId, InstanceId, Observed, Phase};
use domain::metric::{Distribution, INVOCATIONS, MetricId, Unit};
use domain::name::{EndpointKey, EndpointName};
use domain::scaling::{Decision, Hold, Outcome, Recent, ScaledIn, Target, TargetKey};
use domain::time::{Clock, Timestamp};
use http::Request;
use metrics::{Resolution, Sample, SeriesKey};
use serde_json::{Value, json};
use store::record::Record;
use store::{Changes, State};
use wire::Service;

use crate::{Context, Live, Running, testing};

/// Noon of a day, 30 s into a minute.
const NOW: i64 = 1_767_268_830_000;
const MINUTE: i64 = 60_000;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        now()
    }

    fn wall(&self) -> Timestamp {
        now()
    }
}

/// Two instances, and a decision that was made three times.
#[derive(Debug)]
struct Busy;

impl Live for Busy {
    fn instances(&self, endpoint: &EndpointName) -> Vec<Running> {
        let instance = |variant: &str, id: u128, phase| Running {
            observed: Observed {
                id: InstanceId::from_entropy(id),
                fleet: FleetId {
                    endpoint: endpoint.clone(),
                    deployment: DeploymentId(1),
                    variant: variant.parse().unwrap(),
                },
                phase,
            },
            in_flight: 3,
            cpu: Some(Duration::from_millis(1500)),
            memory_bytes: None,
        };
        vec![instance("spare", 1, Phase::Starting), instance("main", 2, Phase::Stopping)]
    }

    fn decisions(&self, _target: &TargetKey) -> Vec<Recent> {
        let decision = Decision {
            at: now(),
            capacity: Some(2),
            outcome: Outcome::Held(Hold::NoValue),
            considered: Vec::new(),
        };
        vec![Recent {
            since: Timestamp::from_millis(NOW - 2 * MINUTE),
            times: 3,
            decision,
            refused: None,
        }]
    }
}

struct World(Context);

impl World {
    /// An endpoint `Chat` with two instances of `main` and one of `spare`.
    async fn new() -> Self {
        let world = Self(Context { live: Arc::new(Busy), ..testing::context(Arc::new(Noon)) });
        let variant = |name: &str, count: u32| {
            json!({"VariantName": name, "ModelName": "m", "InstanceType": "ml.m5.large",
                   "InitialInstanceCount": count, "InitialVariantWeight": 1})
        };
        let container = json!({"ModelName": "m", "PrimaryContainer": {"Image": "tidegate/echo"}});
        world.sagemaker("CreateModel", container).await;
        let variants = json!([variant("main", 2), variant("spare", 1)]);
        let config = json!({"EndpointConfigName": "c", "ProductionVariants": variants});
        world.sagemaker("CreateEndpointConfig", config).await;
        let input = json!({"EndpointName": "Chat", "EndpointConfigName": "c"});
        world.sagemaker("CreateEndpoint", input).await;
        world
    }

    async fn in_service() -> Self {
        let world = Self::new().await;
        let key = EndpointKey::from(&"Chat".parse::<EndpointName>().unwrap());
        let endpoint = Arc::clone(world.0.store.state().endpoints.get(&key).unwrap());
        world.put(endpoint.after(Event::Deployed, now()).unwrap()).await;
        world
    }

    /// `main` registered between one and four, with a policy that keeps 10 invocations a minute.
    async fn scaled() -> Self {
        let world = Self::in_service().await;
        world.scaling("RegisterScalableTarget", json!({"MinCapacity": 1, "MaxCapacity": 4})).await;
        let metric = json!({"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"});
        let policy = json!({"PolicyName": "p", "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 10.0, "PredefinedMetricSpecification": metric}});
        world.scaling("PutScalingPolicy", policy).await;
        world
    }

    async fn put(&self, record: impl Record) {
        let changes = Changes::none().put(record);
        self.0.store.submit(Box::new(|_: &State| changes)).await.unwrap();
    }

    /// Invocations per instance in the minute that began so many minutes before this one.
    async fn saw(&self, minutes_ago: i64, value: f64) {
        let metric = MetricId::of_variant(
            INVOCATIONS,
            "InvocationsPerInstance",
            &"Chat".parse().unwrap(),
            &"main".parse().unwrap(),
        );
        let series = SeriesKey { metric, unit: Unit::None, resolution: Resolution::Minute };
        let at = Timestamp::from_millis(NOW - minutes_ago * MINUTE);
        let sample = Sample { series, at, values: Distribution::of(value, 1.0) };
        self.0.metrics.put(vec![sample]).await.unwrap();
    }

    async fn json(&self, service: &'static Service, operation: &str, input: Value) -> Value {
        let request = Request::post("/")
            .header("x-amz-target", format!("{}.{operation}", service.target_prefix))
            .header("content-type", "application/x-amz-json-1.1")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let call = wire::route(service, &parts, &Bytes::from(input.to_string())).unwrap();
        let response = crate::serve(&self.0, &call, "id").await;
        assert_eq!(response.status(), 200, "{operation}: {:?}", response.body());
        serde_json::from_slice(response.body()).unwrap_or(Value::Null)
    }

    async fn sagemaker(&self, operation: &str, input: Value) -> Value {
        self.json(&wire::sagemaker::SERVICE, operation, input).await
    }

    async fn scaling(&self, operation: &str, mut input: Value) {
        input["ServiceNamespace"] = json!("sagemaker");
        input["ResourceId"] = json!("endpoint/Chat/variant/main");
        input["ScalableDimension"] = json!("sagemaker:variant:DesiredInstanceCount");
        self.json(&wire::application_autoscaling::SERVICE, operation, input).await;
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.at(&format!("/tidegate/v1/endpoints/{path}")).await
    }

    async fn at(&self, path: &str) -> (u16, Value) {
        self.sent(Request::get(path)).await
    }

    async fn post(&self, path: &str) -> (u16, Value) {
        self.sent(Request::post(path)).await
    }

    async fn sent(&self, request: http::request::Builder) -> (u16, Value) {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let response = match wire::route(&wire::tidegate::SERVICE, &parts, &Bytes::new()) {
            Ok(call) => crate::serve(&self.0, &call, "id").await,
            Err(rejection) => rejection.respond("id"),
        };
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    async fn explain(&self) -> Value {
        let (status, body) = self.get("Chat/variants/main/scaling").await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_is() {
    let world = World::new().await;
    for (path, status, text) in [
        ("nobody/variants/main/scaling", 404, "There is no endpoint nobody."),
        ("Chat/variants/x/scaling", 404, "Endpoint Chat has no variant x; it has: main, spare."),
        ("nobody/instances", 404, "There is no endpoint nobody."),
    ] {
        let (found, body) = world.get(path).await;
        assert_eq!((found, body["Message"].as_str().unwrap_or_default()), (status, text), "{body}");
    }
    let (status, body) = world.get("-bad-/instances").await;
    assert_eq!(status, 400, "{body}");
}

#[tokio::test]
async fn a_variant_that_is_not_registered_says_who_changes_its_count() {
    let shown = World::in_service().await.explain().await;
    assert_eq!(
        shown["Summary"],
        "The variant is not registered as a scalable target, so that nothing scales it: it keeps its 2 instances until \
         UpdateEndpoint or UpdateEndpointWeightsAndCapacities changes them."
    );
    assert_eq!(
        (&shown["Target"], &shown["Policies"], &shown["Decisions"]),
        (&Value::Null, &json!([]), &json!([]))
    );
    assert_eq!(
        (&shown["CurrentInstanceCount"], &shown["DesiredInstanceCount"]),
        (&json!(2), &json!(2))
    );
    // Names of endpoints are told apart by more than case, and answers have the endpoint's own.
    let world = World::new().await;
    let (status, shown) = world.get("chat/variants/main/scaling").await;
    assert_eq!((status, &shown["EndpointStatus"]), (200, &json!("Creating")));
    assert_eq!(shown["ResourceId"], "endpoint/Chat/variant/main");
}

#[tokio::test]
async fn alarms_tell_the_datapoints_that_they_look_at_and_what_they_wait_for() {
    let world = World::scaled().await;
    for (minutes_ago, value) in [(4, 99.0), (3, 8.0), (2, 12.0), (1, 14.5), (0, 50.0)] {
        world.saw(minutes_ago, value).await;
    }
    let shown = world.explain().await;
    assert_eq!(shown["Target"]["MaxCapacity"], 4);
    let policy = &shown["Policies"][0];
    assert_eq!((&policy["PolicyName"], &policy["ScaleInCooldown"]), (&json!("p"), &json!(300)));
    let (high, low) = (&policy["Alarms"][0], &policy["Alarms"][1]);
    assert_eq!((&high["Side"], &high["State"]), (&json!("High"), &json!("INSUFFICIENT_DATA")));
    // The minute that is under way does not count.
    let values: Vec<_> = high["Datapoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["Value"].as_f64())
        .collect();
    assert_eq!(values, [Some(14.5), Some(12.0), Some(8.0)]);
    let text = high["Summary"].as_str().unwrap();
    assert!(
        text.ends_with(
            "The last 3 periods of 60 s, newest first: 14.5, 12.0, 8.0. One more period like that, 60 s, would set it off."
        ),
        "{text}"
    );
    assert_eq!(low["Datapoints"].as_array().unwrap().len(), 15);
    assert_eq!(low["Datapoints"][14].get("Value"), None, "no data is no value");
    let text = low["Summary"].as_str().unwrap();
    assert!(
        text.contains(
            "The last 5 of 15 periods of 60 s, newest first: 14.5, 12.0, 8.0, 99.0, none."
        ),
        "{text}"
    );
    assert!(
        text.ends_with("It would take 15 more periods beyond the threshold, 900 s, to set it off."),
        "{text}"
    );
}

#[tokio::test]
async fn cooldowns_decisions_and_schedules_are_told() {
    let world = World::scaled().await;
    let schedule = json!({"ScheduledActionName": "night", "Schedule": "rate(1 day)",
                          "ScalableTargetAction": {"MinCapacity": 1}});
    world.scaling("PutScheduledAction", schedule).await;
    let target = world.0.store.state().targets.values().next().map(|target| Target::clone(target));
    let mut target = target.unwrap();
    target.memory.scaled_in = Some(ScaledIn { at: now(), cooldown_secs: 300 });
    world.put(target).await;
    let shown = world.explain().await;
    let cooldown = &shown["Cooldowns"][0];
    let until = json!((NOW + 5 * MINUTE) / 1000);
    assert_eq!(cooldown["Direction"], "In");
    assert_eq!(cooldown["Until"].as_f64(), until.as_f64(), "{shown}");
    let decision = &shown["Decisions"][0];
    assert_eq!((&decision["Outcome"], &decision["From"]), (&json!("Hold"), &json!(2)));
    assert_eq!((decision.get("To"), decision.get("Wanted")), (None, None));
    let text = decision["Summary"].as_str().unwrap();
    assert!(text.ends_with("The same came out 3 times in 120 s."), "{text}");
    let action = &shown["ScheduledActions"][0];
    assert_eq!(action["Schedule"], "rate(1 day)");
    assert!(action["NextRun"].as_f64().is_some_and(|next| next > 1_767_268_830.0), "{action}");
}

#[tokio::test]
async fn instances_come_by_variant() {
    let (status, body) = World::in_service().await.get("chat/instances").await;
    assert_eq!(status, 200, "{body}");
    let rows = body["Instances"].as_array().unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row["VariantName"].as_str(), row["Phase"].as_str(), row["InFlight"].as_i64()))
        .collect();
    assert_eq!(
        told,
        [(Some("main"), Some("Stopping"), Some(3)), (Some("spare"), Some("Starting"), Some(3))]
    );
}
