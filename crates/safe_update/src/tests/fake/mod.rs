//! A server in little that speaks in documents, and fails where it is told to.

mod state;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use domain::safe_update::Run;
use domain::time::Timestamp;
use serde_json::{Value, json};
use wire::{Document, Service};

use crate::{Fault, Journal, Remote};

/// Looks that a change of the endpoint takes.
const LOOKS: u32 = 2;

/// What happens at one call, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mishap {
    /// The process dies before the call is carried out.
    KilledBefore,
    /// The process dies after it was.
    KilledAfter,
    Lost,
    Unanswered,
    Throttled,
    Failed,
}

/// All that is there, as descriptions.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct State {
    pub(super) config: String,
    pub(super) pending: Option<String>,
    pub(super) moving: u32,
    /// Desired counts.
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) configs: BTreeMap<String, Value>,
    pub(super) targets: Vec<Value>,
    pub(super) policies: Vec<Value>,
    pub(super) actions: Vec<Value>,
    pub(super) alarms: Vec<Value>,
    pub(super) tags: BTreeMap<String, BTreeMap<String, String>>,
    registrations: u32,
}

#[derive(Debug, Default)]
pub(super) struct Server {
    state: Mutex<State>,
    pub(super) calls: Mutex<Vec<String>>,
    paused: Mutex<Duration>,
    pub(super) mishap: Mutex<Option<(usize, Mishap)>>,
    dead: Mutex<bool>,
    /// Elements of one page.
    pub(super) page: usize,
    /// Operations that are answered with an error.
    pub(super) refused: Mutex<Vec<(&'static str, Fault)>>,
    /// Operations that are accepted and come to nothing.
    pub(super) ignored: Mutex<Vec<&'static str>>,
}

/// Everything here is ready at once.
pub(super) fn wait_for<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the fake server never waits"),
    }
}

/// An endpoint `e` on the config `old` with the scaled variant `web`, which is to get another instance type.
pub(super) fn server() -> Server {
    let config = |name: &str, kind: &str| {
        json!({"EndpointConfigName": name, "ProductionVariants": [
            {"VariantName": "web", "ModelName": "m", "InstanceType": kind, "InitialInstanceCount": 1,
             "InitialVariantWeight": 0.5}]})
    };
    let server = Server { page: 1, ..Server::default() };
    {
        let mut state = server.state();
        state.config = "old".to_owned();
        state.counts.insert("web".to_owned(), 4);
        for (name, kind) in [("old", "ml.m5.large"), ("new", "ml.c5.large")] {
            state.configs.insert(name.to_owned(), config(name, kind));
        }
    }
    let of = |mut members: Value| {
        members["ServiceNamespace"] = "sagemaker".into();
        members["ResourceId"] = "endpoint/e/variant/web".into();
        members["ScalableDimension"] = "sagemaker:variant:DesiredInstanceCount".into();
        members
    };
    let suspended = json!({"DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": true,
                           "ScheduledScalingSuspended": false});
    let put = |operation: &str, input: Value| server.state().change(operation, &input).unwrap();
    put(
        "RegisterScalableTarget",
        of(json!({"MinCapacity": 2, "MaxCapacity": 8, "SuspendedState": suspended})),
    );
    let arn = server.state().targets[0]["ScalableTargetARN"].clone();
    put("TagResource", json!({"ResourceARN": arn, "Tags": {"team": "tide"}}));
    put(
        "PutScalingPolicy",
        of(json!({"PolicyName": "tide", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0, "PredefinedMetricSpecification":
            {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}})),
    );
    put(
        "PutScalingPolicy",
        of(json!({"PolicyName": "steps", "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {"AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]}})),
    );
    put(
        "PutScheduledAction",
        of(json!({"ScheduledActionName": "night", "Schedule": "cron(0 3 ? * SUN 2099)",
        "ScalableTargetAction": {"MinCapacity": 1}})),
    );
    let steps = server.state().policies[1]["PolicyARN"].clone();
    put(
        "PutMetricAlarm",
        json!({"AlarmName": "mine", "AlarmActions": [steps, "arn:aws:sns:us-east-1:0:pager"],
        "MetricName": "Invocations", "Namespace": "AWS/SageMaker", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 0.1, "ComparisonOperator": "GreaterThanThreshold"}),
    );
    server
}

impl Server {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The changing calls that have arrived.
    pub(super) fn changes(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        let reads =
            |call: &&String| ["Describe", "List", "Get"].iter().any(|it| call.starts_with(it));
        calls.iter().filter(|call| !reads(call)).cloned().collect()
    }

    /// How long was waited altogether.
    pub(super) fn paused(&self) -> Duration {
        *self.paused.lock().unwrap()
    }

    /// A process that was killed is begun again.
    pub(super) fn revive(&self) {
        *self.dead.lock().unwrap() = false;
        *self.mishap.lock().unwrap() = None;
    }

    fn answer(&self, operation: &'static str, input: &Value) -> Result<Value, Fault> {
        let at = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(operation.to_owned());
            calls.len() - 1
        };
        let mishap = *self.mishap.lock().unwrap();
        let mishap = mishap.filter(|(wanted, _)| *wanted == at).map(|(_, mishap)| mishap);
        let lost = || Err(Fault::Lost("no answer".to_owned()));
        let refused = |code: &str, status| {
            let (code, message) = (code.to_owned(), "so it was told".to_owned());
            Err(Fault::Refused { code, message, status })
        };
        if *self.dead.lock().unwrap() {
            return lost();
        }
        match mishap {
            Some(Mishap::KilledBefore) => {
                *self.dead.lock().unwrap() = true;
                return lost();
            }
            Some(Mishap::Lost) => return lost(),
            Some(Mishap::Throttled) => return refused("ThrottlingException", 400),
            Some(Mishap::Failed) => return refused("InternalFailure", 500),
            _ => {}
        }
        if let Some((_, fault)) =
            self.refused.lock().unwrap().iter().find(|(name, _)| *name == operation)
        {
            return Err(fault.clone());
        }
        if self.ignored.lock().unwrap().contains(&operation) {
            return Ok(json!({}));
        }
        let answer = self.state().described(operation, input, self.page);
        let answer = answer.unwrap_or_else(|| self.state().change(operation, input));
        if let Some(Mishap::KilledAfter | Mishap::Unanswered) = mishap {
            *self.dead.lock().unwrap() = mishap == Some(Mishap::KilledAfter);
            return lost();
        }
        answer
    }
}

impl Remote for Server {
    async fn call(
        &self,
        service: &'static Service,
        operation: &'static str,
        input: &Document,
    ) -> Result<Document, Fault> {
        let model = service.operation(operation).unwrap();
        let input = input.to_json(model.input.unwrap());
        let output = self.answer(operation, &input)?;
        let read = model.output.map(|schema| Document::from_json(schema, &output).unwrap());
        Ok(read.unwrap_or_else(Document::empty))
    }

    async fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000)
    }

    async fn pause(&self, time: Duration) {
        *self.paused.lock().unwrap() += time;
    }
}

/// A journal that keeps nothing any more when the process is dead.
pub(super) struct Kept<'a> {
    pub(super) server: &'a Server,
    pub(super) run: Option<Run>,
    pub(super) told: Vec<String>,
    pub(super) broken: bool,
}

impl<'a> Kept<'a> {
    pub(super) fn new(server: &'a Server) -> Self {
        Self { server, run: None, told: Vec::new(), broken: false }
    }
}

impl Journal for Kept<'_> {
    async fn keep(&mut self, run: &Run) -> Result<(), String> {
        if self.broken {
            return Err("the disk is full".to_owned());
        }
        if !*self.server.dead.lock().unwrap() {
            self.run = Some(run.clone());
        }
        Ok(())
    }

    fn tell(&mut self, line: &str) {
        self.told.push(line.to_owned());
    }
}
