//! Sentences as people read them.

use super::{alarm, considered, cooldowns, decision, policy, scheduled_action, summary};
use crate::alarm::{Alarm, Config, StateValue, Watch};
use crate::endpoint::Stage;
use crate::members::Members;
use crate::scaling::testing::{Scene, at, policy as named, resource, steps, target, tracking};
use crate::scaling::{
    AdjustmentType, Direction, Plan, Resource, ScaledIn, ScaledOut, ScheduledAction, Side,
    Suspended, TargetKey, TargetTracking, TrackedMetric,
};

fn tracks(desired: u32) -> Scene {
    Scene::new(1, 4, desired).tracks("p", 10.0)
}

fn said(scene: &Scene) -> String {
    decision(&scene.decide())
}

#[test]
fn a_decision_is_told_with_its_numbers_and_times() {
    let high = |desired| tracks(desired).high("p", &[12.0, 14.0, 20.0]);
    let cooling = |scene: &mut Scene| {
        let last = ScaledOut { at: at(-255), base: 1, cooldown_secs: 300 };
        scene.target.memory.scaled_out = Some(last);
    };
    let suspended = |scene: &mut Scene| {
        scene.target.suspended = Suspended { dynamic_out: true, ..Suspended::default() };
    };
    let updating = |scene: &mut Scene| {
        scene.resource = scene.resource.map(|one| Resource { stage: Stage::Deploying, ..one });
    };
    let saw = "AlarmHigh of policy p: 3 of 3 datapoints above 10.0 (12.0, 14.0, 20.0)";
    let wants = "wants 4 instances (2 x 15.333 / 10.0, rounded up)";
    for (scene, expected) in [
        (high(2), format!("12:00:00: scales out from 2 to 4 instances. {saw}: {wants}; granted.")),
        (
            high(3),
            format!(
                "12:00:00: scales out from 3 to 4 instances. {saw}: wants 5 instances (3 x 15.333 / 10.0, rounded up); \
                 granted 4 instances, as bounds and other policies have it."
            ),
        ),
        (
            high(4),
            format!(
                "12:00:00: stays at 4 instances. {saw}: wants 7 instances (4 x 15.333 / 10.0, rounded up); not done, the \
                 maximum is 4 instances."
            ),
        ),
        (
            high(2).with(cooling),
            format!(
                "12:00:00: stays at 2 instances. {saw}: {wants}; held by the scale-out cooldown until 12:00:45 (45 s), as \
                 counted from before the last scale-out it wants 2 instances."
            ),
        ),
        (
            high(2).with(suspended),
            format!(
                "12:00:00: stays at 2 instances. {saw}: {wants}; held because DynamicScalingOutSuspended is set."
            ),
        ),
        (
            high(2).with(updating),
            format!(
                "12:00:00: stays at 2 instances. {saw}: {wants}; waits until the endpoint, which is changing, is InService."
            ),
        ),
        (
            tracks(2).tracks("q", 5.0).low("p", &[1.0; 15]),
            "12:00:00: stays at 2 instances. AlarmLow of policy p: 15 of 15 datapoints below 9.0 (latest 1.0, 1.0, 1.0, \
             1.0, 1.0): wants 1 instance (2 x 1.0 / 10.0, rounded up); held by policy q, which does not agree to scale \
             in: its AlarmLow is OK."
                .to_owned(),
        ),
        (tracks(2), "12:00:00: stays at 2 instances, no alarm calls.".to_owned()),
        (
            tracks(2).high("p", &[f64::NAN]),
            "12:00:00: stays at 2 instances. AlarmHigh of policy p: no datapoints that can be reckoned with; nothing can \
             be reckoned from that."
                .to_owned(),
        ),
    ] {
        assert_eq!(said(&scene), expected);
    }
}

#[test]
fn a_step_is_told_with_its_interval() {
    let kinds = [
        (AdjustmentType::ChangeInCapacity, 2, "wants 4 instances (step from 0.0 up: 2 +2)"),
        (
            AdjustmentType::PercentChangeInCapacity,
            50,
            "wants 3 instances (step from 0.0 up: 2 +50 %)",
        ),
        (AdjustmentType::ExactCapacity, 3, "wants 3 instances (step from 0.0 up: exactly 3)"),
    ];
    for (kind, by, expected) in kinds {
        let plan = Plan::StepScaling(steps(kind, &[(Some(0.0), None, by)]));
        let scene = Scene::new(1, 9, 2).has("s", plan.clone()).step("s", &[60.0, 70.0], 50.0);
        let text = considered(&scene.decide().considered[0], at(0));
        let saw = "Alarm s-Step of step policy s: 65.0 from 2 datapoints (60.0, 70.0) with the threshold at 50.0";
        assert_eq!(text, format!("{saw}: {expected}; granted."));
        let below = Scene::new(1, 9, 2).has("s", plan).step("s", &[40.0], 50.0);
        let text = considered(&below.decide().considered[0], at(0));
        assert!(text.contains("(no step covers -10.0 from the threshold)"), "{text}");
    }
}

#[test]
fn cooldowns_tell_until_when_and_end() {
    let mut memory = target(1, 4).memory;
    memory.scaled_out = Some(ScaledOut { at: at(0), base: 2, cooldown_secs: 60 });
    memory.scaled_in = Some(ScaledIn { at: at(0), cooldown_secs: 300 });
    let found = cooldowns(&memory, at(30));
    assert_eq!(
        found.iter().map(|one| one.direction).collect::<Vec<_>>(),
        [Direction::Out, Direction::In]
    );
    assert_eq!(
        found[0].text,
        "Scale-out cooldown until 12:01:00 (30 s): scales out only for more than what the scale-out from 2, completed at \
         12:00:00, gave."
    );
    assert_eq!(cooldowns(&memory, at(60)).len(), 1);
    assert!(cooldowns(&memory, at(300)).is_empty());
}

#[test]
fn a_target_is_told_with_what_holds_it() {
    let scene = tracks(2).with(|it| it.target.suspended.scheduled = true);
    assert_eq!(
        scene.facts(summary),
        "2 instances wanted, 2 running, between 1 and 4. Scheduled actions are suspended."
    );
    let alone = Scene::new(1, 4, 1).facts(summary);
    assert_eq!(
        alone,
        "1 instance wanted, 1 running, between 1 and 4. No policy would change that."
    );
    let gone = tracks(2).with(|it| it.resource = None).facts(summary);
    assert_eq!(
        gone,
        "The endpoint does not serve the variant; it would keep between 1 and 4 instances."
    );
}

#[test]
fn a_policy_says_what_would_make_it_scale() {
    let fast = TargetTracking {
        metric: TrackedMetric::ConcurrentRequestsPerModelHighResolution,
        disable_scale_in: Some(true),
        ..tracking(5.0)
    };
    let step = steps(AdjustmentType::ExactCapacity, &[(Some(0.0), None, 1)]);
    for (plan, expected) in [
        (
            Plan::TargetTracking(tracking(10.0)),
            "Policy p keeps invocations per minute and instance at 10.0: it scales out when that is above 10.0 for 3 \
             periods of 60 s in a row, and in when it is below 9.0 for 15 periods of 60 s in a row.",
        ),
        (
            Plan::TargetTracking(fast),
            "Policy p keeps concurrent requests per model at 5.0: it scales out when that is above 5.0 for 3 periods of 10 \
             s in a row, and never scales in.",
        ),
        (
            Plan::StepScaling(step),
            "Policy p changes capacity by its step (ExactCapacity) when an alarm calls it.",
        ),
    ] {
        assert_eq!(policy(&named("p", plan)), expected);
    }
}

#[test]
fn an_alarm_says_when_it_fires_and_how_it_stands() {
    let config = Config {
        description: None,
        actions_enabled: true,
        ok_actions: Vec::new(),
        alarm_actions: Vec::new(),
        insufficient_data_actions: Vec::new(),
        watch: TrackedMetric::InvocationsPerInstance.watch(&resource()),
        evaluation_periods: 3,
        datapoints_to_alarm: None,
        threshold: 10.0,
        comparison: crate::alarm::Comparison::GreaterThanThreshold,
        treat_missing: None,
        evaluate_low_samples: None,
        kept: Members::default(),
    };
    assert!(matches!(config.watch, Watch::Metric(_)));
    let mut made = Alarm::create("a".into(), config, at(0));
    assert_eq!(
        alarm(Side::High, &made),
        "AlarmHigh fires when the Sum of InvocationsPerInstance is above 10.0 for 3 periods of 60 s in a row; it has too \
         little data since 1970-01-01 12:00:00 UTC."
    );
    made.state.value = StateValue::Alarm;
    made.config.datapoints_to_alarm = Some(2);
    made.config.actions_enabled = false;
    assert_eq!(
        alarm(Side::Step, &made),
        "Alarm a fires when the Sum of InvocationsPerInstance is above 10.0 in 2 of 3 periods of 60 s; it is in ALARM since \
         1970-01-01 12:00:00 UTC; its actions are disabled, so that it calls nobody."
    );
}

#[test]
fn a_scheduled_action_says_what_and_when() {
    let action = ScheduledAction {
        target: TargetKey::from(&resource()),
        name: "night".into(),
        schedule: "rate(1 day)".into(),
        timezone: None,
        start: None,
        end: None,
        min: Some(1),
        max: Some(2),
        created_at: at(0),
        done_until: at(0),
    };
    assert_eq!(
        scheduled_action(&action, Some(at(90)), at(0)),
        "Scheduled action night (rate(1 day), UTC) sets min capacity to 1 and max capacity to 2; it runs next at \
         1970-01-01 12:01:30 UTC (in 90 s)."
    );
    assert!(scheduled_action(&action, None, at(0)).ends_with("it does not run any more."));
}

#[test]
fn lengths_of_time_have_two_parts_at_most() {
    for (secs, expected) in [
        (0, "0 s"),
        (119, "119 s"),
        (150, "2 min 30 s"),
        (12_000, "3 h 20 min"),
        (176_400, "2 d 1 h"),
    ] {
        assert_eq!(super::text::span(std::time::Duration::from_secs(secs)), expected);
    }
}
