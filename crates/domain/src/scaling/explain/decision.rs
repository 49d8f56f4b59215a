//! Sentences about one decision and the triggers that it weighed.

use super::text::{instances, number, numbers, time, until};
use crate::alarm::{AlarmName, StateValue};
use crate::scaling::{
    AdjustmentType, Cause, Considered, Decision, Direction, Hold, Law, NotScaled, Outcome, Side,
    Step, Verdict,
};
use crate::time::Timestamp;

impl Decision {
    /// `ScaleOut`, `ScaleIn` or `Hold`.
    pub fn name(&self) -> &'static str {
        match &self.outcome {
            Outcome::ScaleTo { direction, .. } => direction.as_str(),
            Outcome::NotScaled { .. } | Outcome::Held(_) | Outcome::Nothing => "Hold",
        }
    }

    /// The trigger that the outcome is about; the first where it is about none more than another.
    pub fn leading(&self) -> Option<&Considered> {
        let named = match &self.outcome {
            Outcome::ScaleTo { change, .. } => match &change.cause {
                Cause::Alarm { policy, alarm } => Some((policy, alarm)),
                Cause::Schedule { .. } | Cause::MinimumSet(_) | Cause::MaximumSet(_) => None,
            },
            Outcome::NotScaled { policy, alarm, .. } => Some((policy, alarm)),
            Outcome::Held(hold) => self.held_by(hold),
            Outcome::Nothing => None,
        };
        let is_named = |one: &&Considered| named == Some((&one.policy, &one.alarm));
        self.considered.iter().find(is_named).or_else(|| self.considered.first())
    }

    fn held_by(&self, hold: &Hold) -> Option<(&String, &AlarmName)> {
        let is_held = |one: &&Considered| matches!(&one.verdict, Verdict::Held(by) if by == hold);
        self.considered.iter().find(is_held).map(|one| (&one.policy, &one.alarm))
    }

    /// The capacity that there would be, had nothing held the decision back.
    pub fn wanted(&self) -> Option<u32> {
        self.leading()?.wanted
    }
}

/// What was decided, and why, trigger by trigger.
pub fn decision(decision: &Decision) -> String {
    let mut text = format!("{}: {}.", time(decision.at), headline(decision));
    for one in &decision.considered {
        text.push(' ');
        text.push_str(&considered(one, decision.at));
    }
    text
}

fn headline(decision: &Decision) -> String {
    let kept = decision.capacity.map_or_else(
        || "nothing to scale".to_owned(),
        |count| format!("stays at {}", instances(count)),
    );
    match &decision.outcome {
        Outcome::ScaleTo { direction, change } => {
            let way = match direction {
                Direction::Out => "out",
                Direction::In => "in",
            };
            format!("scales {way} from {} to {}", change.from, instances(change.to))
        }
        Outcome::NotScaled { .. } | Outcome::Held(_) => kept,
        Outcome::Nothing => format!("{kept}, no alarm calls"),
    }
}

/// What one trigger saw, what it would have done, and what became of it.
pub fn considered(one: &Considered, now: Timestamp) -> String {
    let mut parts = vec![format!("{}: {}", subject(one), seen(one))];
    let wish = wish(one);
    if !wish.is_empty() {
        parts[0].push_str(": ");
        parts[0].push_str(&wish);
    }
    parts.push(verdict(one, now));
    format!("{}.", parts.join("; "))
}

fn subject(one: &Considered) -> String {
    match one.side {
        Side::High => format!("AlarmHigh of policy {}", one.policy),
        Side::Low => format!("AlarmLow of policy {}", one.policy),
        Side::Step => format!("Alarm {} of step policy {}", one.alarm, one.policy),
    }
}

fn seen(one: &Considered) -> String {
    let metric = &one.metric;
    let list = numbers(metric.latest());
    let which = if metric.count > metric.latest().len() { "latest " } else { "" };
    let threshold = number(one.threshold);
    match (metric.count, one.side) {
        (0, _) => "no datapoints that can be reckoned with".to_owned(),
        (count, Side::High) => {
            format!("{} of {count} datapoints above {threshold} ({which}{list})", metric.beyond)
        }
        (count, Side::Low) => {
            format!("{} of {count} datapoints below {threshold} ({which}{list})", metric.beyond)
        }
        (count, Side::Step) => format!(
            "{} from {count} datapoints ({which}{list}) with the threshold at {threshold}",
            number(metric.value)
        ),
    }
}

/// What it would have done without any constraint, and how that comes about.
fn wish(one: &Considered) -> String {
    let (Some(wanted), Some(law)) = (one.wanted, one.law) else { return String::new() };
    let how = match law {
        Law::Proportional { base, target } => {
            format!("{base} x {} / {}, rounded up", number(one.metric.value), number(target))
        }
        Law::Step { step: None, distance, .. } => {
            format!("no step covers {} from the threshold", number(distance))
        }
        Law::Step { base, kind, step: Some(step), .. } => {
            format!("step {}: {}", interval(&step), adjustment(base, kind, step.adjustment))
        }
    };
    format!("wants {} ({how})", instances(wanted))
}

fn interval(step: &Step) -> String {
    match (step.lower, step.upper) {
        (Some(lower), Some(upper)) => format!("from {} to {}", number(lower), number(upper)),
        (Some(lower), None) => format!("from {} up", number(lower)),
        (None, Some(upper)) => format!("from {} down", number(upper)),
        (None, None) => "for all values".to_owned(),
    }
}

fn adjustment(base: u32, kind: AdjustmentType, by: i32) -> String {
    match kind {
        AdjustmentType::ChangeInCapacity => format!("{base} {by:+}"),
        AdjustmentType::PercentChangeInCapacity => format!("{base} {by:+} %"),
        AdjustmentType::ExactCapacity => format!("exactly {by}"),
    }
}

fn verdict(one: &Considered, now: Timestamp) -> String {
    match &one.verdict {
        Verdict::Chosen => match (one.wanted, one.bounded) {
            (Some(wanted), Some(bounded)) if bounded != wanted => match one.credited {
                None => {
                    format!("granted {}, as bounds and other policies have it", instances(bounded))
                }
                Some(_) => format!(
                    "granted {}, as counted from before the last scale-out",
                    instances(bounded)
                ),
            },
            _ => "granted".to_owned(),
        },
        Verdict::Outweighed { by } => format!("gives way to policy {by}, which keeps more"),
        Verdict::NotScaled(why) => not_scaled(*why),
        Verdict::Held(hold) => held(one, hold, now),
    }
}

fn not_scaled(why: NotScaled) -> String {
    match why {
        NotScaled::AlreadyAtMaxCapacity { max } => {
            format!("not done, the maximum is {}", instances(max))
        }
        NotScaled::AlreadyAtMinCapacity { min } => {
            format!("not done, the minimum is {}", instances(min))
        }
        NotScaled::AlreadyAtDesiredCapacity { current: Some(current) } => {
            format!("not done, there should be {} already", instances(current))
        }
        NotScaled::AlreadyAtDesiredCapacity { current: None } => {
            "waits for the change of capacity that is under way".to_owned()
        }
        NotScaled::TargetServicePutResourceAsUnscalable => {
            "waits until the endpoint, which is changing, is InService".to_owned()
        }
        NotScaled::AutoScalingAnticipatedFlapping => {
            "not done, the next alarm would undo it".to_owned()
        }
    }
}

fn held(one: &Considered, hold: &Hold, now: Timestamp) -> String {
    match hold {
        Hold::ScaleOutCooldown { until: end } => {
            let more = one.credited.map_or_else(String::new, |credited| {
                format!(
                    ", as counted from before the last scale-out it wants {}",
                    instances(credited)
                )
            });
            format!("held by the scale-out cooldown {}{more}", until(*end, now))
        }
        Hold::ScaleInCooldown { until: end } => {
            format!("held by the scale-in cooldown {}", until(*end, now))
        }
        Hold::Suspended(Direction::Out) => {
            "held because DynamicScalingOutSuspended is set".to_owned()
        }
        Hold::Suspended(Direction::In) => {
            "held because DynamicScalingInSuspended is set".to_owned()
        }
        Hold::Vetoed { by, low } => format!(
            "held by policy {by}, which does not agree to scale in: its AlarmLow {}",
            low.map_or("is gone", state)
        ),
        Hold::NoPolicy => "the policy is gone".to_owned(),
        Hold::NoResource => "the endpoint does not serve the variant".to_owned(),
        Hold::NoValue => "nothing can be reckoned from that".to_owned(),
        Hold::FromZero => {
            "target tracking cannot multiply 0 instances; a step policy can add to them".to_owned()
        }
    }
}

const fn state(value: StateValue) -> &'static str {
    match value {
        StateValue::Ok => "is OK",
        StateValue::Alarm => "is in ALARM",
        StateValue::InsufficientData => "has too little data",
    }
}
