//! Decisions by the book: each row names the section of `reference/autoscaling-and-cloudwatch.md` that it is taken from.

use super::{Direction, Hold, Verdict};
use crate::alarm::StateValue;
use crate::endpoint::Stage;
use crate::scaling::testing::{Scene, at, steps, tracking, words};
use crate::scaling::{
    AdjustmentType, Aggregation, InFlight, NotScaled, Noted, Plan, Resource, ScaledIn, ScaledOut,
    Step, StepScaling, Suspended, TargetTracking,
};
use crate::uuid::Uuid;

fn check(rows: &[(&str, Scene, &str)]) {
    for (source, scene, expected) in rows {
        assert_eq!(words(&scene.decide()), *expected, "{source}: {scene:#?}");
    }
}

fn alarmed(scene: &mut Scene, name: &str, low: Option<StateValue>, low_mean: Option<f64>) {
    for one in scene.policies.iter_mut().filter(|one| one.policy.name == name) {
        (one.low, one.low_mean) = (low, low_mean);
    }
}

/// A scale-out from `base` that was completed `ago` seconds ago, with the default cooldown.
fn scaled_out(scene: &mut Scene, base: u32, ago: i64) {
    scene.target.memory.scaled_out = Some(ScaledOut { at: at(-ago), base, cooldown_secs: 300 });
}

fn scaled_in(scene: &mut Scene, ago: i64, cooldown_secs: u32) {
    scene.target.memory.scaled_in = Some(ScaledIn { at: at(-ago), cooldown_secs });
}

fn in_stage(stage: Stage) -> impl Fn(&mut Scene) {
    move |scene| {
        scene.resource = scene.resource.map(|one| Resource { stage, ..one });
    }
}

#[test]
fn target_tracking_is_proportional() {
    let one = |min, max, desired, target| Scene::new(min, max, desired).tracks("p", target);
    check(&[
        ("2.4, observed: 1 to 4", one(1, 4, 1, 5.0).high("p", &[130.0; 3]), "1 -> 4 by p"),
        ("2.4, observed: to 48", one(1, 48, 1, 5.0).high("p", &[600.0; 3]), "1 -> 48 by p"),
        ("2.4, observed: 0.01 of 50", one(1, 4, 2, 50.0).low("p", &[0.01; 30]), "2 -> 1 by p"),
        ("2.4, the mean", one(1, 9, 2, 10.0).high("p", &[12.0, 14.0, 20.0]), "2 -> 4 by p"),
        ("2.4, ceil both ways", one(1, 9, 4, 10.0).low("p", &[5.1; 15]), "4 -> 3 by p"),
        ("2.4, exact", one(1, 9, 4, 10.0).low("p", &[5.0; 15]), "4 -> 2 by p"),
        // 3 x 0.2 / 0.1 is 6.000000000000001.
        ("2.4, noise", one(1, 9, 3, 0.1).high("p", &[0.2; 3]), "3 -> 6 by p"),
        (
            "2.4, noise",
            one(1, 9, 3, 10.0).high("p", &[10.000_000_000_3; 3]),
            "p: AlreadyAtDesiredCapacity { current: Some(3) }",
        ),
        ("2.4, no noise", one(1, 9, 3, 10.0).high("p", &[10.001; 3]), "3 -> 4 by p"),
        ("2.4, metric 0", one(2, 9, 5, 10.0).low("p", &[0.0; 15]), "5 -> 2 by p"),
        ("2.4, from 0", one(0, 9, 0, 10.0).high("p", &[50.0; 3]), "FromZero"),
        ("2.3, no alarm", one(1, 9, 3, 10.0), "nothing"),
        ("1e308 saturates", one(1, 9, 3, 10.0).high("p", &[1e308; 3]), "3 -> 9 by p"),
        ("not a number", one(1, 9, 3, 10.0).high("p", &[20.0, f64::NAN]), "NoValue"),
        ("no datapoints", one(1, 9, 3, 10.0).high("p", &[]), "NoValue"),
    ]);
}

#[test]
fn bounds_and_directions_hold() {
    let one = |min, max, desired| Scene::new(min, max, desired).tracks("p", 10.0);
    let (at_max, at_min) =
        ("p: AlreadyAtMaxCapacity { max: 4 }", "p: AlreadyAtMinCapacity { min: 2 }");
    check(&[
        ("2.4, at the maximum", one(2, 4, 4).high("p", &[20.0; 3]), at_max),
        ("2.4, part of the way", one(2, 4, 3).high("p", &[50.0; 3]), "3 -> 4 by p"),
        ("2.4, at the minimum", one(2, 4, 2).low("p", &[1.0; 15]), at_min),
        ("2.4, part of the way", one(2, 9, 5).low("p", &[1.0; 15]), "5 -> 2 by p"),
        (
            "2.4, equal",
            one(1, 4, 2).low("p", &[8.5; 15]),
            "p: AlreadyAtDesiredCapacity { current: Some(2) }",
        ),
        (
            "2.4, high only raises",
            one(1, 4, 3).high("p", &[1.0; 3]),
            "p: AlreadyAtDesiredCapacity { current: Some(3) }",
        ),
        (
            "2.4, low only lowers",
            one(1, 4, 3).low("p", &[20.0; 15]),
            "p: AlreadyAtDesiredCapacity { current: Some(3) }",
        ),
        // Set outside the bounds by a user, and not touched until a trigger goes the way back.
        ("2.4, above", one(2, 4, 9).high("p", &[20.0; 3]), at_max),
        ("2.4, above", one(2, 4, 9).low("p", &[8.0; 15]), "9 -> 4 by p"),
        (
            "2.4, below",
            one(2, 4, 1).low("p", &[1.0; 15]),
            "p: AlreadyAtDesiredCapacity { current: Some(1) }",
        ),
        ("2.4, below", one(2, 4, 1).high("p", &[10.5; 3]), "1 -> 2 by p"),
        // A variant that serves directly keeps one instance.
        ("2.8, minimum 0", one(0, 4, 3).low("p", &[0.0; 15]), "3 -> 1 by p"),
        ("2.8, minimum 0", one(0, 4, 1).low("p", &[0.0; 15]), "p: AlreadyAtMinCapacity { min: 1 }"),
        ("2.8, maximum 0", one(0, 0, 2).low("p", &[0.0; 15]), "2 -> 1 by p"),
        (
            "2.8, maximum 0",
            one(0, 0, 1).high("p", &[90.0; 3]),
            "p: AlreadyAtMaxCapacity { max: 1 }",
        ),
    ]);
}

fn change_of(adjustment: AdjustmentType, by: i32) -> Plan {
    Plan::StepScaling(steps(adjustment, &[(Some(0.0), None, by)]))
}

fn only_out(target_value: f64) -> Plan {
    Plan::TargetTracking(TargetTracking { disable_scale_in: Some(true), ..tracking(target_value) })
}

#[test]
fn out_goes_before_in_and_the_largest_capacity_wins() {
    use AdjustmentType::{ChangeInCapacity, PercentChangeInCapacity};
    let ten = Scene::new(1, 99, 10)
        .has("three", change_of(ChangeInCapacity, 3))
        .has("double", change_of(PercentChangeInCapacity, 200));
    check(&[
        (
            "2.5, +3 and +200 %",
            ten.step("three", &[5.0], 1.0).step("double", &[5.0], 1.0),
            "10 -> 30 by double",
        ),
        ("2.5, out by any", two().high("q", &[150.0; 3]), "6 -> 9 by q"),
        ("2.5, out wins", idle(two()).high("q", &[120.0; 3]), "6 -> 8 by q"),
        (
            "the policy is gone",
            Scene::new(1, 9, 6).tracks("p", 10.0).step("x", &[1.0], 0.0),
            "NoPolicy",
        ),
    ]);
}

/// Two policies that track a target; six instances.
fn two() -> Scene {
    Scene::new(1, 9, 6).tracks("p", 10.0).tracks("q", 100.0)
}

/// The low alarm of `p` calls: two instances would do.
fn idle(scene: Scene) -> Scene {
    scene.low("p", &[2.0; 15])
}

/// The low alarm of `q` is in this state, and saw this mean.
fn q_is(low: Option<StateValue>, mean: Option<f64>) -> impl Fn(&mut Scene) {
    move |scene| alarmed(scene, "q", low, mean)
}

#[test]
fn in_goes_when_all_that_track_agree() {
    let vetoed = |low: &str| format!("Vetoed {{ by: \"q\", low: {low} }}");
    let (ok, missing, gone) =
        (vetoed("Some(Ok)"), vetoed("Some(InsufficientData)"), vetoed("None"));
    let ringing = |mean| q_is(Some(StateValue::Alarm), mean);
    let only_out = Scene::new(1, 9, 6).tracks("p", 10.0).has("q", only_out(100.0));
    check(&[
        ("2.5, in by all", idle(two()), &ok),
        (
            "2.5, missing",
            idle(two()).with(q_is(Some(StateValue::InsufficientData), None)),
            &missing,
        ),
        ("2.2, alarm deleted", idle(two()).with(q_is(None, None)), &gone),
        ("2.5, the largest wins", idle(two()).low("q", &[60.0; 15]), "6 -> 4 by q"),
        // A high-resolution alarm calls between two calls of a standard one.
        ("2.5, the largest wins", idle(two()).with(ringing(Some(60.0))), "6 -> 4 by p"),
        ("2.5, nothing is known", idle(two()).with(ringing(None)), "6 -> 2 by p"),
        (
            "2.5, within the bounds",
            idle(Scene::new(1, 4, 9).tracks("p", 10.0).tracks("q", 100.0))
                .with(ringing(Some(60.0))),
            "9 -> 4 by p",
        ),
        (
            "2.5, the other keeps all",
            idle(two()).with(ringing(Some(89.0))),
            "p: AlreadyAtDesiredCapacity { current: Some(6) }",
        ),
        (
            "2.5, the other calls too, and keeps all",
            idle(two()).low("q", &[89.0; 15]),
            "q: AlreadyAtDesiredCapacity { current: Some(6) }",
        ),
        (
            "2.5, the other calls too, and would have more",
            idle(two()).low("q", &[600.0; 15]),
            "q: AlreadyAtDesiredCapacity { current: Some(6) }",
        ),
        ("2.5, DisableScaleIn has no say", idle(only_out.with(q_is(None, None))), "6 -> 2 by p"),
    ]);
}

#[test]
fn step_policies_neither_veto_nor_are_vetoed() {
    let less =
        || Plan::StepScaling(steps(AdjustmentType::ChangeInCapacity, &[(None, Some(0.0), -1)]));
    let disagreeing = idle(two().tracks("r", 1.0)).with(q_is(Some(StateValue::Alarm), Some(99.0)));
    check(&[
        ("2.5", two().has("less", less()).step("less", &[1.0], 2.0), "6 -> 5 by less"),
        ("2.5", idle(Scene::new(1, 9, 6).tracks("p", 10.0).has("less", less())), "6 -> 2 by p"),
        ("2.5", disagreeing.has("less", less()).step("less", &[1.0], 2.0), "6 -> 5 by less"),
    ]);
}

#[test]
fn cooldowns_hold_and_credit() {
    let one = |desired| Scene::new(1, 20, desired).tracks("p", 10.0);
    let more = |scene: Scene| {
        scene.has("more", change_of(AdjustmentType::ChangeInCapacity, 3)).step("more", &[5.0], 1.0)
    };
    let out = |base, ago| move |scene: &mut Scene| scaled_out(scene, base, ago);
    let back = |ago, secs| move |scene: &mut Scene| scaled_in(scene, ago, secs);
    let until = |secs| format!("{{ until: {:?} }}", at(secs));
    let (held_out, held_in) =
        (format!("ScaleOutCooldown {}", until(200)), format!("ScaleInCooldown {}", until(200)));
    check(&[
        ("2.6, +2 executed, +3 wanted", more(one(12)).with(out(10, 100)), "12 -> 13 by more"),
        ("2.6, after the cooldown", more(one(12)).with(out(10, 300)), "12 -> 15 by more"),
        ("2.6, asks for less", one(4).high("p", &[15.0; 3]).with(out(2, 100)), &held_out),
        ("2.6, asks for as much", one(4).high("p", &[20.0; 3]).with(out(2, 100)), &held_out),
        ("2.6, asks for more", one(4).high("p", &[30.0; 3]).with(out(2, 100)), "4 -> 6 by p"),
        ("2.6, after the cooldown", one(4).high("p", &[15.0; 3]).with(out(2, 300)), "4 -> 6 by p"),
        (
            "2.6, lowered by a user since",
            one(4).high("p", &[15.0; 3]).with(out(9, 100)),
            "4 -> 6 by p",
        ),
        ("2.6, in during out's", one(4).low("p", &[5.0; 15]).with(out(2, 100)), "4 -> 2 by p"),
        ("2.6, in during in's", one(4).low("p", &[5.0; 15]).with(back(100, 300)), &held_in),
        (
            "2.6, after the cooldown",
            one(4).low("p", &[5.0; 15]).with(back(300, 300)),
            "4 -> 2 by p",
        ),
        ("2.6, out during in's", one(4).high("p", &[15.0; 3]).with(back(100, 300)), "4 -> 6 by p"),
        ("2.6, zero is legal", one(4).low("p", &[5.0; 15]).with(back(0, 0)), "4 -> 2 by p"),
    ]);
}

#[test]
fn busy_endpoints_and_suspension_hold() {
    let one = || Scene::new(1, 9, 4).tracks("p", 10.0);
    let high = || one().high("p", &[20.0; 3]);
    let low = || one().low("p", &[1.0; 15]);
    let busy = "p: TargetServicePutResourceAsUnscalable";
    let in_flight = |scene: &mut Scene| {
        let activity = Uuid::from_entropy(7);
        let flight =
            InFlight { activity, started_at: at(-60), from: 2, to: 4, cooldown_secs: Some(300) };
        scene.target.memory.in_flight = Some(flight);
        in_stage(Stage::Resizing)(scene);
    };
    let suspended = |dynamic_in, dynamic_out| {
        move |scene: &mut Scene| {
            scene.target.suspended = Suspended { dynamic_in, dynamic_out, scheduled: false };
        }
    };
    check(&[
        ("2.7, updating", high().with(in_stage(Stage::Deploying)), busy),
        ("2.7, updating", low().with(in_stage(Stage::Retiring)), busy),
        ("2.7, a user's change", high().with(in_stage(Stage::Resizing)), busy),
        ("2.7, deleting", high().with(in_stage(Stage::Deleting)), busy),
        (
            "2.7 and 5.3, our own change",
            high().with(in_flight),
            "p: AlreadyAtDesiredCapacity { current: None }",
        ),
        ("2.7, after InService", high(), "4 -> 8 by p"),
        ("1.6, not created", high().with(|scene| scene.resource = None), "NoResource"),
        ("5.1, out", high().with(suspended(false, true)), "Suspended(Out)"),
        ("5.1, in", low().with(suspended(true, false)), "Suspended(In)"),
        ("5.1, the other way", high().with(suspended(true, false)), "4 -> 8 by p"),
        ("5.1, the other way", low().with(suspended(false, true)), "4 -> 1 by p"),
    ]);
}

/// The worked example of section 3.
fn worked_example() -> StepScaling {
    steps(
        AdjustmentType::PercentChangeInCapacity,
        &[
            (Some(0.0), Some(10.0), 0),
            (Some(10.0), Some(20.0), 10),
            (Some(20.0), None, 30),
            (Some(-10.0), Some(0.0), 0),
            (Some(-20.0), Some(-10.0), -10),
            (None, Some(-20.0), -30),
        ],
    )
}

#[test]
fn steps_change_capacity_by_the_book() {
    use AdjustmentType::{ChangeInCapacity, ExactCapacity, PercentChangeInCapacity};
    let scene = |desired, plan: StepScaling, value: f64| {
        Scene::new(1, 100, desired).has("s", Plan::StepScaling(plan)).step("s", &[value], 50.0)
    };
    let worked = |desired, value| scene(desired, worked_example(), value);
    let up = |kind, by| steps(kind, &[(Some(0.0), None, by)]);
    let by_two = |by| StepScaling { min_magnitude: Some(2), ..up(PercentChangeInCapacity, by) };
    let same = |count| format!("s: AlreadyAtDesiredCapacity {{ current: Some({count}) }}");
    let (same_10, same_11) = (same(10), same(11));
    check(&[
        ("3, worked example", worked(10, 60.0), "10 -> 11 by s"),
        ("3, worked example", worked(11, 70.0), "11 -> 14 by s"),
        ("3, worked example", worked(14, 40.0), "14 -> 13 by s"),
        ("3, worked example", worked(13, 30.0), "13 -> 10 by s"),
        ("3, adjustment 0", worked(10, 55.0), &same_10),
        ("3, upper bound exclusive above", worked(11, 69.999), "11 -> 12 by s"),
        ("3, lower bound exclusive below", worked(10, 30.001), "10 -> 9 by s"),
        ("3, lower bound inclusive", scene(10, up(ChangeInCapacity, 2), 50.0), "10 -> 12 by s"),
        ("3, no step covers it", scene(11, up(ChangeInCapacity, 2), 49.9), &same_11),
        (
            "3, on the threshold of a falling alarm",
            scene(10, steps(ChangeInCapacity, &[(None, Some(0.0), -2)]), 50.0),
            "10 -> 8 by s",
        ),
        ("3, exact", scene(10, up(ExactCapacity, 4), 60.0), "10 -> 4 by s"),
        ("3, exact, clamped", scene(10, up(ExactCapacity, 400), 60.0), "10 -> 100 by s"),
        (
            "3, percent above 1 floors",
            scene(13, up(PercentChangeInCapacity, 30), 60.0),
            "13 -> 16 by s",
        ),
        ("3, percent below 1 is 1", scene(3, up(PercentChangeInCapacity, 10), 60.0), "3 -> 4 by s"),
        (
            "3, percent above -1 is -1",
            scene(3, up(PercentChangeInCapacity, -10), 60.0),
            "3 -> 2 by s",
        ),
        ("3, towards zero", scene(13, up(PercentChangeInCapacity, -30), 60.0), "13 -> 10 by s"),
        ("3, 25 % of 4 with magnitude 2", scene(4, by_two(25), 60.0), "4 -> 6 by s"),
        ("3, the same downwards", scene(4, by_two(-25), 60.0), "4 -> 2 by s"),
        ("3, from 0 by number", scene(0, up(ChangeInCapacity, 1), 60.0), "0 -> 1 by s"),
        ("3, from 0 by magnitude", scene(0, by_two(25), 60.0), "0 -> 2 by s"),
        (
            "3, from 0 by percent",
            scene(0, up(PercentChangeInCapacity, 25), 60.0),
            "s: AlreadyAtDesiredCapacity { current: Some(0) }",
        ),
    ]);
}

#[test]
fn steps_aggregate_recent_datapoints() {
    for (aggregation, expected) in [
        (None, "10 -> 11 by s"),
        (Some(Aggregation::Average), "10 -> 11 by s"),
        (Some(Aggregation::Maximum), "10 -> 13 by s"),
        (Some(Aggregation::Minimum), "s: AlreadyAtDesiredCapacity { current: Some(10) }"),
    ] {
        let plan = StepScaling { aggregation, ..worked_example() };
        let scene = Scene::new(1, 99, 10).has("s", Plan::StepScaling(plan));
        let decision = scene.step("s", &[52.0, 75.0, 61.0], 50.0).decide();
        assert_eq!(words(&decision), expected, "section 3, {aggregation:?}");
    }
}

#[test]
fn a_decision_tells_what_each_trigger_wanted_before_it_was_held() {
    let scene = Scene::new(1, 20, 4).tracks("p", 10.0).tracks("q", 10.0);
    let scene = scene.high("p", &[15.0; 3]).high("q", &[30.0; 3]).with(|it| scaled_out(it, 2, 100));
    let decision = scene.decide();
    let [p, q] = decision.considered.as_slice() else { panic!("{decision:?}") };
    assert_eq!((p.wanted, p.credited, p.bounded), (Some(6), Some(3), None));
    assert_eq!(p.verdict, Verdict::Held(Hold::ScaleOutCooldown { until: at(200) }));
    assert_eq!((q.wanted, q.credited, q.bounded), (Some(12), Some(6), Some(6)));
    assert_eq!((&q.verdict, decision.wanted()), (&Verdict::Chosen, Some(12)));
    assert_eq!(decision.name(), Direction::Out.as_str());
}

#[test]
fn two_policies_that_come_to_nothing_at_once_do_not_take_turns() {
    let scene = Scene::new(1, 4, 4).tracks("p", 10.0).tracks("q", 10.0);
    let scene = scene.high("p", &[15.0; 3]).high("q", &[30.0; 3]);
    let at_max = NotScaled::AlreadyAtMaxCapacity { max: 4 };
    assert_eq!(words(&scene.decide()), format!("q: {at_max:?}"));
    let noted = Noted { policy: "p".into(), why: at_max };
    let scene = scene.with(|it| it.target.memory.not_scaled = Some(noted));
    assert_eq!(words(&scene.decide()), format!("p: {at_max:?}"));
}

#[test]
fn a_step_without_bounds_serves_every_distance() {
    let step = Step { lower: None, upper: None, adjustment: 1 };
    let plan = StepScaling { steps: vec![step], ..worked_example() };
    for value in [f64::MIN, -1.0, 0.0, 1.0, f64::MAX] {
        let scene = Scene::new(1, 99, 10).has("s", Plan::StepScaling(plan.clone()));
        assert_eq!(words(&scene.step("s", &[value], 0.0).decide()), "10 -> 11 by s", "{value}");
    }
}
