//! What a survey reads, and what it says when it cannot.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::fake::{Server, server, wait_for};
use crate::{Fault, Survey, survey, survey_deletion};

fn surveyed(server: &Server) -> Result<Survey, Fault> {
    wait_for(survey(server, &"e".parse().unwrap(), &"new".parse().unwrap()))
}

#[test]
fn everything_is_read_page_by_page_in_the_form_in_which_it_is_put_back() {
    let server = server();
    let Survey { facts, saved } = surveyed(&server).unwrap();
    assert_eq!((facts.in_use.name.as_str(), facts.wanted.name.as_str()), ("old", "new"));
    assert_eq!((facts.status.as_str(), facts.running[0].desired), ("InService", Some(4)));
    let [target] = saved.targets.as_slice() else { panic!("{saved:?}") };
    assert_eq!(
        target.target,
        json!({"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/web",
               "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "MinCapacity": 2, "MaxCapacity": 8,
               "SuspendedState": {"DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": true,
                                  "ScheduledScalingSuspended": false}})
    );
    assert_eq!(target.tags, BTreeMap::from([("team".to_owned(), "tide".to_owned())]));
    let names: Vec<&str> = target.policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["steps", "tide"]);
    let policy = &target.policies[0].policy;
    assert_eq!(
        policy["StepScalingPolicyConfiguration"]["StepAdjustments"][0]["ScalingAdjustment"],
        1
    );
    assert_eq!((policy.get("PolicyARN"), policy.get("CreationTime")), (None, None));
    let action = &target.scheduled_actions["night"];
    assert_eq!(action.created_at.as_millis(), 1_700_000_000_000);
    assert_eq!(action.action["Schedule"], "cron(0 3 ? * SUN 2099)");
    // The one that a policy made is not the user's, although it calls it.
    let [alarm] = saved.alarms.as_slice() else { panic!("{:?}", saved.alarms) };
    assert_eq!((alarm.name.as_str(), &alarm.alarm["Threshold"]), ("mine", &json!(0.1)));
    let [scaled] = facts.scaled.as_slice() else { panic!("{facts:?}") };
    assert_eq!((scaled.min, scaled.max, scaled.tagged), (2, 8, true));
    assert_eq!(scaled.alarms, ["mine"]);
    assert_eq!(scaled.policy_alarms, ["TargetTracking-endpoint/e/variant/web-AlarmHigh-tide"]);
    assert!(server.changes().is_empty());
}

#[test]
fn a_server_without_tags_has_none() {
    let table = [
        ("UnknownOperationException", 400),
        ("ResourceNotFoundException", 400),
        ("InternalFailure", 501),
        ("Unknown", 404),
    ];
    for (code, status) in table {
        let server = server();
        let fault = Fault::Refused { code: code.to_owned(), message: String::new(), status };
        server.refused.lock().unwrap().push(("ListTagsForResource", fault));
        assert!(surveyed(&server).unwrap().saved.targets[0].tags.is_empty(), "{code}");
        assert!(server.paused() < Duration::from_secs(2));
    }
    // One that falters may have them: also where only a page of HTML says so.
    for code in ["InternalFailure", "Unknown"] {
        let server = server();
        let fault = Fault::Refused { code: code.to_owned(), message: String::new(), status: 500 };
        server.refused.lock().unwrap().push(("ListTagsForResource", fault.clone()));
        assert_eq!(surveyed(&server), Err(fault));
    }
}

#[test]
fn what_may_not_be_read_is_an_error_and_no_absence() {
    let reads = [
        "DescribeEndpoint",
        "DescribeScalableTargets",
        "DescribeScalingPolicies",
        "DescribeScheduledActions",
        "ListTagsForResource",
        "DescribeAlarms",
    ];
    for operation in reads {
        let server = server();
        let fault = Fault::Refused {
            code: "AccessDeniedException".to_owned(),
            message: "no".to_owned(),
            status: 400,
        };
        server.refused.lock().unwrap().push((operation, fault.clone()));
        assert_eq!(surveyed(&server), Err(fault), "{operation}");
    }
}

#[test]
fn a_config_in_use_that_is_gone_is_told_from_a_wanted_one() {
    let server = server();
    server.state().configs.remove("new");
    let wanted = surveyed(&server).unwrap_err().to_string();
    assert_eq!(wanted, "ValidationException: Could not find endpoint configuration");
    server.state().configs.remove("old");
    let in_use = surveyed(&server).unwrap_err().to_string();
    assert!(in_use.contains("It is the config that endpoint e uses"), "{in_use}");
    let deletion = wait_for(survey_deletion(&server, &"e".parse().unwrap())).unwrap();
    assert_eq!((deletion.config.as_str(), deletion.scaled.len()), ("old", 1));
}
