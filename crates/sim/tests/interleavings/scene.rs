//! The world in which clients act, and what they act upon.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::Context;
use control::task::fleets::{self, Fleets};
use control::task::scale::{self, Scaling};
use domain::endpoint::Stage::Deleting;
use domain::name::{EndpointKey, EndpointName};
use domain::scaling::{DIMENSION, NAMESPACE};
use domain::time::Clock;
use runtime::fake::FakeDriver;
use serde_json::{Value, json};
use sim::interleave::Call;
use sim::{Caller, World};
use store::{Decision, State, Store};
use wire::{Service, application_autoscaling, cloudwatch, iam, sagemaker};

use crate::acts::{Act, By};

/// What the endpoint `e` looks like when the clients begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// In service, without scaling.
    Plain,
    /// In service; its variant `a` is registered, with everything that a target may have.
    Scaled,
    /// The same, and a scheduled action of it is due.
    Due,
    /// The same as `Scaled`, and another model is being deployed.
    Updating,
    /// Scaled, and not there any more but for its record: its instances are leaving.
    Leaving,
}

pub(crate) struct Scene {
    pub(crate) world: World,
    root: Caller,
    ann: Caller,
    /// When nothing was in motion yet.
    settled: Arc<State>,
}

/// A store of one state, in which nobody decides.
#[derive(Debug)]
struct Frozen(Arc<State>);

impl Store for Frozen {
    fn state(&self) -> Arc<State> {
        Arc::clone(&self.0)
    }

    fn submit(
        &self,
        _decision: Decision,
    ) -> Pin<Box<dyn Future<Output = Result<(), store::Error>> + Send + '_>> {
        Box::pin(async { Err(store::Error::Stopped) })
    }
}

impl Scene {
    pub(crate) fn new(setting: Setting) -> Self {
        let mut world = World::new().unwrap();
        hosting(&mut world);
        people(&mut world);
        scale(&mut world, "f");
        if setting != Setting::Plain {
            scale(&mut world, "e");
        }
        let (root, ann) = (world.root(), world.user("ann").unwrap());
        let settled = world.state();
        let endpoint = json!({"EndpointName": "e"});
        match setting {
            Setting::Plain | Setting::Scaled => {}
            // A minute in which no loop runs.
            Setting::Due => world.clock.advance(Duration::from_mins(1)),
            Setting::Updating => {
                let input = json!({"EndpointName": "e", "EndpointConfigName": "model"});
                done(&world, &root, &sagemaker::SERVICE, "UpdateEndpoint", &input);
            }
            Setting::Leaving => {
                done(&world, &root, &sagemaker::SERVICE, "DeleteEndpoint", &endpoint);
            }
        }
        world.clock.advance(Duration::from_millis(1));
        // The use of a key is noted by the first call with it.
        done(&world, &ann, &sagemaker::SERVICE, "ListModels", &json!({}));
        Self { world, root, ann, settled }
    }

    /// Whether `e` has a target to begin with.
    pub(crate) fn is_scaled(&self) -> bool {
        let state = self.world.state();
        state.targets_of(&EndpointKey::from(&"e".parse::<EndpointName>().unwrap())).next().is_some()
    }

    /// What the clients of one run call.
    pub(crate) fn clients(&self, programs: &[Vec<Act>]) -> Vec<Vec<Call>> {
        let programs = programs.iter().enumerate();
        programs
            .map(|(client, acts)| {
                let calls = acts.iter().enumerate();
                calls.map(|(call, act)| self.call(act, client * 8 + call + 1)).collect()
            })
            .collect()
    }

    /// The `seed` makes the call's ids its own, and the same in every run.
    fn call(&self, act: &Act, seed: usize) -> Call {
        let label = act.label();
        let entropy = entropy(seed);
        match act {
            Act::Api { by, call, .. } => {
                let caller = if *by == By::Root { &self.root } else { &self.ann };
                let context = self.world.context(caller, self.world.store(), entropy);
                let call = Arc::clone(call);
                Call::new(&label, true, move |store| {
                    let (context, call) = (Context { store, ..context.clone() }, Arc::clone(&call));
                    Box::pin(async move {
                        let response = api::serve(&context, &call, "request").await;
                        let text = String::from_utf8_lossy(response.body()).into_owned();
                        format!("{} {text}", response.status().as_u16())
                    })
                })
            }
            Act::Fleets(times) => self.fleets(&label, *times),
            Act::Scaling(times) => {
                let times = *times;
                let means = self.world.scaling_means(entropy).unwrap();
                Call::new(&label, false, move |store| {
                    let means = scale::Means { store, ..means.clone() };
                    Box::pin(async move {
                        let mut scaling = Scaling::new(means, Arc::default());
                        for _ in 0..times {
                            assert!(!scaling.activate().await.failed);
                        }
                        String::new()
                    })
                })
            }
        }
    }

    /// A loop that finds the instances running that were wanted before, whatever the run before has made of them; and
    /// those that are wanted now, unless all are to go.
    fn fleets(&self, label: &str, times: usize) -> Call {
        let clock = Arc::clone(&self.world.clock) as Arc<dyn Clock>;
        let driver = Arc::new(FakeDriver::new(clock));
        let means = self.world.fleets_means(&driver);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let now = self.world.state();
        let leaving = now.endpoints.values().any(|endpoint| endpoint.stage == Deleting);
        for image in [Some(Arc::clone(&self.settled)), (!leaving).then_some(now)] {
            let Some(image) = image else { continue };
            let means = fleets::Means { store: Arc::new(Frozen(image)), ..means.clone() };
            runtime.block_on(Fleets::new(means).activate());
            while driver.step() {}
        }
        Call::new(label, false, move |store| {
            let means = fleets::Means { store, ..means.clone() };
            let driver = Arc::clone(&driver);
            Box::pin(async move {
                let mut fleets = Fleets::new(means);
                for _ in 0..times {
                    assert!(!fleets.activate().await.failed);
                    while driver.step() {}
                }
                String::new()
            })
        })
    }
}

/// Bits that differ from seed to seed and from draw to draw.
fn entropy(seed: usize) -> Arc<dyn Fn() -> u128 + Send + Sync> {
    let seed = u64::try_from(seed).unwrap();
    let next = AtomicU64::new(0);
    Arc::new(move || {
        let draw = u128::from(next.fetch_add(1, Ordering::SeqCst) + 1);
        (u128::from(seed) << 96) | draw
    })
}

fn done(world: &World, by: &Caller, service: &'static Service, operation: &str, input: &Value) {
    let answer = world.call_as(by, service, operation, input).unwrap();
    assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
}

pub(crate) fn with(mut one: Value, more: &Value) -> Value {
    one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    one
}

pub(crate) fn of_target(endpoint: &str, more: &Value) -> Value {
    let resource = format!("endpoint/{endpoint}/variant/a");
    let target = json!({"ServiceNamespace": NAMESPACE, "ResourceId": resource, "ScalableDimension": DIMENSION});
    with(target, more)
}

pub(crate) fn tracking(name: &str) -> Value {
    let metric = json!({"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"});
    let config = json!({"TargetValue": 70.0, "PredefinedMetricSpecification": metric});
    json!({"PolicyName": name, "PolicyType": "TargetTrackingScaling",
           "TargetTrackingScalingPolicyConfiguration": config})
}

pub(crate) fn stepping(name: &str) -> Value {
    let steps = json!([{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]);
    let config = json!({"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps});
    json!({"PolicyName": name, "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": config})
}

pub(crate) fn scheduled(name: &str) -> Value {
    json!({"ScheduledActionName": name, "Schedule": "rate(1 minute)",
           "ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 5}})
}

/// Models, configs, and the endpoints `e` and `f`, in service.
fn hosting(world: &mut World) {
    let root = world.root();
    let make = |operation: &str, input: &Value| {
        done(world, &root, &sagemaker::SERVICE, operation, input);
    };
    for model in ["m", "n"] {
        make("CreateModel", &json!({"ModelName": model, "PrimaryContainer": {"Image": "good"}}));
    }
    let (large, larger) = ("ml.m5.large", "ml.m5.xlarge");
    for (name, variants) in [
        ("plain", &[("a", "m", large), ("b", "m", large)][..]),
        ("model", &[("a", "n", large), ("b", "n", large)]),
        ("larger", &[("a", "m", larger), ("b", "m", large)]),
        ("without", &[("b", "m", large)]),
    ] {
        let variants = variants.iter().map(|(variant, model, kind)| {
            json!({"VariantName": variant, "ModelName": model, "InstanceType": kind,
                   "InitialInstanceCount": 2})
        });
        let variants: Vec<Value> = variants.collect();
        make(
            "CreateEndpointConfig",
            &json!({"EndpointConfigName": name, "ProductionVariants": variants}),
        );
    }
    for name in ["e", "f"] {
        let tags = json!([{"Key": "of", "Value": name}]);
        make(
            "CreateEndpoint",
            &json!({"EndpointName": name, "EndpointConfigName": "plain", "Tags": tags}),
        );
    }
    world.advance(Duration::from_secs(10)).unwrap();
}

fn people(world: &mut World) {
    let root = world.root();
    let make = |operation: &str, input: &Value| {
        done(world, &root, &iam::SERVICE, operation, input);
    };
    make("CreateUser", &json!({"UserName": "ann"}));
    make("CreateAccessKey", &json!({"UserName": "ann"}));
    for (name, actions) in [
        ("hosting", &["sagemaker:*"][..]),
        (
            "scaling",
            &[
                "application-autoscaling:RegisterScalableTarget",
                "application-autoscaling:Put*",
                "application-autoscaling:TagResource",
            ],
        ),
        ("deregister", &["application-autoscaling:DeregisterScalableTarget"]),
        ("policies", &["application-autoscaling:DeleteScalingPolicy"]),
    ] {
        make("PutUserPolicy", &policy(name, "Allow", actions));
    }
}

pub(crate) fn policy(name: &str, effect: &str, actions: &[&str]) -> Value {
    let statement = json!([{"Effect": effect, "Action": actions, "Resource": "*"}]);
    let document = json!({"Version": "2012-10-17", "Statement": statement});
    json!({"UserName": "ann", "PolicyName": name, "PolicyDocument": document.to_string()})
}

/// Registers the variant `a` of an endpoint, and puts everything on it that there is.
fn scale(world: &mut World, endpoint: &str) {
    let root = world.root();
    let scaling = &application_autoscaling::SERVICE;
    let tags = json!({"MinCapacity": 1, "MaxCapacity": 4, "Tags": {"of": endpoint}});
    for (operation, more) in [
        ("RegisterScalableTarget", &tags),
        ("PutScalingPolicy", &tracking("track")),
        ("PutScalingPolicy", &stepping("step")),
        ("PutScheduledAction", &scheduled("often")),
    ] {
        done(world, &root, scaling, operation, &of_target(endpoint, more));
    }
    let input = own_alarm(world, endpoint);
    done(world, &root, &cloudwatch::SERVICE, "PutMetricAlarm", &input);
}

/// An alarm of a user's own that drives the policy `step`.
pub(crate) fn own_alarm(world: &World, endpoint: &str) -> Value {
    let state = world.state();
    let mut targets = state.targets.values();
    let target = targets.find(|target| target.resource.endpoint.to_string() == endpoint).unwrap();
    let action = target.policy_arn(&world.scope(), "step");
    json!({"AlarmName": format!("own-{endpoint}"), "Namespace": "App", "MetricName": "Load",
           "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1, "Threshold": 50.0,
           "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [action]})
}
