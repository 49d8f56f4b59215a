//! What may happen to the scaling of an endpoint.

use std::time::Duration;

use domain::scaling::{DIMENSION, NAMESPACE};
use domain::time::Clock;
use rand::RngExt;
use serde_json::{Value, json};
use wire::Service;
use wire::application_autoscaling::SERVICE;

use crate::life::Life;

const VARIANTS: [&str; 2] = ["a", "b"];

impl Life {
    pub(crate) fn scale(&mut self) {
        let variant = if self.random.random_bool(0.8) { "a" } else { "b" };
        match self.random.random_range(0..20) {
            0..=3 => self.register(variant),
            4 if self.random.random_bool(0.2) => {
                self.of_target("DeregisterScalableTarget", variant, json!({}));
            }
            5..=7 => self.track(variant),
            8..=9 => self.step_policy(variant),
            10 if self.random.random_bool(0.3) => {
                let name = ["requests", "busy", "step"][self.random.random_range(0..3)];
                self.of_target("DeleteScalingPolicy", variant, json!({"PolicyName": name}));
            }
            11 => self.schedule(variant),
            12 => {
                let input = json!({"ScheduledActionName": "s"});
                self.of_target("DeleteScheduledAction", variant, input);
            }
            13..=15 => self.send(variant),
            16..=17 => self.set_alarm(),
            18 if self.random.random_bool(0.2) => {
                if let Some(name) = self.an_alarm() {
                    let input = json!({"AlarmNames": [name]});
                    self.ask(&wire::cloudwatch::SERVICE, "DeleteAlarms", &input);
                }
            }
            19 => {
                let millis = self.random.random_range(0..80_000);
                self.world.stall(Duration::from_millis(millis)).unwrap();
            }
            _ => {}
        }
    }

    /// Nobody sends anything any more, and nothing is scheduled.
    pub(crate) fn silence(&mut self) {
        for variant in VARIANTS {
            self.world.load("e".parse().unwrap(), variant.parse().unwrap(), 0, Duration::ZERO);
            self.world.put_regularly(variant, None);
            self.of_target("DeleteScheduledAction", variant, json!({"ScheduledActionName": "s"}));
        }
    }

    fn register(&mut self, variant: &str) {
        let min = self.random.random_range(0..3);
        let max = min + self.random.random_range(0..6);
        let mut input = json!({"MinCapacity": min, "MaxCapacity": max});
        if self.random.random_bool(0.2) {
            input["SuspendedState"] = json!({
                "DynamicScalingInSuspended": self.random.random_bool(0.3),
                "DynamicScalingOutSuspended": self.random.random_bool(0.3),
                "ScheduledScalingSuspended": self.random.random_bool(0.3),
            });
        }
        self.of_target("RegisterScalableTarget", variant, input);
    }

    fn track(&mut self, variant: &str) {
        let (name, metric, value) = match self.random.random_range(0..3) {
            0 => ("requests", "SageMakerVariantInvocationsPerInstance", 20.0),
            _ => ("busy", "SageMakerVariantConcurrentRequestsPerModelHighResolution", 3.0),
        };
        let cooldown = [0, 30, 300][self.random.random_range(0..3)];
        let config = json!({"TargetValue": value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            "ScaleInCooldown": cooldown, "ScaleOutCooldown": cooldown,
            "DisableScaleIn": self.random.random_bool(0.2)});
        let input = json!({"PolicyName": name, "PolicyType": "TargetTrackingScaling",
                           "TargetTrackingScalingPolicyConfiguration": config});
        self.of_target("PutScalingPolicy", variant, input);
    }

    /// A step policy, and the user's alarm that calls it.
    fn step_policy(&mut self, variant: &str) {
        let kinds = ["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"];
        let kind = kinds[self.random.random_range(0..kinds.len())];
        let least = if kind == "ExactCapacity" { 0 } else { -40 };
        let steps = json!([
            {"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": self.random.random_range(least..40)},
            {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": self.random.random_range(least..40)},
        ]);
        let config = json!({"AdjustmentType": kind, "StepAdjustments": steps, "Cooldown": 10});
        let input = json!({"PolicyName": "step", "PolicyType": "StepScaling",
                           "StepScalingPolicyConfiguration": config});
        if self.of_target("PutScalingPolicy", variant, input) != 200 {
            return;
        }
        let state = self.world.state();
        let is_it = |name: &str| name == variant;
        let target = state.targets.values().find(|one| is_it(one.resource.variant.as_str()));
        let action = target.unwrap().policy_arn(&self.world.scope(), "step");
        let missing = ["missing", "ignore", "breaching", "notBreaching"];
        let missing = missing[self.random.random_range(0..missing.len())];
        let period = if self.random.random_bool(0.5) { 10 } else { 60 };
        let input = json!({
            "AlarmName": format!("own-{variant}"), "Namespace": "App", "MetricName": "Load",
            "Dimensions": [{"Name": "Variant", "Value": variant}], "Statistic": "Average",
            "Period": period, "EvaluationPeriods": 2,
            "DatapointsToAlarm": self.random.random_range(1..3), "Threshold": 50.0,
            "TreatMissingData": missing,
            "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [action]});
        assert_eq!(self.ask(&wire::cloudwatch::SERVICE, "PutMetricAlarm", &input), 200);
    }

    fn schedule(&mut self, variant: &str) {
        let soon =
            self.world.clock.now().plus(Duration::from_secs(self.random.random_range(0..90)));
        let soon = jiff::Timestamp::from_millisecond(soon.as_millis()).unwrap();
        let schedule = match self.random.random_range(0..3) {
            0 => "rate(1 minute)".to_owned(),
            1 => "cron(0/2 * * * ? *)".to_owned(),
            _ => format!("at({})", soon.strftime("%Y-%m-%dT%H:%M:%S")),
        };
        let min = self.random.random_range(0..5);
        let mut bounds = json!({"MinCapacity": min});
        if self.random.random_bool(0.7) {
            bounds["MaxCapacity"] = (min + self.random.random_range(0..4)).into();
        }
        let input = json!({"ScheduledActionName": "s", "Schedule": schedule,
                           "ScalableTargetAction": bounds});
        self.of_target("PutScheduledAction", variant, input);
    }

    fn send(&mut self, variant: &str) {
        let rate = [0, 10, 60, 600][self.random.random_range(0..4)];
        let each = Duration::from_millis(self.random.random_range(50..3000));
        self.world.load("e".parse().unwrap(), variant.parse().unwrap(), rate, each);
        let value = self.random.random_range(0.0..100.0);
        let input = self.random.random_bool(0.7).then(|| {
            json!({"Namespace": "App", "MetricData": [{"MetricName": "Load", "Value": value,
                   "Dimensions": [{"Name": "Variant", "Value": variant}]}]})
        });
        self.world.put_regularly(variant, input);
    }

    fn set_alarm(&mut self) {
        let Some(name) = self.an_alarm() else { return };
        let state = ["OK", "ALARM", "INSUFFICIENT_DATA"][self.random.random_range(0..3)];
        let mut input = json!({"AlarmName": name, "StateValue": state, "StateReason": "by hand"});
        if self.random.random_bool(0.7) {
            let now =
                jiff::Timestamp::from_millisecond(self.world.clock.now().as_millis()).unwrap();
            let values: Vec<f64> = (0..3).map(|_| self.random.random_range(0.0..100.0)).collect();
            let data = json!({"version": "1.0", "recentDatapoints": values, "threshold": 50.0,
                              "queryDate": now.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()});
            input["StateReasonData"] = data.to_string().into();
        }
        self.ask(&wire::cloudwatch::SERVICE, "SetAlarmState", &input);
    }

    fn an_alarm(&mut self) -> Option<String> {
        let state = self.world.state();
        let count = state.alarms.size();
        let index = self.random.random_range(0..count.max(1));
        state.alarms.keys().nth(index).map(ToString::to_string)
    }

    fn of_target(&mut self, operation: &str, variant: &str, mut input: Value) -> u16 {
        input["ServiceNamespace"] = NAMESPACE.into();
        input["ResourceId"] = format!("endpoint/e/variant/{variant}").into();
        input["ScalableDimension"] = DIMENSION.into();
        self.ask(&SERVICE, operation, &input)
    }

    fn ask(&mut self, service: &'static Service, operation: &str, input: &Value) -> u16 {
        let answer = self.world.call(service, operation, input).unwrap();
        assert!(matches!(answer.status, 200 | 400 | 404), "{operation}: {answer:?}");
        answer.status
    }
}
