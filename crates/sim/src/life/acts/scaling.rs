//! Calls of Application Auto Scaling and CloudWatch.

use std::time::Duration;

use domain::time::{Clock, Timestamp};
use serde_json::{Value, json};
use wire::{application_autoscaling, cloudwatch};

use super::of_target;
use crate::life::Life;
use crate::life::server::Asked;

impl Life {
    pub(super) fn draw_scaling(&mut self, endpoint: &'static str) -> Asked {
        let variant = self.variant();
        let name = |name: &str| json!({"PolicyName": name});
        match self.dice.below(20) {
            0..=3 => self.register(endpoint, variant),
            4 => self.of_target("DeregisterScalableTarget", (endpoint, variant), &json!({})),
            5..=8 => self.track(endpoint, variant),
            9..=10 => self.step_policy(endpoint, variant),
            11 => {
                let policy = self.dice.pick(["requests", "busy", "step"]);
                self.of_target("DeleteScalingPolicy", (endpoint, variant), &name(policy))
            }
            12..=13 => self.schedule(endpoint, variant),
            14 => {
                let action = json!({"ScheduledActionName": "s"});
                self.of_target("DeleteScheduledAction", (endpoint, variant), &action)
            }
            15 => self.own_alarm(endpoint, variant),
            16 => self.put_data(variant),
            17..=18 => self.set_alarm(),
            _ => match self.an_alarm() {
                Some(alarm) if self.dice.percent(30) => {
                    self.asked(&cloudwatch::SERVICE, "DeleteAlarms", json!({"AlarmNames": [alarm]}))
                }
                _ => self.of_target("DescribeScalingActivities", (endpoint, variant), &json!({})),
            },
        }
    }

    pub(in crate::life) fn of_target(
        &self,
        operation: &'static str,
        (endpoint, variant): (&str, &str),
        more: &Value,
    ) -> Asked {
        let input = of_target(endpoint, variant, more);
        self.asked(&application_autoscaling::SERVICE, operation, input)
    }

    fn register(&mut self, endpoint: &str, variant: &str) -> Asked {
        let min = self.dice.number(0, 2);
        let max = min + self.dice.number(0, 5);
        let mut input = json!({"MinCapacity": min, "MaxCapacity": max});
        if self.dice.percent(20) {
            input["SuspendedState"] = json!({
                "DynamicScalingInSuspended": self.dice.percent(30),
                "DynamicScalingOutSuspended": self.dice.percent(30),
                "ScheduledScalingSuspended": self.dice.percent(30),
            });
        }
        self.of_target("RegisterScalableTarget", (endpoint, variant), &input)
    }

    fn track(&mut self, endpoint: &str, variant: &str) -> Asked {
        let (name, metric, value) = self.dice.pick([
            ("requests", "SageMakerVariantInvocationsPerInstance", 20.0),
            ("busy", "SageMakerVariantConcurrentRequestsPerModelHighResolution", 3.0),
            ("busy", "SageMakerVariantConcurrentRequestsPerModelHighResolution", 3.0),
        ]);
        let cooldown = self.dice.pick([0, 30, 300]);
        let config = json!({"TargetValue": value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            "ScaleInCooldown": cooldown, "ScaleOutCooldown": cooldown,
            "DisableScaleIn": self.dice.percent(20)});
        let input = json!({"PolicyName": name, "PolicyType": "TargetTrackingScaling",
                           "TargetTrackingScalingPolicyConfiguration": config});
        self.of_target("PutScalingPolicy", (endpoint, variant), &input)
    }

    fn step_policy(&mut self, endpoint: &str, variant: &str) -> Asked {
        let kind = self.dice.pick(["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]);
        let least = if kind == "ExactCapacity" { 0 } else { -40 };
        let steps = json!([
            {"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": self.dice.number(least, 40)},
            {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": self.dice.number(least, 40)},
        ]);
        let config = json!({"AdjustmentType": kind, "StepAdjustments": steps, "Cooldown": 10});
        let input = json!({"PolicyName": "step", "PolicyType": "StepScaling",
                           "StepScalingPolicyConfiguration": config});
        self.of_target("PutScalingPolicy", (endpoint, variant), &input)
    }

    /// An alarm of a user's own, which calls a target's step policy if there is one.
    fn own_alarm(&mut self, endpoint: &str, variant: &str) -> Asked {
        let state = self.server.store.state();
        let is_it = |target: &&std::sync::Arc<domain::scaling::Target>| {
            let resource = &target.resource;
            resource.endpoint.to_string() == endpoint && resource.variant.as_str() == variant
        };
        let target = state.targets.values().find(is_it);
        let scope = crate::world::parts::scope();
        let actions: Vec<String> =
            target.iter().map(|target| target.policy_arn(&scope, "step")).collect();
        let missing = self.dice.pick(["missing", "ignore", "breaching", "notBreaching"]);
        let input = json!({
            "AlarmName": format!("own-{endpoint}-{variant}"), "Namespace": "App", "MetricName": "Load",
            "Dimensions": [{"Name": "Variant", "Value": variant}], "Statistic": "Average",
            "Period": self.dice.pick([10, 60]), "EvaluationPeriods": 2,
            "DatapointsToAlarm": self.dice.number(1, 2), "Threshold": 50.0,
            "TreatMissingData": missing,
            "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": actions});
        self.asked(&cloudwatch::SERVICE, "PutMetricAlarm", input)
    }

    fn put_data(&mut self, variant: &str) -> Asked {
        let input = json!({"Namespace": "App", "MetricData": [
            {"MetricName": "Load", "Value": self.dice.share() * 100.0,
             "Dimensions": [{"Name": "Variant", "Value": variant}]}]});
        self.asked(&cloudwatch::SERVICE, "PutMetricData", input)
    }

    fn schedule(&mut self, endpoint: &str, variant: &str) -> Asked {
        let soon = self.ground.clock.now().plus(self.dice.millis(0, 90_000));
        let schedule = match self.dice.below(3) {
            0 => "rate(1 minute)".to_owned(),
            1 => "cron(0/2 * * * ? *)".to_owned(),
            _ => format!("at({})", told(soon, "%Y-%m-%dT%H:%M:%S")),
        };
        let min = self.dice.number(0, 4);
        let mut bounds = json!({"MinCapacity": min});
        if self.dice.percent(70) {
            bounds["MaxCapacity"] = (min + self.dice.number(0, 3)).into();
        }
        let input = json!({"ScheduledActionName": "s", "Schedule": schedule,
                           "ScalableTargetAction": bounds});
        self.of_target("PutScheduledAction", (endpoint, variant), &input)
    }

    fn set_alarm(&mut self) -> Asked {
        let Some(name) = self.an_alarm() else { return self.put_data("a") };
        let state = self.dice.pick(["OK", "ALARM", "ALARM", "INSUFFICIENT_DATA"]);
        let mut input = json!({"AlarmName": name, "StateValue": state, "StateReason": "by hand"});
        if self.dice.percent(70) {
            let now = told(self.ground.clock.now(), "%Y-%m-%dT%H:%M:%S.%3f+0000");
            let values: Vec<f64> = (0..3).map(|_| self.dice.share() * 100.0).collect();
            let data = json!({"version": "1.0", "recentDatapoints": values, "threshold": 50.0,
                              "queryDate": now});
            input["StateReasonData"] = data.to_string().into();
        }
        self.asked(&cloudwatch::SERVICE, "SetAlarmState", input)
    }

    fn an_alarm(&mut self) -> Option<String> {
        let state = self.server.store.state();
        let at = self.dice.below(state.alarms.size());
        state.alarms.keys().nth(at).map(ToString::to_string)
    }

    /// Lets clients send other requests to a variant from now on.
    pub(in crate::life) fn send(&mut self) {
        let (endpoint, variant) = (self.endpoint(), self.variant());
        let rate = self.dice.pick([0, 10, 60, 600]);
        let each: Duration = self.dice.millis(50, 3000);
        self.ground.witness.tell(format_args!("{rate} requests a minute to {endpoint}/{variant}"));
        if let (Ok(endpoint), Ok(variant)) = (endpoint.parse(), variant.parse()) {
            self.load.set(endpoint, variant, rate, each);
        }
    }
}

fn told(at: Timestamp, how: &str) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default().strftime(how).to_string()
}
