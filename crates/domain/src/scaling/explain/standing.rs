//! Sentences about how things stand: the target, its policies and alarms, what cools down, what is scheduled.

use super::text::{instances, moment, number, periods, span, time, until};
use crate::alarm::{Alarm, Comparison, Config, StateValue, Watch};
use crate::metric::{Query, Source};
use crate::scaling::policy::{HIGH_PERIODS, low_periods, low_threshold};
use crate::scaling::{
    Direction, Facts, InFlight, Memory, Plan, Policy, ScheduledAction, Side, StepScaling,
    TargetTracking, TrackedMetric,
};
use crate::time::Timestamp;

/// The period of metric math that names none.
const MATH_PERIOD_SECS: u32 = 60;

/// A cooldown that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cooldown {
    pub direction: Direction,
    pub until: Timestamp,
    pub text: String,
}

/// The cooldowns that hold something back now.
pub fn cooldowns(memory: &Memory, now: Timestamp) -> Vec<Cooldown> {
    let out = memory.scaled_out.map(|last| Cooldown {
        direction: Direction::Out,
        until: last.until(),
        text: format!(
            "Scale-out cooldown {}: scales out only for more than what the scale-out from {}, completed at {}, gave.",
            until(last.until(), now),
            last.base,
            time(last.at)
        ),
    });
    let back = memory.scaled_in.map(|last| Cooldown {
        direction: Direction::In,
        until: last.until(),
        text: format!(
            "Scale-in cooldown {}: does not scale in so soon after the scale-in completed at {}; a scale-out ends it.",
            until(last.until(), now),
            time(last.at)
        ),
    });
    out.into_iter().chain(back).filter(|one| now < one.until).collect()
}

/// The change that is under way, if there is one.
pub fn in_flight(memory: &Memory) -> Option<String> {
    let InFlight { from, to, started_at, .. } = memory.in_flight?;
    Some(format!(
        "Since {}, the endpoint is going from {from} to {}; until it is InService, no alarm changes that.",
        time(started_at),
        instances(to)
    ))
}

/// How a target stands: its capacity and bounds, and the first thing that holds it where it is.
pub fn summary(facts: &Facts<'_>) -> String {
    let target = facts.target;
    let bounds = format!("between {} and {}", target.min, target.max);
    let Some(resource) = facts.resource else {
        return format!(
            "The endpoint does not serve the variant; it would keep {bounds} instances."
        );
    };
    let mut text =
        format!("{} wanted, {} running, {bounds}.", instances(resource.desired), resource.current);
    let hold = in_flight(&target.memory).or_else(|| {
        (!resource.is_scalable()).then(|| {
            format!(
                "The endpoint is {}: nothing is decided until it is InService.",
                resource.stage.status()
            )
        })
    });
    let holds = hold
        .into_iter()
        .chain(suspended(facts))
        .chain(alone(facts))
        .chain(cooldowns(&target.memory, facts.now).into_iter().map(|one| one.text));
    for hold in holds {
        text.push(' ');
        text.push_str(&hold);
    }
    text
}

fn suspended(facts: &Facts<'_>) -> Vec<String> {
    let state = facts.target.suspended;
    let flags = [
        (state.dynamic_out, "Scaling out by policies is suspended."),
        (state.dynamic_in, "Scaling in by policies is suspended."),
        (state.scheduled, "Scheduled actions are suspended."),
    ];
    flags.into_iter().filter(|(on, _)| *on).map(|(_, text)| text.to_owned()).collect()
}

fn alone(facts: &Facts<'_>) -> Option<String> {
    facts.policies.is_empty().then(|| "No policy would change that.".to_owned())
}

/// What would make a policy scale.
pub fn policy(policy: &Policy) -> String {
    let text = match &policy.plan {
        Plan::TargetTracking(plan) => tracking(plan),
        Plan::StepScaling(plan) => step(plan),
    };
    format!("Policy {} {text}", policy.name)
}

fn tracking(plan: &TargetTracking) -> String {
    let secs = plan.metric.period_secs();
    let back = if plan.scales_in() {
        let low = low_threshold(plan);
        let count = low_periods(&plan.metric);
        format!("and in when it is below {} for {}", number(low), periods(count, secs))
    } else {
        "and never scales in".to_owned()
    };
    format!(
        "keeps {} at {}: it scales out when that is above {} for {}, {back}.",
        metric(&plan.metric),
        number(plan.target_value),
        number(plan.target_value),
        periods(HIGH_PERIODS, secs)
    )
}

fn metric(metric: &TrackedMetric) -> String {
    match metric {
        TrackedMetric::InvocationsPerInstance => "invocations per minute and instance".to_owned(),
        TrackedMetric::ConcurrentRequestsPerModelHighResolution => {
            "concurrent requests per model".to_owned()
        }
        TrackedMetric::Customized(stat) => {
            format!("the {} of {} {}", stat.statistic, stat.metric.namespace, stat.metric.name)
        }
        TrackedMetric::CustomizedMath(queries) => math(queries),
    }
}

fn math(queries: &[Query]) -> String {
    let shown = queries.iter().find(|query| query.return_data != Some(false));
    match shown.map(|query| &query.source) {
        Some(Source::Expression { text, .. }) => format!("the expression {text}"),
        Some(Source::Metric(stat)) => format!("the {} of {}", stat.statistic, stat.metric.name),
        None => "an expression".to_owned(),
    }
}

fn step(plan: &StepScaling) -> String {
    let steps = plan.steps.len();
    let steps = if steps == 1 { "step".to_owned() } else { format!("{steps} steps") };
    format!(
        "changes capacity by its {steps} ({}) when an alarm calls it.",
        plan.adjustment.as_str()
    )
}

/// When an alarm of a policy calls it, and how it stands.
pub fn alarm(side: Side, alarm: &Alarm) -> String {
    let name = match side {
        Side::High => "AlarmHigh".to_owned(),
        Side::Low => "AlarmLow".to_owned(),
        Side::Step => format!("Alarm {}", alarm.name),
    };
    let state = match alarm.state.value {
        StateValue::Ok => "it is OK",
        StateValue::Alarm => "it is in ALARM",
        StateValue::InsufficientData => "it has too little data",
    };
    let since = moment(alarm.state.transitioned_at);
    let actions = if alarm.config.actions_enabled {
        ""
    } else {
        "; its actions are disabled, so that it calls nobody"
    };
    format!("{name} fires when {}; {state} since {since}{actions}.", condition(&alarm.config))
}

fn condition(config: &Config) -> String {
    let way = match config.comparison {
        Comparison::GreaterThanOrEqualToThreshold => "at or above",
        Comparison::GreaterThanThreshold => "above",
        Comparison::LessThanThreshold => "below",
        Comparison::LessThanOrEqualToThreshold => "at or below",
    };
    let needed = config.datapoints_to_alarm.unwrap_or(config.evaluation_periods);
    let secs = period_secs(&config.watch);
    let count = config.evaluation_periods;
    let how_long = if needed == count {
        format!("for {}", periods(count, secs))
    } else {
        format!("in {needed} of {count} periods of {secs} s")
    };
    let what = match &config.watch {
        Watch::Metric(stat) => format!("the {} of {}", stat.statistic, stat.metric.name),
        Watch::Math(queries) => math(queries),
    };
    format!("{what} is {way} {} {how_long}", number(config.threshold))
}

/// The period of what an alarm watches; of metric math, the first that is named.
fn period_secs(watch: &Watch) -> u32 {
    let of_query = |query: &Query| match &query.source {
        Source::Metric(stat) => stat.period,
        Source::Expression { period, .. } => *period,
    };
    let period = match watch {
        Watch::Metric(stat) => stat.period,
        Watch::Math(queries) => queries.iter().find_map(of_query),
    };
    period.unwrap_or(MATH_PERIOD_SECS)
}

/// What a scheduled action does, and when next.
pub fn scheduled_action(
    action: &ScheduledAction,
    next: Option<Timestamp>,
    now: Timestamp,
) -> String {
    let when = next.map_or_else(
        || "does not run any more".to_owned(),
        |next| format!("runs next at {} (in {})", moment(next), span(next.since(now))),
    );
    let zone = action.timezone.as_deref().unwrap_or("UTC");
    format!(
        "Scheduled action {} ({}, {zone}) sets {}; it {when}.",
        action.name,
        action.schedule,
        action.effect()
    )
}
