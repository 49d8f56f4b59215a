//! Single decisions: what cannot be begun, what stands still and why, and what is saved late.

use std::time::Duration;

use serde_json::json;

use super::world::{World, config, name, variant};
use crate::safe_update::{
    Goal, Next, Order, Outcome, Phase, Reaction, Reading, Refused, Request, Run, Seen,
};
use crate::time::Timestamp;

/// One scaled variant that gets another instance type.
fn world() -> World {
    let mut world = World::new(vec![
        config("old", vec![variant("web", "ml.m5.large", 4)]),
        config("new", vec![variant("web", "ml.c5.large", 1)]),
    ]);
    world.scale("web", (1, 9), 1);
    world
}

fn begun(world: &World, request: Request) -> Run {
    Run::begin(world.facts("new"), world.saved(), request, world.now).unwrap()
}

/// Goes on until the run is in a phase, with nothing in the way.
fn until(world: &mut World, mut run: Run, reached: impl Fn(&Run) -> bool) -> Run {
    for _ in 0..200 {
        if reached(&run) {
            return run;
        }
        match run.next(&world.seen()) {
            Next::Keep(next) => run = *next,
            Next::Wait(_) => world.pass(),
            Next::Do(order) => {
                world.apply(&order).unwrap();
                run = run.accepted(&order, world.now).unwrap_or(run);
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("not reached: {run:?}");
}

#[test]
fn what_cannot_be_begun_says_why() {
    let world = world();
    let begin = |change: &dyn Fn(&mut crate::safe_update::Facts, &mut Request)| {
        let (mut facts, mut request) = (world.facts("new"), Request::default());
        change(&mut facts, &mut request);
        Run::begin(facts, world.saved(), request, world.now).unwrap_err()
    };
    assert_eq!(
        begin(&|facts, _| facts.status = "Updating".to_owned()),
        "endpoint e is Updating; a safe update begins when it is InService"
    );
    assert_eq!(
        begin(&|facts, _| facts.wanted = facts.in_use.clone()),
        "endpoint e uses the config old already"
    );
    assert_eq!(
        begin(&|_, request| request.headroom_percent = 901),
        "a headroom of 901% is more than 900%"
    );
    assert_eq!(
        begin(&|facts, _| facts.wanted = config("t", vec![variant("web", "ml.t2.large", 1)])),
        "web cannot be registered again after the update: SageMaker does not scale ml.t2.large. Deregister it yourself \
         if it is to do without automatic scaling."
    );
}

#[test]
fn it_stands_still_where_somebody_must_decide() {
    let look = |change: &dyn Fn(&mut Seen)| {
        let world = world();
        let mut seen = world.seen();
        change(&mut seen);
        begun(&world, Request::default()).next(&seen)
    };
    for status in ["Failed", "UpdateRollbackFailed", "Deleting", "OutOfService"] {
        let why = look(&|seen| {
            seen.endpoint.status = status.to_owned();
            seen.endpoint.failure_reason = Some("no more".to_owned());
        });
        assert_eq!(why, Next::Pause(format!("the endpoint is {status}: no more")));
    }
    assert_eq!(
        look(&|seen| seen.endpoint.config = name("third")),
        Next::Pause(
            "somebody has put the endpoint on the config third, which is neither old nor new"
                .to_owned()
        )
    );
    for status in ["Creating", "Updating", "SystemUpdating", "RollingBack"] {
        let next = look(&|seen| seen.endpoint.status = status.to_owned());
        let line = format!("the endpoint is {status}: web has 4 of 4 instances");
        assert_eq!(next, Next::Wait(line));
    }
}

#[test]
fn what_came_after_the_survey_is_saved_before_it_is_taken_away() {
    let mut world = world();
    let run = begun(&world, Request::default());
    let target = world.targets[0].target.clone();
    let policy = json!({"PolicyName": "late", "ResourceId": target["ResourceId"]});
    world.apply(&Order::PutPolicy(policy)).unwrap();
    let resized = json!({"ResourceId": target["ResourceId"], "MaxCapacity": 12});
    world.apply(&Order::Register(resized)).unwrap();
    let Next::Keep(run) = run.next(&world.seen()) else { panic!("not kept") };
    assert_eq!(run.saved.targets[0].bounds(), (1, 12));
    assert!(run.saved.targets[0].policy("late").is_some());
    assert!(matches!(run.next(&world.seen()), Next::Do(Order::DeletePolicy { .. })));
    // What it has taken away itself stays saved.
    let run = until(&mut world, *run, |run| run.phase == Phase::Raising);
    assert_eq!(run.saved.targets[0].policies.len(), 2);
    assert!(run.saved.alarm("web-0").unwrap().alarm.to_string().contains("policyName/p0"));
}

#[test]
fn undoing_takes_nothing_away_that_it_could_not_put_back() {
    let mut world = world();
    let run = begun(&world, Request::default());
    let run = until(&mut world, run, |run| matches!(run.phase, Phase::Ended(_)));
    assert_eq!(run.undoing(world.now).resumed(world.now).goal, Goal::Apply);
    let policy = json!({"PolicyName": "late", "ResourceId": "endpoint/e/variant/web"});
    world.apply(&Order::PutPolicy(policy)).unwrap();
    assert_eq!(
        run.undoing(world.now).next(&world.seen()),
        Next::Pause(
            "the scaling policy late of variant web was made after the update began, and would be lost: take it away \
             first"
                .to_owned()
        )
    );
}

#[test]
fn a_config_that_is_gone_stops_it_before_anything_is_taken_away() {
    let gone = |world: &World| Seen { aim_gone: true, ..world.seen() };
    let mut world = world();
    let run = begun(&world, Request::default());
    let Next::Keep(turned) = run.next(&gone(&world)) else { panic!("not kept") };
    assert_eq!(
        (turned.goal, turned.problem.as_deref()),
        (Goal::Undo, Some("there is no endpoint config new any more"))
    );
    let run = until(&mut world, run, |run| matches!(run.phase, Phase::Ended(_)));
    let undoing = run.undoing(world.now);
    assert_eq!(
        undoing.next(&gone(&world)),
        Next::Pause("there is no endpoint config old any more".to_owned())
    );
    // Half-way back, scaling returns to where the endpoint is.
    let undoing = until(&mut world, undoing, |run| run.phase == Phase::Updating);
    let Next::Keep(turned) = undoing.next(&gone(&world)) else { panic!("not kept") };
    assert_eq!(turned.goal, Goal::Apply);
    assert_eq!(
        turned.problem.as_deref(),
        Some("it could not be undone: there is no endpoint config old any more")
    );
    let ended = until(&mut world, *turned, |run| matches!(run.phase, Phase::Ended(_)));
    assert_eq!(ended.phase, Phase::Ended(Outcome::Applied));
    assert_eq!(world.targets.len(), 1);
}

#[test]
fn a_rollback_is_told_from_an_update_that_was_never_taken() {
    let mut world = world();
    world.failure_reason = Some("an old story".to_owned());
    let run = begun(&world, Request::default());
    let tried = until(&mut world, run, |run| run.attempt.is_some());
    let order = tried.next(&world.seen());
    let Next::Do(order @ Order::UpdateEndpoint { .. }) = order else { panic!("{order:?}") };
    // Never taken, or taken and described as it was before: the same call again.
    assert_eq!(tried.next(&world.seen()), Next::Do(order.clone()));
    // Accepted: for a while, a description may be an old one.
    let accepted = tried.accepted(&order, world.now).unwrap();
    assert_eq!(accepted.next(&world.seen()), Next::Wait("the update begins".to_owned()));
    world.now = world.now.plus(Duration::from_secs(15));
    let Next::Keep(turned) = accepted.next(&world.seen()) else { panic!("not kept") };
    assert_eq!(turned.problem.as_deref(), Some("the update was rolled back: an old story"));
    // A reason that was not there before tells of it, also where the answer was lost.
    world.failure_reason = Some("no health".to_owned());
    let Next::Keep(turned) = tried.next(&world.seen()) else { panic!("not kept") };
    assert_eq!(turned.problem.as_deref(), Some("the update was rolled back: no health"));
    assert_eq!((turned.goal, turned.phase), (Goal::Undo, Phase::Deregistering));
}

#[test]
fn refusals_are_healed_turned_round_or_left_to_somebody() {
    let mut world = world();
    let run = begun(&world, Request { headroom_percent: 50, ..Request::default() });
    let raising = until(&mut world, run, |run| run.phase == Phase::Raising);
    let updating = until(&mut world, raising.clone(), |run| run.attempt.is_some());
    let registering = until(&mut world, updating.clone(), |run| run.phase == Phase::Registering);
    let update = Order::UpdateEndpoint {
        config: name("new"),
        keep_counts: true,
        keep_weights: true,
        deployment_config: None,
        retain_deployment_config: false,
    };
    let raise = Order::SetCapacity([(name("web"), (Some(6), None))].into());
    let register = Order::Register(json!({}));
    let remove = Order::DeletePolicy {
        variant: name("web"),
        dimension: String::new(),
        name: "p0".to_owned(),
    };
    // Again, turned round, or left.
    let table: [(&Run, &Order, &str, &str, u16, &str); 15] = [
        (&updating, &update, "ThrottlingException", "Rate exceeded", 400, "again"),
        (&updating, &update, "InternalFailure", "", 500, "again"),
        (&updating, &update, "Unknown", "", 503, "again"),
        (
            &updating,
            &update,
            "ValidationException",
            "Cannot update in-progress endpoint \"e\".",
            400,
            "again",
        ),
        (
            &updating,
            &update,
            "ValidationException",
            "web must be deregistered as scalable targets",
            400,
            "again",
        ),
        (&updating, &update, "ValidationException", "Could not find model", 400, "turned"),
        (&updating, &update, "ResourceLimitExceeded", "", 400, "turned"),
        (&updating, &update, "AccessDeniedException", "", 400, "turned"),
        (&raising, &raise, "ResourceLimitExceeded", "", 400, "turned"),
        (&raising, &raise, "AccessDeniedException", "", 400, "turned"),
        (&registering, &register, "ValidationException", "", 400, "left"),
        (&registering, &register, "ConcurrentUpdateException", "", 400, "again"),
        (&registering, &register, "AccessDeniedException", "", 400, "left"),
        (&raising, &remove, "ObjectNotFoundException", "", 400, "again"),
        (&raising, &remove, "AccessDeniedException", "", 400, "left"),
    ];
    for (run, order, code, message, status, expected) in table {
        let found = match run.refused(order, Refused { code, message, status }, world.now) {
            Reaction::TryAgain => "again",
            Reaction::Keep(run) => {
                assert_eq!(run.goal, Goal::Undo);
                "turned"
            }
            Reaction::Pause(why) => {
                assert!(why.contains(order.operation()) && why.contains(code), "{why}");
                "left"
            }
        };
        assert_eq!(found, expected, "{order:?} {code} {message}");
    }
}

#[test]
fn counts_settle_at_what_policies_want_if_that_is_more() {
    let reading = |datapoints: &[f64]| Reading { target: 70.0, datapoints: datapoints.to_vec() };
    // Four instances were there; six carry the load while it is raised by half.
    let table: [(Vec<Reading>, u32); 8] = [
        (vec![], 4),
        (vec![reading(&[])], 4),
        (vec![reading(&[10.0, 10.0, 10.0])], 4),
        (vec![reading(&[58.0, 58.0, 58.0])], 5),
        // The newest three count.
        (vec![reading(&[58.0, 58.0, 58.0, 7000.0])], 5),
        (vec![reading(&[10.0]), reading(&[70.0])], 6),
        // 6 * 81.6667 / 70 is 7, with noise.
        (vec![reading(&[490.0 / 6.0])], 7),
        // Within the bounds.
        (vec![reading(&[7000.0])], 9),
    ];
    for (readings, expected) in table {
        let mut world = world();
        let run = begun(&world, Request { headroom_percent: 50, ..Request::default() });
        let run = until(&mut world, run, Run::needs_readings);
        let mut seen = world.seen();
        assert_eq!(seen.endpoint.running[0].desired, Some(6));
        seen.readings.insert(name("web"), readings.clone());
        let Next::Keep(run) = run.next(&seen) else { panic!("not kept") };
        assert!(!run.needs_readings());
        until(&mut world, *run, |run| matches!(run.phase, Phase::Ended(_)));
        assert_eq!(world.running["web"].1, expected, "{readings:?}");
    }
}

#[test]
fn a_wish_that_is_refused_is_given_up() {
    let mut world = world();
    let run = begun(&world, Request { headroom_percent: 50, ..Request::default() });
    let run = until(&mut world, run, Run::needs_readings);
    let mut seen = world.seen();
    let readings = vec![Reading { target: 70.0, datapoints: vec![90.0] }];
    seen.readings.insert(name("web"), readings);
    let Next::Keep(run) = run.next(&seen) else { panic!("not kept") };
    let Next::Do(order) = run.next(&world.seen()) else { panic!("no order") };
    assert_eq!(order, Order::SetCapacity([(name("web"), (Some(8), None))].into()));
    let refused = Refused { code: "ResourceLimitExceeded", message: "no more", status: 400 };
    let Reaction::Keep(run) = run.refused(&order, refused, world.now) else { panic!("not kept") };
    let order = Order::SetCapacity([(name("web"), (Some(4), None))].into());
    assert_eq!(run.next(&world.seen()), Next::Do(order.clone()));
    // What was there cannot be wished for less.
    assert!(matches!(run.refused(&order, refused, world.now), Reaction::Pause(_)));
}

#[test]
fn why_it_was_turned_round_stays_said() {
    let world = world();
    let run = begun(&world, Request::default()).paused("no health", world.now);
    assert_eq!(run.problem.as_deref(), Some("no health"));
    let run = run.paused("lost", world.now).paused("lost", world.now);
    assert_eq!(run.problem.as_deref(), Some("lost (before that: no health)"));
    assert_eq!(run.resumed(world.now).problem, None);
}

#[test]
fn scale_in_is_held_for_the_headroom_and_let_go_at_the_end() {
    let mut world = World::new(vec![
        config("old", vec![variant("web", "ml.m5.large", 4), variant("api", "ml.m5.large", 2)]),
        config("new", vec![variant("web", "ml.c5.large", 1), variant("api", "ml.m5.large", 1)]),
    ]);
    world.scale("web", (1, 9), 1);
    world.scale("api", (1, 9), 1);
    let before = world.clone();
    let run = begun(&world, Request { headroom_percent: 50, ..Request::default() });
    let run = until(&mut world, run, |run| run.phase == Phase::Updating);
    let held = |world: &World, at: usize| {
        world.targets[at].target["SuspendedState"]["DynamicScalingInSuspended"].clone()
    };
    assert_eq!((world.targets.len(), held(&world, 0)), (1, json!(true)));
    assert_eq!(world.running["api"].1, 3);
    let run = until(&mut world, run, |run| matches!(run.phase, Phase::Ended(_)));
    assert_eq!(
        (world.targets.len(), held(&world, 0), held(&world, 1)),
        (2, json!(false), json!(false))
    );
    // What stayed registered has never been anything else.
    assert_eq!(world.targets[0].arn, before.targets[0].arn);
    assert_eq!(run.next(&world.seen()), Next::Done(Outcome::Applied));
}

#[test]
fn what_has_ended_stays_so() {
    let mut world = world();
    let run = begun(&world, Request::default());
    let applied = until(&mut world, run, |run| matches!(run.phase, Phase::Ended(_)));
    assert_eq!(applied.resumed(Timestamp::default()), applied);
    let undoing = applied.undoing(world.now);
    let undone = until(&mut world, undoing, |run| run.phase == Phase::Ended(Outcome::Undone));
    assert_eq!(undone.undoing(Timestamp::default()), undone);
}
