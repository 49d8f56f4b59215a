//! Whatever happens on the way, a run ends with what it promised, in a bounded number of steps.

use proptest::prelude::*;
use proptest::sample::select;

use super::world::{World, config, name, variant};
use crate::name::VariantName;
use crate::safe_update::run::same::same;
use crate::safe_update::{
    Goal, Next, Order, Outcome, Phase, Reaction, Refused, Request, Run, Saved, SavedTarget,
};

/// Steps after which every run of so few variants has long ended.
const STEPS_MAX: u32 = 600;

/// What happens to one order.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mishap {
    /// Nothing.
    None,
    /// The process is killed before the call, and begun again from what was kept.
    KilledBefore,
    /// The process is killed after the call was carried out, before it could keep anything.
    KilledAfter,
    /// The call never arrives.
    Lost,
    /// The call is carried out, and its answer is lost.
    Unanswered,
    /// The call arrives twice.
    Doubled,
}

/// What somebody does in between.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Whim {
    None,
    Undo,
    Resume,
    /// The autoscaler adds an instance where it may.
    ScaleOut,
}

#[derive(Debug, Clone)]
struct Case {
    world: World,
    request: Request,
    /// One after another, and none when they are used up.
    mishaps: Vec<(Mishap, Whim)>,
}

/// A variant: its count, whether and how it is scaled, and what becomes of it.
#[derive(Debug, Clone, Copy)]
struct Fate {
    count: u32,
    policies: Option<usize>,
    becomes: Becomes,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Becomes {
    Same,
    OtherType,
    Gone,
}

fn case() -> impl Strategy<Value = Case> {
    let becomes = select(vec![Becomes::Same, Becomes::OtherType, Becomes::Gone]);
    let fate = (1..6_u32, prop::option::of(0..3_usize), becomes)
        .prop_map(|(count, policies, becomes)| Fate { count, policies, becomes });
    let mishap = select(vec![
        Mishap::None,
        Mishap::KilledBefore,
        Mishap::KilledAfter,
        Mishap::Lost,
        Mishap::Unanswered,
        Mishap::Doubled,
    ]);
    let whim = prop_oneof![
        8 => Just(Whim::None), 1 => Just(Whim::Undo), 1 => Just(Whim::Resume), 1 => Just(Whim::ScaleOut),
    ];
    let request = (any::<bool>(), any::<bool>(), select(vec![0, 50])).prop_map(
        |(keep_counts, keep_weights, headroom_percent)| Request {
            keep_counts,
            keep_weights,
            headroom_percent,
            deployment_config: None,
            retain_deployment_config: false,
        },
    );
    (
        (prop::collection::vec(fate, 1..4), any::<bool>()),
        request,
        (prop::bool::weighted(0.2), prop::option::weighted(0.2, 1..12_u32)),
        prop::collection::vec((mishap, whim), 0..40),
    )
        .prop_map(|((fates, comes), request, (updates_fail, limit), mishaps)| {
            let mut world = world(&fates, comes);
            world.updates_fail = updates_fail;
            let most: u32 = world.running.values().map(|one| one.1).sum();
            world.instances_max = limit.map_or(u32::MAX, |limit| most + limit);
            Case { world, request, mishaps }
        })
}

fn world(fates: &[Fate], comes: bool) -> World {
    let names = ["a", "b", "c"];
    let fates = || names.iter().zip(fates);
    let old = fates().map(|(it, fate)| variant(it, "ml.m5.large", fate.count)).collect();
    let mut new: Vec<_> = fates()
        .filter(|(_, fate)| fate.becomes != Becomes::Gone)
        .map(|(it, fate)| {
            let other = fate.becomes == Becomes::OtherType;
            variant(it, if other { "ml.c5.large" } else { "ml.m5.large" }, 1)
        })
        .collect();
    if comes || new.is_empty() {
        new.push(variant("new", "ml.m5.large", 2));
    }
    let mut world = World::new(vec![config("old", old), config("new", new)]);
    for (it, fate) in fates() {
        if let Some(policies) = fate.policies {
            world.scale(it, (1, 9), policies);
        }
    }
    world
}

/// Goes on until the end, and answers with where it ended and whether somebody or something turned it round.
fn walk(case: &Case, mut look: impl FnMut(&World, &Run)) -> Result<(World, Run), TestCaseError> {
    let mut world = case.world.clone();
    let begun = Run::begin(world.facts("new"), world.saved(), case.request.clone(), world.now);
    let mut kept = begun.map_err(TestCaseError::fail)?;
    let mut mishaps = case.mishaps.iter().copied();
    for _ in 0..STEPS_MAX {
        look(&world, &kept);
        match kept.next(&world.seen()) {
            Next::Done(_) => return Ok((world, kept)),
            Next::Wait(_) => world.pass(),
            Next::Pause(why) => {
                return Err(TestCaseError::fail(format!("paused: {why}\n{kept:?}")));
            }
            Next::Keep(run) => kept = *run,
            Next::Do(order) => {
                let (mishap, whim) = mishaps.next().unwrap_or((Mishap::None, Whim::None));
                let alive = give(&mut world, &mut kept, &order, mishap)?;
                match whim {
                    Whim::Undo if !alive => kept = kept.undoing(world.now),
                    Whim::Resume if !alive => kept = kept.resumed(world.now),
                    Whim::ScaleOut => scale_out(&mut world),
                    _ => {}
                }
            }
        }
    }
    Err(TestCaseError::fail(format!("no end: {kept:?}")))
}

/// Gives one order. False if the process was killed over it.
fn give(
    world: &mut World,
    kept: &mut Run,
    order: &Order,
    mishap: Mishap,
) -> Result<bool, TestCaseError> {
    if matches!(mishap, Mishap::KilledBefore | Mishap::Lost) {
        return Ok(mishap == Mishap::Lost);
    }
    let answer = world.apply(order);
    if mishap == Mishap::Doubled {
        // The second finds done what the first has done.
        let _ = world.apply(order);
    }
    if matches!(mishap, Mishap::KilledAfter | Mishap::Unanswered) {
        return Ok(mishap == Mishap::Unanswered);
    }
    match answer {
        Ok(()) => *kept = kept.accepted(order, world.now).unwrap_or_else(|| kept.clone()),
        Err((code, message)) => {
            let refused = Refused { code, message: &message, status: 400 };
            match kept.refused(order, refused, world.now) {
                Reaction::TryAgain => {}
                Reaction::Keep(run) => *kept = *run,
                Reaction::Pause(why) => return Err(TestCaseError::fail(format!("paused: {why}"))),
            }
        }
    }
    Ok(true)
}

fn scale_out(world: &mut World) {
    let free = world.moving == 0;
    let target = world.targets.iter().find(|target| {
        let running = world.running.get(&target.variant);
        free && !target.policies.is_empty() && running.is_some_and(|one| one.1 < target.bounds().1)
    });
    if let Some(variant) = target.map(|target| target.variant.clone()) {
        world.running.get_mut(&variant).unwrap().1 += 1;
        world.moving = 2;
    }
}

/// What differs of a target's scaling from what it was, but for ids.
fn lost(before: &Saved, target: &SavedTarget, after: &Saved) -> Option<String> {
    let Some(now) = after.target(&target.variant, &target.dimension) else {
        return Some(format!("{} is not registered", target.variant));
    };
    if !same(&now.target, &target.target) {
        return Some(format!("{} is not {}", now.target, target.target));
    }
    if now.tags != target.tags {
        return Some("tags".to_owned());
    }
    for policy in &target.policies {
        if !now.policy(&policy.name).is_some_and(|now| same(&now.policy, &policy.policy)) {
            return Some(format!("policy {}", policy.name));
        }
        let calls = |saved: &Saved, arn: &str| -> Vec<String> {
            let alarms = saved.alarms.iter().filter(|alarm| alarm.alarm.to_string().contains(arn));
            alarms.map(|alarm| alarm.name.clone()).collect()
        };
        let arn = &now.policy(&policy.name).unwrap().arn;
        if calls(before, &policy.arn) != calls(after, arn) {
            return Some(format!("the alarms of policy {}", policy.name));
        }
    }
    let names = |target: &SavedTarget| -> Vec<String> {
        target.scheduled_actions.keys().cloned().collect()
    };
    (names(now) != names(target)).then(|| "scheduled actions".to_owned())
}

fn desired(world: &World, variant: &VariantName) -> Option<u32> {
    world.running.get(variant).map(|one| one.1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_with_the_scaling_that_was_there(case in case()) {
        let before = case.world.saved();
        let (world, run) = walk(&case, |_, _| {})?;
        let Phase::Ended(outcome) = run.phase else { panic!("it has not ended") };
        let (config, goal) = match outcome {
            Outcome::Applied => ("new", Goal::Apply),
            Outcome::Undone => ("old", Goal::Undo),
        };
        prop_assert_eq!(world.config.as_str(), config);
        prop_assert_eq!(run.goal, goal);
        let after = world.saved();
        let stays = before.targets.iter().filter(|one| run.aim().variant(&one.variant).is_some());
        for target in stays {
            prop_assert_eq!(lost(&before, target, &after), None);
        }
        prop_assert_eq!(run.next(&world.seen()), Next::Done(outcome));
    }

    #[test]
    fn never_are_fewer_instances_wanted_than_before(case in case()) {
        let case = Case { request: Request { keep_counts: true, ..case.request }, ..case };
        let before = case.world.clone();
        let mut fewer = None;
        let (world, run) = walk(&case, |world, run| {
            for (variant, (_, desired, _)) in &world.running {
                // A variant that comes back from nothing does so with its config's count, and is raised in the end.
                let came_back = run.goal == Goal::Undo && run.facts.wanted.variant(variant).is_none();
                if before.running.get(variant).is_some_and(|one| *desired < one.1) && !came_back {
                    fewer = Some((variant.clone(), *desired));
                }
            }
        })?;
        prop_assert_eq!(fewer, None);
        for (variant, (_, count, _)) in &before.running {
            if run.aim().variant(variant).is_some() {
                prop_assert!(desired(&world, variant) >= Some(*count), "{} {:?}", variant, world.running);
            }
        }
    }

    #[test]
    fn without_mishaps_counts_end_as_they_were(case in case()) {
        let case = Case { request: Request { keep_counts: true, ..case.request }, mishaps: Vec::new(), ..case };
        let (world, run) = walk(&case, |_, _| {})?;
        for (variant, (_, count, weight)) in &case.world.running {
            if run.aim().variant(variant).is_some() {
                prop_assert_eq!(desired(&world, variant), Some(*count));
                prop_assert_eq!(world.running[variant].2.to_bits(), weight.to_bits());
            }
        }
    }

    #[test]
    fn counts_of_the_new_config_are_set_at_the_very_end(case in case()) {
        let request = Request { keep_counts: false, ..case.request };
        let case = Case { request, mishaps: Vec::new(), ..case };
        let before = case.world.clone();
        let mut fewer = None;
        let (world, run) = walk(&case, |world, run| {
            for (variant, (_, desired, _)) in &world.running {
                let less = before.running.get(variant).is_some_and(|one| *desired < one.1);
                if less && !matches!(run.phase, Phase::Settling | Phase::Ended(_)) {
                    fewer = Some(variant.clone());
                }
            }
        })?;
        prop_assert_eq!(fewer, None);
        if run.phase == Phase::Ended(Outcome::Applied) {
            for variant in &run.facts.wanted.variants {
                prop_assert_eq!(desired(&world, &variant.name), variant.initial_count);
            }
        }
    }

    #[test]
    fn an_applied_update_can_be_undone_and_applied_again(case in case()) {
        let mut case = Case { mishaps: Vec::new(), ..case };
        (case.world.updates_fail, case.world.instances_max) = (false, u32::MAX);
        let before = case.world.saved();
        let (mut world, run) = walk(&case, |_, _| {})?;
        prop_assert_eq!(run.phase, Phase::Ended(Outcome::Applied));
        let mut run = run.undoing(world.now);
        for _ in 0..STEPS_MAX {
            match run.next(&world.seen()) {
                Next::Done(outcome) => {
                    prop_assert_eq!(outcome, Outcome::Undone);
                    let after = world.saved();
                    for target in &before.targets {
                        prop_assert_eq!(lost(&before, target, &after), None);
                    }
                    for (variant, (_, count, _)) in &case.world.running {
                        prop_assert_eq!(desired(&world, variant), Some(*count));
                    }
                    return Ok(());
                }
                Next::Wait(_) => world.pass(),
                Next::Keep(next) => run = *next,
                Next::Do(order) => { give(&mut world, &mut run, &order, Mishap::None)?; }
                Next::Pause(why) => return Err(TestCaseError::fail(why)),
            }
        }
        prop_assert!(false, "no end");
    }
}

#[test]
fn the_names_of_configs_are_those_of_the_cases() {
    let world = world(&[Fate { count: 1, policies: None, becomes: Becomes::Same }], false);
    assert_eq!(world.config, name("old"));
}
