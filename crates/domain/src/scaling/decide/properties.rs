//! What holds for every decision, whatever the numbers.

use proptest::prelude::*;

use super::{Decision, Direction, Outcome, Verdict};
use crate::alarm::StateValue;
use crate::endpoint::Stage;
use crate::scaling::testing::{Call, PolicyScene, Scene, at, policy, steps, tracking};
use crate::scaling::{
    AdjustmentType, Change, InFlight, Plan, Resource, ScaledIn, ScaledOut, Side, Suspended,
    TargetTracking, explain, not_scaled,
};
use crate::uuid::Uuid;

/// Any number at all, and often one that an alarm would see.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..200.0_f64,
        1 => any::<f64>(),
        1 => prop_oneof![Just(f64::NAN), Just(1e308), Just(-1e308), Just(0.0), Just(-0.0), Just(f64::INFINITY)],
    ]
}

/// Datapoints: mostly such as lie about a target, so that most decisions hang on more than one wild number.
fn recent() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        4 => prop::collection::vec(0.0..40.0_f64, 1..6),
        1 => prop::collection::vec(number(), 0..6),
    ]
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![9 => 0..20_u32, 1 => any::<u32>()]
}

fn plan() -> impl Strategy<Value = Plan> {
    let tracks = (1.0..40.0_f64, prop::option::of(prop::bool::weighted(0.3))).prop_map(
        |(value, disable_scale_in)| {
            Plan::TargetTracking(TargetTracking { disable_scale_in, ..tracking(value) })
        },
    );
    let kind = prop_oneof![
        Just(AdjustmentType::ChangeInCapacity),
        Just(AdjustmentType::PercentChangeInCapacity),
        Just(AdjustmentType::ExactCapacity),
    ];
    let step =
        (kind, any::<i32>(), -10..10_i32, any::<bool>()).prop_map(|(kind, wild, tame, is_wild)| {
            let by = if is_wild { wild } else { tame };
            let by = if kind == AdjustmentType::ExactCapacity { by.saturating_abs() } else { by };
            Plan::StepScaling(steps(
                kind,
                &[(Some(0.0), None, by), (None, Some(0.0), by.saturating_neg())],
            ))
        });
    prop_oneof![2 => tracks, 1 => step]
}

fn state() -> impl Strategy<Value = Option<StateValue>> {
    prop_oneof![
        3 => Just(Some(StateValue::Alarm)),
        1 => Just(Some(StateValue::Ok)),
        1 => Just(Some(StateValue::InsufficientData)),
        1 => Just(None),
    ]
}

fn stage() -> impl Strategy<Value = Stage> {
    prop_oneof![9 => Just(Stage::InService), 1 => prop::sample::select(Stage::ALL.to_vec())]
}

fn scene() -> impl Strategy<Value = Scene> {
    let policies =
        prop::collection::vec((plan(), state(), prop::option::weighted(0.8, 0.0..40.0_f64)), 1..4);
    let calls = prop::collection::vec((0..4_usize, any::<bool>(), recent(), number()), 1..5);
    let cooldowns = (
        prop::option::weighted(0.4, (0..600_i64, 0..20_u32, 0..600_u32)),
        prop::option::weighted(0.4, (0..600_i64, 0..600_u32)),
    );
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.2), prop::bool::weighted(0.1));
    let bounds = (count(), count(), prop::option::weighted(0.95, (stage(), count())));
    (policies, calls, cooldowns, flags, bounds).prop_map(build)
}

type Parts = (
    Vec<(Plan, Option<StateValue>, Option<f64>)>,
    Vec<(usize, bool, Vec<f64>, f64)>,
    (Option<(i64, u32, u32)>, Option<(i64, u32)>),
    (bool, bool, bool),
    (u32, u32, Option<(Stage, u32)>),
);

fn build((policies, calls, (out, back), flags, (one, other, resource)): Parts) -> Scene {
    let mut scene = Scene::new(one.min(other), one.max(other), 1);
    scene.resource = resource.map(|(stage, desired)| Resource { stage, desired, current: desired });
    let (dynamic_in, dynamic_out, in_flight) = flags;
    scene.target.suspended = Suspended { dynamic_in, dynamic_out, scheduled: false };
    let memory = &mut scene.target.memory;
    memory.scaled_out =
        out.map(|(ago, base, secs)| ScaledOut { at: at(-ago), base, cooldown_secs: secs });
    memory.scaled_in = back.map(|(ago, secs)| ScaledIn { at: at(-ago), cooldown_secs: secs });
    memory.in_flight = in_flight.then(|| {
        flight(&Change {
            from: 1,
            to: 2,
            cause: crate::scaling::Cause::MinimumSet(2),
            cooldown_secs: None,
        })
    });
    for (index, (plan, low, low_mean)) in policies.into_iter().enumerate() {
        scene.policies.push(PolicyScene {
            policy: policy(&index.to_string(), plan),
            low,
            low_mean,
        });
    }
    for (index, is_high, recent, threshold) in calls {
        let index = index % scene.policies.len();
        let called = &mut scene.policies[index];
        let side = match (&called.policy.plan, is_high) {
            (Plan::StepScaling(_), _) => Side::Step,
            (Plan::TargetTracking(_), true) => Side::High,
            (Plan::TargetTracking(_), false) => {
                called.low = Some(StateValue::Alarm);
                Side::Low
            }
        };
        let (name, alarm) = (index.to_string(), format!("{index}-{side:?}"));
        // An alarm calls once.
        if scene.calls.iter().all(|call| call.alarm.as_str() != alarm) {
            let alarm = alarm.as_str().into();
            scene.calls.push(Call { policy: name, alarm, side, recent, threshold });
        }
    }
    scene
}

fn flight(change: &Change) -> InFlight {
    InFlight {
        activity: Uuid::from_entropy(3),
        started_at: at(0),
        from: change.from,
        to: change.to,
        cooldown_secs: change.cooldown_secs,
    }
}

fn change(decision: &Decision) -> Option<(Direction, &Change)> {
    match &decision.outcome {
        Outcome::ScaleTo { direction, change } => Some((*direction, change)),
        Outcome::NotScaled { .. } | Outcome::Held(_) | Outcome::Nothing => None,
    }
}

/// The capacity that a decision leads to; what there is, if it changes nothing.
fn leads_to(scene: &Scene) -> u32 {
    let decision = scene.decide();
    change(&decision).map(|(_, change)| change.to).or(decision.capacity).unwrap_or(0)
}

proptest! {
    #[test]
    fn a_change_lies_within_the_bounds_and_begins_where_things_are(scene in scene()) {
        let decision = scene.decide();
        if let Some((direction, change)) = change(&decision) {
            let bounds = scene.target.bounds();
            prop_assert!((bounds.min..=bounds.max).contains(&change.to), "{decision:?}");
            prop_assert_eq!(Some(direction), Direction::of(change.from, change.to));
            let resource = scene.resource.unwrap();
            prop_assert_eq!((resource.stage, resource.desired), (Stage::InService, change.from));
            prop_assert!(scene.target.memory.in_flight.is_none());
        }
    }

    #[test]
    fn no_change_goes_against_a_cooldown_a_suspension_or_a_veto(scene in scene()) {
        let decision = scene.decide();
        let Some((direction, change)) = change(&decision) else { return Ok(()) };
        let memory = &scene.target.memory;
        match direction {
            Direction::In => {
                prop_assert!(memory.scaled_in.is_none_or(|last| last.until() <= scene.now));
                prop_assert!(!scene.target.suspended.dynamic_in);
                let leading = decision.leading().unwrap();
                let agree = scene.policies.iter().all(|one| match &one.policy.plan {
                    Plan::TargetTracking(plan) if plan.scales_in() => {
                        one.low == Some(StateValue::Alarm) || one.policy.name == leading.policy
                    }
                    _ => true,
                });
                prop_assert!(agree || leading.side == Side::Step);
            }
            Direction::Out => {
                prop_assert!(!scene.target.suspended.dynamic_out);
                if memory.scaled_out.is_some_and(|last| scene.now < last.until()) {
                    // Only for more than what was given, and only to what is wanted from before it.
                    let credited = decision.leading().unwrap().credited.unwrap();
                    let bounds = scene.target.bounds();
                    prop_assert!(credited > change.from && change.to == bounds.clamp(credited));
                }
            }
        }
    }

    #[test]
    fn deciding_again_changes_nothing_more(mut scene in scene()) {
        let first = scene.decide();
        prop_assert_eq!(format!("{:?}", scene.decide()), format!("{first:?}"), "the same facts");
        if let Some((_, change)) = change(&first) {
            scene.target.memory.in_flight = Some(flight(change));
            scene.target.memory.not_scaled = None;
            let resource = scene.resource.as_mut().unwrap();
            (resource.stage, resource.desired) = (Stage::Resizing, change.to);
            prop_assert!(self::change(&scene.decide()).is_none());
        }
        // What came to nothing is recorded at most once.
        if let Some((noted, _)) = not_scaled(&scene.target, &scene.decide(), Uuid::from_entropy(4), at(0)) {
            scene.target = noted;
        }
        prop_assert_eq!(not_scaled(&scene.target, &scene.decide(), Uuid::from_entropy(5), at(0)), None);
    }

    #[test]
    fn more_load_never_asks_for_fewer_instances(
        (mut scene, index, more) in (scene(), 0..5_usize, 0.0..1e6_f64)
    ) {
        let tracks_high = |call: &&mut Call| call.side == Side::High;
        scene.calls.retain(|call| call.recent.iter().all(|value| value.is_finite()));
        let before = leads_to(&scene);
        let Some(call) = scene.calls.iter_mut().filter(tracks_high).nth(index) else { return Ok(()) };
        for value in &mut call.recent {
            *value += more;
        }
        prop_assert!(leads_to(&scene) >= before, "{before} became less: {scene:?}");
    }

    #[test]
    fn less_idleness_never_asks_for_fewer_instances(
        (target_value, desired, value, more) in (0.01..1e6_f64, 1..1_000_000_u32, 0.0..1e6_f64, 0.0..1e6_f64)
    ) {
        let to = |value: f64| {
            leads_to(&Scene::new(0, u32::MAX, desired).tracks("p", target_value).low("p", &[value; 15]))
        };
        prop_assert!(to(value) <= to(value + more));
    }

    #[test]
    fn everything_is_explained_in_one_finite_sentence_each(scene in scene()) {
        let decision = scene.decide();
        let text = explain::decision(&decision);
        prop_assert!(text.ends_with('.') && text.len() < 300 + 600 * decision.considered.len(), "{text}");
        for one in &decision.considered {
            prop_assert!(explain::considered(one, decision.at).ends_with('.'));
        }
        prop_assert!(scene.facts(explain::summary).ends_with('.'));
        let chosen = decision.considered.iter().filter(|one| one.verdict == Verdict::Chosen).count();
        prop_assert_eq!(chosen, usize::from(change(&decision).is_some()));
    }
}
