//! What a look at an endpoint found, without anything of how it is asked or shown.

use serde_json::{Value as Json, json};

use crate::output::instant;

/// An endpoint at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct View {
    pub(super) endpoint: String,
    /// `EndpointStatus`.
    pub(super) status: String,
    pub(super) config: Option<String>,
    pub(super) failure: Option<String>,
    /// Server time in milliseconds.
    pub(super) now: i64,
    /// How many times as fast as the wall's the server's time is.
    pub(super) time_scale: f64,
    pub(super) variants: Vec<Variant>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) current: i32,
    pub(super) desired: i32,
    /// None where the variant is not registered.
    pub(super) target: Option<Target>,
    /// Requests per minute over the last minutes, oldest first; none where there was no data.
    pub(super) requests: Vec<Option<f64>>,
    /// What the policy looks at over the same minutes, or else requests per minute and instance.
    pub(super) load: Load,
    /// In the order of policies and of their alarms.
    pub(super) alarms: Vec<Alarm>,
    pub(super) cooldowns: Vec<Cooldown>,
    /// Newest first.
    pub(super) activities: Vec<Activity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Target {
    pub(super) min: i32,
    pub(super) max: i32,
    pub(super) suspended: bool,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Load {
    pub(super) unit: Unit,
    pub(super) values: Vec<Option<f64>>,
    /// The value that a policy keeps it at.
    pub(super) wanted: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Unit {
    #[default]
    RequestsPerInstance,
    ConcurrentRequests,
}

impl Unit {
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::RequestsPerInstance => "per instance",
            Self::ConcurrentRequests => "concurrent",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Alarm {
    pub(super) name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub(super) state: String,
    pub(super) since: i64,
}

impl Alarm {
    /// `AlarmHigh` for those that Application Auto Scaling made, which have long names; otherwise the name.
    pub(super) fn short(&self) -> &str {
        let made = self.name.starts_with("TargetTracking-");
        ["AlarmHigh", "AlarmLow"]
            .into_iter()
            .find(|side| made && self.name.contains(&format!("-{side}-")))
            .unwrap_or(&self.name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cooldown {
    /// `In` or `Out`.
    pub(super) direction: String,
    pub(super) until: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) status: String,
    pub(super) description: String,
    /// Why nothing came of it, as AWS's codes have it.
    pub(super) reasons: Vec<String>,
}

impl Activity {
    /// `Setting desired instance count to 4.`, or the attempt with the code of why it came to nothing.
    pub(super) fn in_words(&self) -> String {
        if self.reasons.is_empty() {
            return self.description.clone();
        }
        format!("Not scaled: {}.", self.reasons.join(", "))
    }
}

impl Variant {
    /// The latest value that there is.
    pub(super) fn requests_now(&self) -> Option<f64> {
        latest(&self.requests)
    }
}

impl Load {
    pub(super) fn now(&self) -> Option<f64> {
        latest(&self.values)
    }
}

fn latest(values: &[Option<f64>]) -> Option<f64> {
    values.iter().rev().find_map(|value| *value)
}

impl View {
    /// For programs.
    pub(super) fn json(&self) -> Json {
        json!({
            "EndpointName": self.endpoint,
            "EndpointStatus": self.status,
            "EndpointConfigName": self.config,
            "FailureReason": self.failure,
            "Now": instant(self.now),
            "Variants": self.variants.iter().map(Variant::json).collect::<Vec<_>>(),
        })
    }
}

impl Variant {
    fn json(&self) -> Json {
        let alarm = |one: &Alarm| json!({"AlarmName": one.name, "StateValue": one.state, "Since": instant(one.since)});
        let cooldown =
            |one: &Cooldown| json!({"Direction": one.direction, "Until": instant(one.until)});
        let activity = |one: &Activity| {
            json!({"ActivityId": one.id, "StartTime": instant(one.at), "StatusCode": one.status,
                   "Description": one.description, "NotScaledReasons": one.reasons})
        };
        json!({
            "VariantName": self.name,
            "CurrentInstanceCount": self.current,
            "DesiredInstanceCount": self.desired,
            "MinCapacity": self.target.map(|target| target.min),
            "MaxCapacity": self.target.map(|target| target.max),
            "Suspended": self.target.map(|target| target.suspended),
            "RequestsPerMinute": self.requests,
            "Load": self.load.values,
            "LoadUnit": self.load.unit.in_words(),
            "TargetValue": self.load.wanted,
            "Alarms": self.alarms.iter().map(alarm).collect::<Vec<_>>(),
            "Cooldowns": self.cooldowns.iter().map(cooldown).collect::<Vec<_>>(),
            "Activities": self.activities.iter().map(activity).collect::<Vec<_>>(),
        })
    }
}
