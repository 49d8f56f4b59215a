//! Weighs the triggers of one moment against what holds them back, and against each other.

use super::law::metric;
use super::{
    Considered, Decision, Direction, Facts, Hold, LATEST_KEPT, Law, Metric, Outcome, Side, Trigger,
    Verdict, Watched,
};
use crate::alarm::StateValue;
use crate::scaling::{Cause, Change, NotScaled, Plan, Resource, Target, TargetTracking};

/// Decides for one target.
pub fn decide(facts: &Facts<'_>) -> Decision {
    let mut considered: Vec<Considered> =
        facts.triggers.iter().map(|trigger| consider(facts, trigger)).collect();
    let outcome = choose(facts, &mut considered);
    let capacity = facts.resource.map(|resource| resource.desired);
    Decision { at: facts.now, capacity, outcome, considered }
}

/// A trigger by itself. `Chosen` is what it would be, were there no other.
fn consider(facts: &Facts<'_>, trigger: &Trigger<'_>) -> Considered {
    let mut considered = Considered {
        policy: trigger.policy.to_owned(),
        alarm: trigger.alarm.clone(),
        side: trigger.side,
        metric: Metric { value: f64::NAN, count: 0, beyond: 0, latest: [0.0; LATEST_KEPT] },
        threshold: trigger.threshold,
        law: None,
        wanted: None,
        credited: None,
        bounded: None,
        verdict: Verdict::Chosen,
    };
    considered.verdict = match weigh(facts, trigger, &mut considered) {
        Ok(()) => Verdict::Chosen,
        Err(verdict) => verdict,
    };
    considered
}

fn weigh(facts: &Facts<'_>, trigger: &Trigger<'_>, out: &mut Considered) -> Result<(), Verdict> {
    let held = |hold| Err(Verdict::Held(hold));
    let policy = |one: &&Watched<'_>| one.policy.name == trigger.policy;
    let Some(watched) = facts.policies.iter().find(policy) else { return held(Hold::NoPolicy) };
    let Some(resource) = facts.resource else { return held(Hold::NoResource) };
    let plan = &watched.policy.plan;
    let Some(metric) = metric(plan, trigger) else { return held(Hold::NoValue) };
    out.metric = metric;
    let current = resource.desired;
    if current == 0 && matches!(plan, Plan::TargetTracking(_)) {
        return held(Hold::FromZero);
    }
    let Some(law) = law(plan, current, metric.value, trigger.threshold) else {
        return held(Hold::NoValue);
    };
    out.law = Some(law);
    let wanted = law.wanted(metric.value, magnitude(plan));
    out.wanted = Some(wanted);
    let direction = direction(trigger.side, current, wanted);
    let mut credited = wanted;
    match direction {
        Some(Direction::Out) => {
            credited = held_out(facts, plan, trigger, (wanted, current, metric.value), out)?;
        }
        Some(Direction::In) => held_in(facts, watched, trigger)?,
        None => {}
    }
    fit(facts.target, resource, direction, credited, out)
}

/// What a policy makes of a value; nothing where the distance from the threshold is not a number.
fn law(plan: &Plan, base: u32, value: f64, threshold: f64) -> Option<Law> {
    match plan {
        Plan::TargetTracking(plan) => Some(plan.law(base)),
        Plan::StepScaling(_) if (value - threshold).is_nan() => None,
        Plan::StepScaling(plan) => Some(plan.law(base, value, threshold)),
    }
}

fn magnitude(plan: &Plan) -> Option<u32> {
    match plan {
        Plan::TargetTracking(_) => None,
        Plan::StepScaling(plan) => plan.min_magnitude,
    }
}

/// Where a trigger wants to go. A high alarm only raises, a low one only lowers.
fn direction(side: Side, current: u32, wanted: u32) -> Option<Direction> {
    let direction = Direction::of(current, wanted)?;
    let fits = match side {
        Side::High => direction == Direction::Out,
        Side::Low => direction == Direction::In,
        Side::Step => true,
    };
    fits.then_some(direction)
}

/// What holds a scale-out back. Answers with what it wants, given what the last one already gave.
fn held_out(
    facts: &Facts<'_>,
    plan: &Plan,
    trigger: &Trigger<'_>,
    (wanted, current, value): (u32, u32, f64),
    out: &mut Considered,
) -> Result<u32, Verdict> {
    if facts.target.suspended.dynamic_out {
        return Err(Verdict::Held(Hold::Suspended(Direction::Out)));
    }
    let cooling = facts.target.memory.scaled_out.filter(|last| facts.now < last.until());
    let Some(last) = cooling else { return Ok(wanted) };
    let base = last.base.min(current);
    let credited = law(plan, base, value, trigger.threshold)
        .map_or(wanted, |law| law.wanted(value, magnitude(plan)));
    out.credited = Some(credited);
    if credited <= current {
        return Err(Verdict::Held(Hold::ScaleOutCooldown { until: last.until() }));
    }
    Ok(credited)
}

/// What holds a scale-in back.
fn held_in(facts: &Facts<'_>, watched: &Watched<'_>, trigger: &Trigger<'_>) -> Result<(), Verdict> {
    if trigger.side == Side::Low
        && let Some(other) = facts.policies.iter().find(|other| vetoes(watched, other))
    {
        let by = other.policy.name.clone();
        return Err(Verdict::Held(Hold::Vetoed { by, low: other.low }));
    }
    if facts.target.suspended.dynamic_in {
        return Err(Verdict::Held(Hold::Suspended(Direction::In)));
    }
    let cooling = facts.target.memory.scaled_in.filter(|last| facts.now < last.until());
    cooling.map_or(Ok(()), |last| Err(Verdict::Held(Hold::ScaleInCooldown { until: last.until() })))
}

/// Whether another policy that tracks a target and scales in is not ready to (section 2.5).
fn vetoes(policy: &Watched<'_>, other: &Watched<'_>) -> bool {
    policy.policy.name != other.policy.name
        && scales_in(other).is_some()
        && other.low != Some(StateValue::Alarm)
}

fn scales_in<'a>(watched: &Watched<'a>) -> Option<&'a TargetTracking> {
    match &watched.policy.plan {
        Plan::TargetTracking(plan) => Some(plan).filter(|plan| plan.scales_in()),
        Plan::StepScaling(_) => None,
    }
}

/// Fits a wish into the bounds and into what the endpoint is doing.
///
/// A busy endpoint comes first: while it is changing, nothing is decided for it, and the activity says so (promise S7).
/// A change of ours in flight has a code of its own, without the capacity (section 5.3).
fn fit(
    target: &Target,
    resource: Resource,
    direction: Option<Direction>,
    wanted: u32,
    out: &mut Considered,
) -> Result<(), Verdict> {
    let not_scaled = |why| Err(Verdict::NotScaled(why));
    let bounds = target.bounds();
    let current = resource.desired;
    let bounded = bounds.clamp(wanted);
    out.bounded = Some(bounded);
    if target.memory.in_flight.is_some() {
        return not_scaled(NotScaled::AlreadyAtDesiredCapacity { current: None });
    }
    if !resource.is_scalable() {
        return not_scaled(NotScaled::TargetServicePutResourceAsUnscalable);
    }
    // A capacity that a user has set outside the bounds may lie beyond the one that the trigger would go to: going
    // there would be against its direction.
    match direction {
        Some(Direction::Out) if bounded <= current => {
            not_scaled(NotScaled::AlreadyAtMaxCapacity { max: bounds.max })
        }
        Some(Direction::In) if bounded >= current => {
            not_scaled(NotScaled::AlreadyAtMinCapacity { min: bounds.min })
        }
        Some(_) => Ok(()),
        None => not_scaled(NotScaled::AlreadyAtDesiredCapacity { current: Some(current) }),
    }
}

/// Chooses among what the triggers want: out before in, the largest capacity among those of one direction.
fn choose(facts: &Facts<'_>, considered: &mut [Considered]) -> Outcome {
    let Some(current) = facts.resource.map(|resource| resource.desired) else {
        return left(facts, considered);
    };
    let chosen = considered.iter().enumerate().filter(|(_, one)| one.verdict == Verdict::Chosen);
    // The first of equals, so that the same facts always name the same policy.
    let winner = chosen
        .filter_map(|(index, one)| Some((one.bounded?, index)))
        .max_by_key(|(wanted, index)| (*wanted, std::cmp::Reverse(*index)));
    let Some((wanted, index)) = winner else { return left(facts, considered) };
    let winning = considered[index].policy.clone();
    for (other, one) in considered.iter_mut().enumerate() {
        if other != index && one.verdict == Verdict::Chosen {
            one.verdict = Verdict::Outweighed { by: winning.clone() };
        }
    }
    let tracking_scales_in = considered.iter().any(|one| {
        one.side == Side::Low && matches!(one.verdict, Verdict::Chosen | Verdict::Outweighed { .. })
    });
    let to = if wanted < current && tracking_scales_in {
        agreed(facts, considered, wanted)
    } else {
        wanted
    };
    let won = &mut considered[index];
    won.bounded = Some(to);
    let Some(direction) = Direction::of(current, to) else {
        // Another policy that agrees to scale in would keep all that there is.
        let why = NotScaled::AlreadyAtDesiredCapacity { current: Some(current) };
        won.verdict = Verdict::NotScaled(why);
        return left(facts, considered);
    };
    let plan = facts.policies.iter().find(|one| one.policy.name == won.policy);
    let cooldown_secs = plan.map(|one| match direction {
        Direction::Out => one.policy.plan.scale_out_cooldown_secs(),
        Direction::In => one.policy.plan.scale_in_cooldown_secs(),
    });
    let cause = Cause::Alarm { policy: won.policy.clone(), alarm: won.alarm.clone() };
    Outcome::ScaleTo { direction, change: Change { from: current, to, cause, cooldown_secs } }
}

/// The largest of what the policies that track a target would keep, and within the bounds: by what those see that call,
/// whether or not that is a change, and by what the low alarms of the others saw last. They need not all call at the same
/// moment: a high-resolution alarm does so six times as often.
fn agreed(facts: &Facts<'_>, considered: &[Considered], wanted: u32) -> u32 {
    let Some(resource) = facts.resource else { return wanted };
    let calling = || considered.iter().filter(|one| one.side == Side::Low);
    let kept = facts
        .policies
        .iter()
        .filter(|one| !calling().any(|calling| calling.policy == one.policy.name))
        .filter(|one| one.low == Some(StateValue::Alarm))
        .filter_map(|one| {
            let value = one.low_mean.filter(|value| !value.is_nan())?;
            Some(scales_in(one)?.law(resource.desired).wanted(value, None))
        });
    let kept = kept.chain(calling().filter_map(|one| one.wanted));
    let most = kept.fold(wanted, u32::max).min(resource.desired);
    facts.target.bounds().clamp(most)
}

/// What is left to say when nothing is done.
fn left(facts: &Facts<'_>, considered: &[Considered]) -> Outcome {
    let not_scaled = considered.iter().filter_map(|one| match &one.verdict {
        Verdict::NotScaled(why) => Some((one, *why)),
        _ => None,
    });
    // What was recorded last goes first, so that two policies that come to nothing at once do not take turns in the
    // record; then the one that wants most.
    let noted = facts.target.memory.not_scaled.as_ref();
    let is_noted = |one: &Considered, why: NotScaled| {
        noted.is_some_and(|noted| noted.policy == one.policy && noted.why == why)
    };
    let foremost = not_scaled.enumerate().max_by_key(|(index, (one, why))| {
        (is_noted(one, *why), one.wanted, std::cmp::Reverse(*index))
    });
    if let Some((_, (one, why))) = foremost {
        return Outcome::NotScaled { policy: one.policy.clone(), alarm: one.alarm.clone(), why };
    }
    let hold = considered.iter().find_map(|one| match &one.verdict {
        Verdict::Held(hold) => Some(hold.clone()),
        _ => None,
    });
    hold.map_or(Outcome::Nothing, Outcome::Held)
}
