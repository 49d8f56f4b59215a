//! What happens to alarms, decisions and activities while time passes: a line each, as it happens.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use domain::alarm::{Alarm, AlarmName, Reading, StateValue};
use domain::scaling::{
    Activity, Decision, NotScaled, Outcome, Recent, ResourceId, TargetKey, explain,
};
use domain::time::{Clock, Timestamp};
use store::State;
use store::record::ActivityKey;

use crate::world::World;

/// Datapoints of an alarm that are shown.
const SHOWN: usize = 3;

/// What was shown already.
#[derive(Debug, Default)]
pub(super) struct Happened {
    state: Option<Arc<State>>,
    alarms: BTreeMap<AlarmName, StateValue>,
    activities: BTreeMap<ActivityKey, Arc<Activity>>,
    /// The newest decision of each target.
    decisions: BTreeMap<TargetKey, Timestamp>,
}

impl Happened {
    /// Shows what is new.
    pub(super) fn look(&mut self, world: &World, out: &mut String) {
        let state = world.state();
        let beginning = world.beginning();
        let at = Offset(world.clock.now().since(beginning));
        let changed = self.state.as_ref().is_none_or(|before| !Arc::ptr_eq(before, &state));
        if changed {
            self.alarms(&state, at, out);
            self.ends(&state, at, out);
        }
        for (key, target) in &state.targets {
            self.decisions(&target.resource, &world.decisions(key), beginning, out);
        }
        if changed {
            self.begins(&state, at, out);
            self.state = Some(state);
        }
    }

    fn alarms(&mut self, state: &State, at: Offset, out: &mut String) {
        for alarm in state.alarms.values() {
            let (name, value) = (&alarm.name, alarm.state.value);
            let before = self.alarms.insert(name.clone(), value);
            if before == Some(value) {
                continue;
            }
            let _ = write!(out, "{at} alarm {}: ", short(&name.to_string()));
            let _ = match before {
                Some(before) => {
                    write!(out, "{} -> {}{}", before.as_str(), value.as_str(), seen(alarm))
                }
                None => write!(out, "new, {}", value.as_str()),
            };
            out.push('\n');
        }
        self.alarms.retain(|name, _| {
            let kept = state.alarms.contains_key(name);
            if !kept {
                let _ = writeln!(out, "{at} alarm {}: gone", short(&name.to_string()));
            }
            kept
        });
    }

    fn decisions(
        &mut self,
        resource: &ResourceId,
        recent: &[Recent],
        beginning: Timestamp,
        out: &mut String,
    ) {
        let key = TargetKey::from(resource);
        let shown = self.decisions.get(&key).copied();
        let new = recent.iter().filter(|one| shown.is_none_or(|shown| one.since > shown));
        for one in new.rev() {
            let at = Offset(one.since.since(beginning));
            tell(resource, &one.decision, at, out);
            self.decisions.insert(key.clone(), one.since);
        }
    }

    /// Activities that were under way and are over.
    fn ends(&mut self, state: &State, at: Offset, out: &mut String) {
        for (key, before) in &mut self.activities {
            let Some(now) = state.activities.get(key) else { continue };
            if now.status != before.status {
                let (name, status) = (name(&now.resource), now.status.as_str());
                let message = now.status_message.as_deref().unwrap_or_default();
                let _ = writeln!(out, "{at} activity {name} {status}: {message}");
            }
            before.clone_from(now);
        }
    }

    /// Activities that are new.
    fn begins(&mut self, state: &State, at: Offset, out: &mut String) {
        for (key, activity) in &state.activities {
            if self.activities.insert(key.clone(), Arc::clone(activity)).is_some() {
                continue;
            }
            let status = activity.status.as_str();
            let begun = || {
                let message = activity.status_message.as_deref().unwrap_or_default();
                format!("{} {message}", activity.description)
            };
            let what = activity.not_scaled.map_or_else(begun, reason);
            let (name, cause) = (name(&activity.resource), short(&activity.cause));
            let _ = writeln!(out, "{at} activity {name} {status}: {what} ({cause})");
        }
    }
}

/// What an alarm saw.
fn seen(alarm: &Alarm) -> String {
    let reading = alarm.state.reason_data.as_deref().and_then(Reading::of);
    let Some(Reading { recent, threshold, .. }) = reading else {
        return format!(" ({})", alarm.state.reason);
    };
    let from = recent.len().saturating_sub(SHOWN);
    let more = if from > 0 { "…, " } else { "" };
    let rounded = |value: &f64| ((value * 1000.0).round() / 1000.0).to_string();
    let latest: Vec<String> = recent[from..].iter().map(rounded).collect();
    format!(" [{more}{}] by {threshold}", latest.join(", "))
}

fn tell(resource: &ResourceId, decision: &Decision, at: Offset, out: &mut String) {
    let kept = decision.capacity.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let what = match &decision.outcome {
        Outcome::ScaleTo { direction, change } => {
            let way = match direction {
                domain::scaling::Direction::Out => "scale-out",
                domain::scaling::Direction::In => "scale-in",
            };
            format!("{way} {} {} -> {}", name(resource), change.from, change.to)
        }
        Outcome::NotScaled { why, .. } => {
            format!("hold {} {kept}: {}", name(resource), reason(*why))
        }
        Outcome::Held(_) => format!("hold {} {kept}", name(resource)),
        Outcome::Nothing => format!("nothing {} {kept}", name(resource)),
    };
    let _ = writeln!(out, "{at} {what}");
    for one in &decision.considered {
        let _ = writeln!(out, "    {}", short(&explain::considered(one, decision.at)));
    }
}

fn reason(why: NotScaled) -> String {
    match why {
        NotScaled::AlreadyAtMaxCapacity { max } => format!("{} {max}", why.code()),
        NotScaled::AlreadyAtMinCapacity { min } => format!("{} {min}", why.code()),
        NotScaled::AlreadyAtDesiredCapacity { current: Some(current) } => {
            format!("{} {current}", why.code())
        }
        NotScaled::AlreadyAtDesiredCapacity { current: None }
        | NotScaled::TargetServicePutResourceAsUnscalable
        | NotScaled::AutoScalingAnticipatedFlapping => why.code().to_owned(),
    }
}

fn name(resource: &ResourceId) -> String {
    format!("{}/{}", resource.endpoint, resource.variant)
}

/// A text in which the names of alarms that Application Auto Scaling made are as short as scripts write them:
/// `e/v-AlarmHigh-3` for `TargetTracking-endpoint/e/variant/v-AlarmHigh-00000000-0000-4000-8000-000000000003`.
pub(super) fn short(text: &str) -> String {
    const ZEROS: &str = "00000000-0000-4000-8000-";
    let mut parts = text.split(ZEROS);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches('0'));
    }
    out.replace("TargetTracking-endpoint/", "").replace("/variant/", "/")
}

/// The alarm that [`short`] makes this of, or else the name as it is.
pub(super) fn full(state: &State, name: &str) -> String {
    let found = state.alarms.keys().map(ToString::to_string).find(|full| short(full) == name);
    found.unwrap_or_else(|| name.to_owned())
}

/// Time since the beginning of a script: `+1h3m11s`, with what is less than a second as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offset(pub(super) Duration);

impl fmt::Display for Offset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, millis) = (self.0.as_secs(), self.0.subsec_millis());
        out.write_str("+")?;
        for (unit, length, within) in [("d", 86_400, u64::MAX), ("h", 3600, 24), ("m", 60, 60)] {
            let count = secs / length % within;
            if secs >= length {
                write!(out, "{count}{unit}")?;
            }
        }
        write!(out, "{}", secs % 60)?;
        if millis > 0 {
            write!(out, ".{millis:03}")?;
        }
        out.write_str("s")
    }
}
