//! Commands about what is scaled, and by what.
//!
//! ```text
//! > register e/v 1..4              either bound may be absent
//! > deregister e/v
//! > track e/v 10 [in 60s] [out 60s] [no-scale-in] [concurrency | on METRIC] [as NAME]
//! > step e/v NAME change|percent|exact LOWER..UPPER=N,… [cooldown 60s] [magnitude N]
//! > forget e/v NAME                the policy of this name
//! > schedule e/v NAME "at(…)" MIN..MAX [zone Z]
//! > unschedule e/v NAME
//! > suspend e/v in|out|scheduled / resume e/v in|out|scheduled
//! > activities e/v
//! > explain e/v
//! ```

use std::fmt::Write;
use std::time::Duration;

use domain::time::Timestamp;
use serde_json::{Map, Value, json};
use wire::application_autoscaling::SERVICE;

use super::Session;
use super::happened::{Offset, short};
use super::words::{APP, bounds, dimensions, duration, number, variant};
use crate::world::Fault;

/// The name of a policy that is given none.
const TRACK: &str = "track";

impl Session {
    /// Performs a command, if it is one of these.
    pub(super) fn scaling(
        &mut self,
        command: &str,
        words: &[&str],
    ) -> Result<Option<String>, Fault> {
        let (target, rest) = match words {
            [target, rest @ ..] if target.contains('/') => (*target, rest),
            _ => return Ok(None),
        };
        match (command, rest) {
            ("register", [within]) => {
                let (min, max) = bounds(within)?;
                self.scale("RegisterScalableTarget", target, &of_bounds(min, max))
            }
            ("deregister", []) => self.scale("DeregisterScalableTarget", target, &json!({})),
            ("track", [value, rest @ ..]) => {
                let input = track(target, number(value)?, rest)?;
                self.scale("PutScalingPolicy", target, &input)
            }
            ("step", [name, kind, steps, rest @ ..]) => {
                let input = step(name, kind, steps, rest)?;
                self.scale("PutScalingPolicy", target, &input)
            }
            ("forget", [name]) => {
                self.scale("DeleteScalingPolicy", target, &json!({"PolicyName": name}))
            }
            ("schedule", [name, schedule, within, rest @ ..]) => {
                let input = schedule_input(name, schedule, within, rest)?;
                self.scale("PutScheduledAction", target, &input)
            }
            ("unschedule", [name]) => {
                self.scale("DeleteScheduledAction", target, &json!({"ScheduledActionName": name}))
            }
            ("suspend", [what]) => self.suspend(target, what, true),
            ("resume", [what]) => self.suspend(target, what, false),
            ("activities", []) => self.activities(target),
            ("explain", []) => self.explain(target),
            _ => return Ok(None),
        }
        .map(Some)
    }

    /// Calls an operation about one target.
    fn scale(&mut self, operation: &str, target: &str, input: &Value) -> Result<String, Fault> {
        self.call(&SERVICE, operation, &merged(of_target(target)?, input))
    }

    fn suspend(&mut self, target: &str, what: &str, suspended: bool) -> Result<String, Fault> {
        let flag = match what {
            "in" => "DynamicScalingInSuspended",
            "out" => "DynamicScalingOutSuspended",
            "scheduled" => "ScheduledScalingSuspended",
            _ => return Err(Fault(format!("{what} is not in, out or scheduled"))),
        };
        let input = json!({"SuspendedState": {flag: suspended}});
        self.scale("RegisterScalableTarget", target, &input)
    }

    fn activities(&mut self, target: &str) -> Result<String, Fault> {
        let input = merged(of_target(target)?, &json!({"IncludeNotScaledActivities": true}));
        let found = match self.ask(&SERVICE, "DescribeScalingActivities", &input)? {
            Ok(found) => found,
            Err(refused) => return Ok(refused),
        };
        let mut out = String::new();
        for one in found["ScalingActivities"].as_array().into_iter().flatten() {
            let text = |name: &str| one[name].as_str().unwrap_or_default();
            let beginning = self.world.beginning();
            let time = |name: &str| {
                one[name].as_f64().map_or_else(String::new, |at| offset(at, beginning))
            };
            let _ =
                write!(out, "  {}..{} {}", time("StartTime"), time("EndTime"), text("StatusCode"));
            let message = text("StatusMessage");
            let reasons = &one["NotScaledReasons"];
            let told = if message.is_empty() { text("Description") } else { message };
            let _ = write!(out, ": {told}");
            if reasons.is_array() {
                let _ = write!(out, " {reasons}");
            }
            let _ = writeln!(out, " ({})", short(text("Cause")));
        }
        Ok(if out.is_empty() { "  none\n".to_owned() } else { out })
    }

    fn explain(&mut self, target: &str) -> Result<String, Fault> {
        let (endpoint, variant) = variant(target)?;
        let input = json!({"EndpointName": endpoint, "VariantName": variant});
        let service = &wire::tidegate::SERVICE;
        let found = match self.ask(service, "ExplainScaling", &input)? {
            Ok(found) => found,
            Err(refused) => return Ok(refused),
        };
        let mut out = String::new();
        let mut tell = |text: &Value| {
            if let Some(text) = text.as_str() {
                let _ = writeln!(out, "  {}", short(text));
            }
        };
        tell(&found["Summary"]);
        for name in ["Policies", "Cooldowns", "ScheduledActions", "Decisions"] {
            for one in found[name].as_array().into_iter().flatten() {
                tell(&one["Summary"]);
                one["Alarms"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .for_each(|one| tell(&one["Summary"]));
            }
        }
        Ok(out)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a moment of a script, in milliseconds")]
fn offset(seconds: f64, beginning: Timestamp) -> String {
    let at = Timestamp::from_millis((seconds * 1000.0).round() as i64);
    Offset(at.since(beginning)).to_string()
}

/// What names a target in every operation.
fn of_target(word: &str) -> Result<Value, Fault> {
    let (endpoint, variant) = variant(word)?;
    Ok(json!({
        "ServiceNamespace": domain::scaling::NAMESPACE,
        "ResourceId": format!("endpoint/{endpoint}/variant/{variant}"),
        "ScalableDimension": domain::scaling::DIMENSION,
    }))
}

fn merged(mut one: Value, other: &Value) -> Value {
    if let (Some(one), Some(other)) = (one.as_object_mut(), other.as_object()) {
        one.extend(other.clone());
    }
    one
}

fn of_bounds(min: Option<i32>, max: Option<i32>) -> Value {
    let given = [("MinCapacity", min), ("MaxCapacity", max)];
    let given =
        given.into_iter().filter_map(|(name, bound)| Some((name.to_owned(), bound?.into())));
    Value::Object(given.collect())
}

fn track(target: &str, value: f64, words: &[&str]) -> Result<Value, Fault> {
    let mut config = Map::from_iter([("TargetValue".to_owned(), json!(value))]);
    let mut name = TRACK;
    let predefined = |name: &str| json!({"PredefinedMetricType": name});
    let mut metric =
        ("PredefinedMetricSpecification", predefined("SageMakerVariantInvocationsPerInstance"));
    let mut words = words;
    while let [word, rest @ ..] = words {
        words = match (*word, rest) {
            ("in", [span, rest @ ..]) => {
                config.insert("ScaleInCooldown".to_owned(), seconds(span)?);
                rest
            }
            ("out", [span, rest @ ..]) => {
                config.insert("ScaleOutCooldown".to_owned(), seconds(span)?);
                rest
            }
            ("no-scale-in", rest) => {
                config.insert("DisableScaleIn".to_owned(), true.into());
                rest
            }
            ("concurrency", rest) => {
                metric.1 = predefined("SageMakerVariantConcurrentRequestsPerModelHighResolution");
                rest
            }
            ("on", [of, rest @ ..]) => {
                let (endpoint, variant) = variant(target)?;
                metric = (
                    "CustomizedMetricSpecification",
                    json!({"Namespace": APP, "MetricName": of, "Statistic": "Average",
                           "Dimensions": dimensions(endpoint, variant)}),
                );
                rest
            }
            ("as", [given, rest @ ..]) => {
                name = given;
                rest
            }
            _ => return Err(Fault(format!("{word} is not understood"))),
        };
    }
    config.insert(metric.0.to_owned(), metric.1);
    Ok(json!({"PolicyName": name, "PolicyType": "TargetTrackingScaling",
              "TargetTrackingScalingPolicyConfiguration": config}))
}

fn step(name: &str, kind: &str, steps: &str, words: &[&str]) -> Result<Value, Fault> {
    let kind = match kind {
        "change" => "ChangeInCapacity",
        "percent" => "PercentChangeInCapacity",
        "exact" => "ExactCapacity",
        _ => return Err(Fault(format!("{kind} is not change, percent or exact"))),
    };
    let steps: Result<Vec<Value>, Fault> = steps.split(',').map(one_step).collect();
    let mut config = Map::from_iter([
        ("AdjustmentType".to_owned(), json!(kind)),
        ("StepAdjustments".to_owned(), Value::Array(steps?)),
    ]);
    let mut words = words;
    while let [word, rest @ ..] = words {
        words = match (*word, rest) {
            ("cooldown", [span, rest @ ..]) => {
                config.insert("Cooldown".to_owned(), seconds(span)?);
                rest
            }
            ("magnitude", [least, rest @ ..]) => {
                config.insert("MinAdjustmentMagnitude".to_owned(), number::<i32>(least)?.into());
                rest
            }
            _ => return Err(Fault(format!("{word} is not understood"))),
        };
    }
    Ok(json!({"PolicyName": name, "PolicyType": "StepScaling",
              "StepScalingPolicyConfiguration": config}))
}

/// `LOWER..UPPER=ADJUSTMENT`.
fn one_step(word: &str) -> Result<Value, Fault> {
    let wrong = || Fault(format!("{word} is not LOWER..UPPER=N"));
    let (interval, adjustment) = word.split_once('=').ok_or_else(wrong)?;
    let (lower, upper) = interval.split_once("..").ok_or_else(wrong)?;
    let mut step =
        Map::from_iter([("ScalingAdjustment".to_owned(), number::<i32>(adjustment)?.into())]);
    for (name, bound) in [("MetricIntervalLowerBound", lower), ("MetricIntervalUpperBound", upper)]
    {
        if !bound.is_empty() {
            step.insert(name.to_owned(), number::<f64>(bound)?.into());
        }
    }
    Ok(Value::Object(step))
}

fn schedule_input(
    name: &str,
    schedule: &str,
    within: &str,
    words: &[&str],
) -> Result<Value, Fault> {
    let (min, max) = bounds(within)?;
    let mut input = json!({"ScheduledActionName": name, "Schedule": schedule,
                           "ScalableTargetAction": of_bounds(min, max)});
    match words {
        [] => {}
        ["zone", zone] => input["Timezone"] = json!(zone),
        _ => return Err(Fault("a schedule ends with its bounds, or zone Z".into())),
    }
    Ok(input)
}

fn seconds(word: &str) -> Result<Value, Fault> {
    duration(word).map(|span: Duration| span.as_secs().into())
}
