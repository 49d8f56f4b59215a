//! Operations through the wire: what comes back, what is left behind, and AWS's words where something does not go.

mod activities;
mod deletion;
mod hostile;
mod pages;
mod policies;
mod refusals;
mod register;
mod schedules;
mod tags;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bytes::Bytes;
use domain::endpoint::{Endpoint, Event};
use domain::name::EndpointKey;
use domain::scaling::{ResourceId, Target, TargetKey};
use domain::time::{Clock, Timestamp};
use http::Request;
use serde_json::{Value, json};
use store::record::Record;
use store::{Changes, State};
use wire::Service;

use crate::{Context, testing};

/// The resource that most tests are about, with a variant `main` of two instances.
const MAIN: &str = "endpoint/Chat/variant/main";
const DIMENSION: &str = "sagemaker:variant:DesiredInstanceCount";
/// When every world begins, in seconds as answers have them.
const SECS: f64 = 1_767_225_600.0;

/// A clock that stands still until it is moved.
#[derive(Debug)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

struct World {
    cx: Context,
    hands: Arc<Hands>,
}

impl World {
    /// An empty server, which runs up to eight instances.
    fn new() -> Self {
        let hands = Arc::new(Hands(AtomicI64::new(1_767_225_600_000)));
        let drawn = AtomicU64::new(0);
        let cx = Context {
            entropy: Arc::new(move || drawn.fetch_add(1, Ordering::Relaxed).into()),
            ..testing::context(Arc::clone(&hands) as Arc<dyn Clock>)
        };
        Self { cx, hands }
    }

    /// With an endpoint `Chat` that serves: `main` and `spare` can be scaled, `burst` cannot.
    async fn with_endpoint() -> Self {
        let world = Self::new();
        world.begin("Chat").await;
        world.event("Chat", Event::Deployed).await;
        world
    }

    /// With `main` registered between one and four.
    async fn registered() -> Self {
        let world = Self::with_endpoint().await;
        world.register(1, 4).await;
        world
    }

    async fn register(&self, min: i32, max: i32) -> Value {
        let input = named(json!({"MinCapacity": min, "MaxCapacity": max}));
        self.good("RegisterScalableTarget", input).await
    }

    /// An endpoint that is being created.
    async fn begin(&self, name: &str) {
        let variant = |name: &str, kind: &str, count: u32| {
            json!({"VariantName": name, "ModelName": "m", "InstanceType": kind, "InitialInstanceCount": count,
                   "InitialVariantWeight": 1})
        };
        let variants = json!([
            variant("main", "ml.m5.large", 2),
            variant("spare", "ml.m5.large", 1),
            variant("burst", "ml.t2.medium", 1)
        ]);
        let (model, config) =
            (json!({"ModelName": "m", "PrimaryContainer": {"Image": "tidegate/echo"}}), name);
        self.call(&wire::sagemaker::SERVICE, "CreateModel", model).await;
        self.sagemaker(
            "CreateEndpointConfig",
            json!({"EndpointConfigName": config, "ProductionVariants": variants}),
        )
        .await;
        let input = json!({"EndpointName": name, "EndpointConfigName": config});
        self.sagemaker("CreateEndpoint", input).await;
    }

    /// What the control loop would do: an endpoint moves on.
    async fn event(&self, name: &str, event: Event) {
        let after = self.endpoint(name).after(event, self.cx.clock.now()).unwrap();
        self.put(after).await;
    }

    async fn put(&self, record: impl Record) {
        let changes = Changes::none().put(record);
        self.cx.store.submit(Box::new(|_: &State| changes)).await.unwrap();
    }

    fn pass(&self, millis: i64) {
        self.hands.0.fetch_add(millis, Ordering::Relaxed);
    }

    fn state(&self) -> Arc<State> {
        self.cx.store.state()
    }

    fn endpoint(&self, name: &str) -> Endpoint {
        let key = EndpointKey::from(&name.parse().unwrap());
        Endpoint::clone(self.state().endpoints.get(&key).unwrap())
    }

    /// The instances that `main` is wanted to have.
    fn wanted(&self) -> u32 {
        let live = self.endpoint("Chat").live.unwrap();
        live.fleet(&"main".parse().unwrap()).unwrap().desired_count
    }

    fn target(&self) -> Target {
        Target::clone(self.state().targets.get(&key()).unwrap())
    }

    async fn call(&self, service: &'static Service, operation: &str, input: Value) -> (u16, Value) {
        let request = Request::post("/")
            .header("x-amz-target", format!("{}.{operation}", service.target_prefix))
            .header("content-type", "application/x-amz-json-1.1")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let response = match wire::route(service, &parts, &Bytes::from(input.to_string())) {
            Ok(call) => crate::serve(&self.cx, &call, "id").await,
            Err(rejection) => rejection.respond("id"),
        };
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    async fn sagemaker(&self, operation: &str, input: Value) -> Value {
        let (status, body) = self.call(&wire::sagemaker::SERVICE, operation, input).await;
        assert_eq!(status, 200, "{operation}: {body}");
        body
    }

    async fn good(&self, operation: &str, input: Value) -> Value {
        let service = &wire::application_autoscaling::SERVICE;
        let (status, body) = self.call(service, operation, input).await;
        assert_eq!(status, 200, "{operation}: {body}");
        body
    }

    /// The error's code and text.
    async fn bad(&self, operation: &str, input: Value) -> String {
        let service = &wire::application_autoscaling::SERVICE;
        let (status, body) = self.call(service, operation, input).await;
        assert_eq!(status, 400, "{operation}: {body}");
        let text = body["Message"].as_str().or_else(|| body["message"].as_str());
        format!("{}: {}", body["__type"].as_str().unwrap(), text.unwrap())
    }

    /// One list of a Describe call.
    async fn listed(&self, operation: &str, list: &str, mut input: Value) -> Vec<Value> {
        input["ServiceNamespace"] = json!("sagemaker");
        let mut shown = self.good(operation, input).await;
        serde_json::from_value(shown[list].take()).unwrap()
    }

    async fn targets(&self) -> Vec<Value> {
        self.listed("DescribeScalableTargets", "ScalableTargets", json!({})).await
    }

    async fn policies(&self) -> Vec<Value> {
        self.listed("DescribeScalingPolicies", "ScalingPolicies", json!({})).await
    }

    async fn actions(&self) -> Vec<Value> {
        self.listed("DescribeScheduledActions", "ScheduledActions", json!({})).await
    }

    async fn activities(&self) -> Vec<Value> {
        self.listed("DescribeScalingActivities", "ScalingActivities", json!({})).await
    }
}

fn key() -> TargetKey {
    TargetKey::from(&MAIN.parse::<ResourceId>().unwrap())
}

/// The three members that name [`MAIN`], and more; what `more` has wins.
fn named(more: Value) -> Value {
    let input = json!({"ServiceNamespace": "sagemaker", "ResourceId": MAIN, "ScalableDimension": DIMENSION});
    with(input, more)
}

/// An input with more members, or with others in their place.
fn with(mut input: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("not members: {more}") };
    input.as_object_mut().unwrap().extend(more);
    input
}

/// A target tracking policy of a predefined metric.
fn tracking(name: &str, value: f64) -> Value {
    named(json!({
        "PolicyName": name, "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
    }))
}

fn stepping(name: &str) -> Value {
    named(json!({
        "PolicyName": name, "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        },
    }))
}
