//! What a `DeploymentConfig` is read as, and what is refused (`reference/sagemaker-hosting.md`, section 4).

use serde_json::{Value, json};

use super::super::*;
use super::read;
use crate::name::VariantName;

fn shifting(kind: &str, more: &Value) -> Value {
    let mut routing = json!({"Type": kind, "WaitIntervalInSeconds": 60});
    routing.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 120}})
}

fn percent(value: u32) -> Value {
    json!({"Type": "CAPACITY_PERCENT", "Value": value})
}

fn count(value: u32) -> Value {
    json!({"Type": "INSTANCE_COUNT", "Value": value})
}

#[test]
fn each_policy_is_read() {
    let blue_green = |shift| Policy::BlueGreen { shift, wait_secs: 60, termination_wait_secs: 120 };
    let rolling =
        |rollback_batch| Policy::Rolling { batch: Size::Count(2), wait_secs: 30, rollback_batch };
    let rolled = |more: Value| {
        let mut policy = json!({"MaximumBatchSize": count(2), "WaitIntervalInSeconds": 30});
        policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"RollingUpdatePolicy": policy})
    };
    let table = [
        (json!({}), Guardrails::default().policy),
        (shifting("ALL_AT_ONCE", &json!({})), blue_green(Shift::AllAtOnce)),
        (
            shifting("CANARY", &json!({"CanarySize": percent(30)})),
            blue_green(Shift::Canary(Size::Percent(30))),
        ),
        (
            shifting("LINEAR", &json!({"LinearStepSize": count(1)})),
            blue_green(Shift::Linear(Size::Count(1))),
        ),
        (rolled(json!({})), rolling(None)),
        (rolled(json!({"RollbackMaximumBatchSize": count(3)})), rolling(Some(Size::Count(3)))),
        // All of it is what no size at all means.
        (rolled(json!({"RollbackMaximumBatchSize": percent(100)})), rolling(None)),
    ];
    for (config, policy) in table {
        assert_eq!(read(config.clone()).unwrap().policy, policy, "{config}");
    }
}

#[test]
fn alarms_and_the_limit_of_time_are_read() {
    let read = read(json!({
        "RollingUpdatePolicy": {"MaximumBatchSize": count(1), "WaitIntervalInSeconds": 0, "MaximumExecutionTimeoutInSeconds": 900},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}, {"AlarmName": "latency"}]},
    }));
    let read = read.unwrap();
    assert_eq!(read.alarms, ["errors", "latency"]);
    assert_eq!(read.timeout_secs, Some(900));
}

#[test]
fn what_cannot_be_is_refused() {
    let canary = |size| shifting("CANARY", &json!({"CanarySize": size}));
    let linear = |size| shifting("LINEAR", &json!({"LinearStepSize": size}));
    let rolling = |size: Value| json!({"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 0}});
    let both = {
        let mut both = canary(percent(10));
        both.as_object_mut().unwrap().extend(rolling(count(1)).as_object().unwrap().clone());
        both
    };
    let twice =
        json!({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "a"}]}});
    let out_of_range = |member, least| Refusal::SizeOutOfRange { member, least, most: 50 };
    let table = [
        (both, Refusal::TwoPolicies),
        (
            shifting("CANARY", &json!({})),
            Refusal::SizeMissing { member: "CanarySize", kind: "CANARY" },
        ),
        (
            shifting("LINEAR", &json!({})),
            Refusal::SizeMissing { member: "LinearStepSize", kind: "LINEAR" },
        ),
        (
            shifting("ALL_AT_ONCE", &json!({"CanarySize": percent(10)})),
            Refusal::SizeUnused { member: "CanarySize", kind: "CANARY" },
        ),
        (
            shifting("CANARY", &json!({"CanarySize": percent(10), "LinearStepSize": percent(10)})),
            Refusal::SizeUnused { member: "LinearStepSize", kind: "LINEAR" },
        ),
        (canary(percent(51)), out_of_range("CanarySize", 1)),
        (linear(percent(9)), out_of_range("LinearStepSize", 10)),
        (linear(percent(51)), out_of_range("LinearStepSize", 10)),
        (rolling(percent(4)), out_of_range("MaximumBatchSize", 5)),
        (rolling(percent(51)), out_of_range("MaximumBatchSize", 5)),
        (twice, Refusal::DuplicateAlarm("a".into())),
    ];
    for (config, refusal) in table {
        assert_eq!(read(config.clone()), Err(refusal), "{config}");
    }
}

#[test]
fn what_the_variants_do_not_allow_is_refused() {
    let [a, b]: [VariantName; 2] = ["a", "b"].map(|name| name.parse().unwrap());
    let canary = read(shifting("CANARY", &json!({"CanarySize": count(2)}))).unwrap();
    let rolling = json!({"MaximumBatchSize": percent(50), "WaitIntervalInSeconds": 200, "MaximumExecutionTimeoutInSeconds": 600});
    let rolling = read(json!({"RollingUpdatePolicy": rolling})).unwrap();
    let at_once = Guardrails::default();
    let too_large =
        Refusal::SizeTooLarge { member: "CanarySize", most: 50, variant: a.clone(), total: 3 };
    let table = [
        (&canary, vec![(&a, Some(4), Some(4))], Ok(())),
        (&canary, vec![(&a, Some(4), Some(3))], Err(too_large)),
        (&canary, vec![(&a, Some(4), Some(4)), (&b, Some(4), Some(4))], Ok(())),
        (
            &canary,
            vec![(&a, Some(4), None), (&b, None, Some(4))],
            Err(Refusal::VariantsDiffer("Canary traffic shifting")),
        ),
        (
            &rolling,
            vec![(&a, Some(4), Some(4)), (&b, Some(4), Some(4))],
            Err(Refusal::RollingOfSeveral),
        ),
        // Two batches of half the fleet wait 400 s.
        (&rolling, vec![(&a, Some(4), Some(4))], Ok(())),
        (&at_once, vec![(&a, Some(4), None), (&b, None, Some(4))], Ok(())),
    ];
    for (guardrails, variants, outcome) in table {
        assert_eq!(guardrails.check(&variants), outcome, "{guardrails:?} {variants:?}");
    }
    let short = Guardrails { timeout_secs: Some(400), ..rolling };
    assert_eq!(short.check(&[(&a, Some(4), Some(4))]), Err(Refusal::TimeoutTooShort(400)));
}

#[test]
fn sizes_are_rounded_up_to_whole_instances() {
    let table = [
        (Size::Percent(30), 1, 10, 3),
        (Size::Percent(30), 1, 3, 1),
        (Size::Percent(10), 1, 3, 1),
        (Size::Percent(10), 1, 1, 1),
        (Size::Percent(50), 1, 3, 2),
        (Size::Percent(50), 2, 3, 3),
        (Size::Percent(33), 4, 10, 10),
        (Size::Count(2), 1, 5, 2),
        (Size::Count(2), 3, 5, 5),
        (Size::Count(2), 1, 0, 0),
    ];
    for (size, steps, total, moved) in table {
        assert_eq!(size.after(steps, total), moved, "{size:?} {steps} {total}");
    }
}
