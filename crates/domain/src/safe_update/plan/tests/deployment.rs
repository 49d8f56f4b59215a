//! `DeploymentConfig`s: the plan says what `UpdateEndpoint` would say of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ARN, config, running, scaled};
use crate::safe_update::{Facts, Request, Run, Saved, Verdict, plan};
use crate::time::Timestamp;

fn facts(wanted: &str) -> Facts {
    Facts {
        endpoint: "e".parse().unwrap(),
        arn: ARN.to_owned(),
        status: "InService".to_owned(),
        in_use: config("old", "a m large 2@1"),
        wanted: config("new", wanted),
        running: vec![running("a 4@1")],
        scaled: vec![scaled("a 1..8")],
    }
}

fn request(deployment: &Value) -> Request {
    let deployment_config = Some(serde_json::from_value(deployment.clone()).unwrap());
    Request { deployment_config, ..Request::default() }
}

fn shifting(kind: &str, size: &str, value: u32) -> Value {
    json!({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": 60,
        size: {"Type": "INSTANCE_COUNT", "Value": value}}, "TerminationWaitInSeconds": 30,
        "MaximumExecutionTimeoutInSeconds": 600}})
}

fn rolling(value: u32) -> Value {
    json!({"RollingUpdatePolicy": {"WaitIntervalInSeconds": 60, "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": value}}})
}

#[test]
fn what_update_endpoint_refuses_is_an_obstacle_and_the_verdict() {
    let (same, two) = ("a n large 2@1", "a n large 2@1, b n large 1@1");
    let both = json!({"BlueGreenUpdatePolicy": {}, "RollingUpdatePolicy": {}});
    for (wanted, deployment, refused) in [
        (same, shifting("LINEAR", "LinearStepSize", 2), None),
        (same, shifting("LINEAR", "LinearStepSize", 3), Some("at most 50 percent")),
        (same, shifting("LINEAR", "CanarySize", 1), Some("CanarySize can only")),
        (same, shifting("CANARY", "CanarySize", 1), None),
        (same, rolling(2), None),
        (same, both, Some("only one of")),
        (two, shifting("CANARY", "CanarySize", 1), Some("same variant names")),
        (two, json!({}), None),
    ] {
        let plan = plan(&facts(wanted), &request(&deployment));
        match refused {
            None => assert_eq!(
                (plan.verdict, plan.obstacles),
                (Verdict::Accepted, vec![]),
                "{deployment}"
            ),
            Some(words) => {
                let Verdict::Refused(told) = &plan.verdict else {
                    panic!("{deployment} is {:?}", plan.verdict)
                };
                assert!(told.contains(words), "{told}");
                assert_eq!(plan.obstacles, std::slice::from_ref(told));
                assert_eq!(plan.notes.first(), Some(told));
            }
        }
    }
}

/// A variant that is bound is what a plain update is refused for; the safe one only fails for what stays in its way.
#[test]
fn what_binds_a_variant_is_told_first_and_is_no_obstacle() {
    let plan = plan(&facts("a n xlarge 2@1"), &request(&shifting("LINEAR", "LinearStepSize", 1)));
    assert!(
        matches!(&plan.verdict, Verdict::Refused(words) if words.contains("deregister")),
        "{:?}",
        plan.verdict
    );
    assert_eq!(plan.obstacles, Vec::<String>::new());
    let step = &plan.steps[5].calls[0].on;
    assert!(step.contains("DeploymentConfig (linear)"), "{step}");
}

/// Half of the instances with their headroom is more than half of those without.
#[test]
fn sizes_are_measured_by_the_counts_of_step_6() {
    let deployment = shifting("LINEAR", "LinearStepSize", 3);
    let raised = Request { headroom_percent: 50, ..request(&deployment) };
    let plan = plan(&facts("a n large 2@1"), &raised);
    assert_eq!(plan.obstacles, Vec::<String>::new());
    assert!(matches!(plan.verdict, Verdict::Refused(_)));
}

#[test]
fn two_deployment_configs_are_refused() {
    let two = Request { retain_deployment_config: true, ..request(&json!({})) };
    let plan = plan(&facts("a n large 2@1"), &two);
    assert!(matches!(plan.verdict, Verdict::Refused(_)));
    assert_eq!(plan.obstacles.len(), 1);
}

#[test]
fn a_run_waits_for_as_long_as_its_deployment_may_take() {
    let linear = |timeout: Option<u32>| {
        let mut linear = shifting("LINEAR", "LinearStepSize", 1);
        linear["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = json!(timeout);
        request(&linear)
    };
    let retained = Request { retain_deployment_config: true, ..Request::default() };
    for (request, secs) in [
        (Request::default(), 0),
        // Three bakes between four steps, and the last one.
        (linear(None), 3 * 60 + 30),
        (linear(Some(600)), 600),
        (request(&rolling(2)), 2 * 60),
        (retained, 8 * 3600),
    ] {
        let now = Timestamp::from_millis(1);
        let run = Run::begin(facts("a n large 2@1"), Saved::default(), request, now).unwrap();
        assert_eq!(run.deployment_time(), Duration::from_secs(secs));
    }
}
