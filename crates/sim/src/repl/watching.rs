//! Commands about what is measured and watched.
//!
//! ```text
//! > traffic e/v 40/min [200ms]     requests that clients send all the time, and how long each takes
//! > gauge e/v METRIC N|off         a value that a client puts each ten seconds
//! > alarm NAME e/v METRIC > N [m of n] [missing TREATMENT] [period 10s] [stat Sum] [-> e/v POLICY]
//! > set-alarm NAME ALARM [V,V,… over N]    with what it is to have seen, if a policy is to act on it
//! > unwatch NAME                   deletes an alarm
//! ```

use std::time::Duration;

use domain::time::{Clock, Timestamp};
use serde_json::{Value, json};
use wire::cloudwatch::SERVICE;

use super::Session;
use super::happened::full;
use super::words::{dimensions, duration, namespace, number, variant};
use crate::world::Fault;

/// How long a request takes of which nothing else is said.
const DURATION: Duration = Duration::from_millis(100);

impl Session {
    /// Performs a command, if it is one of these.
    pub(super) fn watching(
        &mut self,
        command: &str,
        words: &[&str],
    ) -> Result<Option<String>, Fault> {
        match (command, words) {
            ("traffic", [target, rate]) => self.traffic(target, rate, DURATION),
            ("traffic", [target, rate, each]) => self.traffic(target, rate, duration(each)?),
            ("gauge", [target, metric, value]) => self.gauge(target, metric, value),
            ("alarm", [name, target, metric, comparison, threshold, rest @ ..]) => {
                let input = self.alarm((name, target, metric), (comparison, threshold), rest)?;
                self.call(&SERVICE, "PutMetricAlarm", &input)
            }
            ("set-alarm", [name, state, rest @ ..]) => self.set_alarm(name, state, rest),
            ("unwatch", [name]) => {
                let name = full(&self.world.state(), name);
                self.call(&SERVICE, "DeleteAlarms", &json!({"AlarmNames": [name]}))
            }
            _ => return Ok(None),
        }
        .map(Some)
    }

    fn traffic(&mut self, target: &str, rate: &str, each: Duration) -> Result<String, Fault> {
        let (endpoint, variant) = variant(target)?;
        let per_minute =
            rate.strip_suffix("/min").ok_or_else(|| Fault(format!("{rate} is not N/min")))?;
        let (endpoint, variant) =
            (endpoint.parse().map_err(Fault::of)?, variant.parse().map_err(Fault::of)?);
        self.world.load(endpoint, variant, number(per_minute)?, each);
        Ok(String::new())
    }

    fn gauge(&mut self, target: &str, metric: &str, value: &str) -> Result<String, Fault> {
        let (endpoint, variant) = variant(target)?;
        let value = if value == "off" { None } else { Some(number(value)?) };
        let input = value.map(|value: f64| {
            json!({"Namespace": namespace(metric), "MetricData": [{
                "MetricName": metric, "Dimensions": dimensions(endpoint, variant), "Value": value}]})
        });
        self.world.put_regularly(&format!("{target} {metric}"), input);
        Ok(String::new())
    }

    fn alarm(
        &self,
        (name, target, metric): (&str, &str, &str),
        (comparison, threshold): (&str, &str),
        words: &[&str],
    ) -> Result<Value, Fault> {
        let (endpoint, variant) = variant(target)?;
        let comparison = match comparison {
            ">" => "GreaterThanThreshold",
            ">=" => "GreaterThanOrEqualToThreshold",
            "<" => "LessThanThreshold",
            "<=" => "LessThanOrEqualToThreshold",
            _ => return Err(Fault(format!("{comparison} is no comparison"))),
        };
        let mut input = json!({
            "AlarmName": name, "Namespace": namespace(metric), "MetricName": metric,
            "Dimensions": dimensions(endpoint, variant), "Statistic": "Average", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": number::<f64>(threshold)?,
            "ComparisonOperator": comparison,
        });
        let mut words = words;
        while let [word, rest @ ..] = words {
            words = match (*word, rest) {
                ("missing", [treatment, rest @ ..]) => {
                    input["TreatMissingData"] = json!(treatment);
                    rest
                }
                ("period", [span, rest @ ..]) => {
                    input["Period"] = duration(span)?.as_secs().into();
                    rest
                }
                ("stat", [statistic, rest @ ..]) => {
                    input["Statistic"] = json!(statistic);
                    rest
                }
                ("->", [target, policy, rest @ ..]) => {
                    input["AlarmActions"] = json!([self.policy_arn(target, policy)?]);
                    rest
                }
                (needed, ["of", periods, rest @ ..]) => {
                    input["DatapointsToAlarm"] = number::<i32>(needed)?.into();
                    input["EvaluationPeriods"] = number::<i32>(periods)?.into();
                    rest
                }
                _ => return Err(Fault(format!("{word} is not understood"))),
            };
        }
        Ok(input)
    }

    fn policy_arn(&self, target: &str, policy: &str) -> Result<String, Fault> {
        let state = self.world.state();
        let found = state
            .targets
            .values()
            .find(|one| format!("{}/{}", one.resource.endpoint, one.resource.variant) == target);
        let found = found.ok_or_else(|| Fault(format!("{target} is not registered")))?;
        Ok(found.policy_arn(&self.world.scope(), policy))
    }

    fn set_alarm(&mut self, name: &str, state: &str, words: &[&str]) -> Result<String, Fault> {
        let name = full(&self.world.state(), name);
        let mut input = json!({"AlarmName": name, "StateValue": state, "StateReason": "by hand"});
        match words {
            [] => {}
            [values, "over", threshold] => {
                let values: Result<Vec<f64>, Fault> = values.split(',').map(number).collect();
                let data = json!({"version": "1.0", "queryDate": long_date(self.world.clock.now()),
                                  "recentDatapoints": values?, "threshold": number::<f64>(threshold)?});
                input["StateReasonData"] = json!(data.to_string());
            }
            _ => return Err(Fault("what an alarm has seen is V,V,… over N".into())),
        }
        self.call(&SERVICE, "SetAlarmState", &input)
    }
}

/// As CloudWatch writes moments in `StateReasonData`: 2026-01-01T00:00:00.000+0000.
fn long_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}
