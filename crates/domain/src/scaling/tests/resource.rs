//! Ids and ARNs (section 1.3).

use crate::scaling::testing::{policy, resource, scope, target, tracking};
use crate::scaling::{
    ActionRef, DIMENSION, Plan, Refusal, ResourceId, Side, TargetKey, target_id_of_arn,
};

#[test]
fn a_resource_id_reads_back_and_has_one_form() {
    let id: ResourceId = "endpoint/My-Ep/variant/v-1".parse().unwrap();
    assert_eq!(id.to_string(), "endpoint/My-Ep/variant/v-1");
    let spelled = "endpoint/my-ep/variant/v-1".parse::<ResourceId>().unwrap();
    assert_ne!(id, spelled);
    assert_eq!(TargetKey::from(&id), TargetKey::from(&spelled));
    for bad in [
        "",
        "endpoint/a",
        "endpoint/a/variant/",
        "endpoint//variant/v",
        "endpoint/a/variant/v/",
        "endpoint/a/variant/v/variant/w",
        "Endpoint/a/variant/v",
        "inference-component/a",
        "service/a/b",
        "endpoint/a_b/variant/v",
    ] {
        assert!(bad.parse::<ResourceId>().is_err(), "{bad}");
    }
}

#[test]
fn namespaces_and_dimensions_are_refused_as_aws_does() {
    let id = "endpoint/a/variant/v";
    for (namespace, resource, dimension, verdict) in [
        ("sagemaker", id, DIMENSION, None),
        ("sagemaker", "service/a/b", DIMENSION, Some(Refusal::Unsupported)),
        (
            "sagemaker",
            id,
            "sagemaker:variant:DesiredProvisionedConcurrency",
            Some(Refusal::Unsupported),
        ),
        ("ecs", "service/a/b", "ecs:service:DesiredCount", Some(Refusal::Unsupported)),
        ("ecs", id, "ec2:spot-fleet-request:TargetCapacity", Some(Refusal::NotAuthorized)),
        ("sagemaker", id, "ecs:service:DesiredCount", Some(Refusal::NotAuthorized)),
    ] {
        let found = ResourceId::read(namespace, resource, dimension).err();
        assert_eq!(found, verdict, "{namespace} {resource} {dimension}");
    }
}

#[test]
fn arns_have_aws_form_and_name_the_same_uuid() {
    let mut target = target(1, 4);
    target.id = "5266b687-13fc-423b-9ae0-3299e2fd021f".parse().unwrap();
    let arn = target.arn(&scope());
    assert_eq!(
        arn,
        "arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/056m5266b68713fc423b9ae03299e2fd021f"
    );
    assert_eq!(target_id_of_arn(&scope(), &arn), Some(target.id));
    assert_eq!(target_id_of_arn(&scope(), &arn.replace("us-east-1", "eu-west-1")), None);
    assert_eq!(
        target.policy_arn(&scope(), "policy-1"),
        "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:5266b687-13fc-423b-9ae0-3299e2fd021f:resource/\
         sagemaker/endpoint/my-ep/variant/AllTraffic:policyName/policy-1"
    );
    assert_eq!(
        target.scheduled_action_arn(&scope(), "night"),
        "arn:aws:autoscaling:us-east-1:111122223333:scheduledAction:5266b687-13fc-423b-9ae0-3299e2fd021f:resource/\
         sagemaker/endpoint/my-ep/variant/AllTraffic:scheduledActionName/night"
    );
}

#[test]
fn an_alarm_action_reads_back_as_its_policy() {
    let target = target(1, 4);
    for name in ["p", "a:b/c d", ":policyName/", "p:createdBy/x", "ä:createdBy/"] {
        let policy = policy(name, Plan::TargetTracking(tracking(10.0)));
        let read = |action: &str| ActionRef::read(&scope(), action);
        let expected = |created_by| ActionRef {
            target: TargetKey::from(&resource()),
            target_id: target.id,
            policy: name.to_owned(),
            created_by,
        };
        let own = read(&target.alarm_action(&scope(), &policy));
        assert_eq!(own, Some(expected(Some(policy.created_by))), "{name}");
        assert_eq!(read(&target.policy_arn(&scope(), name)), Some(expected(None)), "{name}");
    }
    let arn = target.policy_arn(&scope(), "p");
    for other in [
        arn.replace("111122223333", "000000000000"),
        arn.replace("us-east-1", "eu-west-1"),
        arn.replace("sagemaker", "ecs"),
        arn.replace("scalingPolicy", "scheduledAction"),
        arn.replace("/variant/", "/"),
        "arn:aws:sns:us-east-1:111122223333:topic".to_owned(),
        String::new(),
    ] {
        assert_eq!(ActionRef::read(&scope(), &other), None, "{other}");
    }
}

#[test]
fn an_alarm_is_high_low_or_a_stranger_to_its_policy() {
    let tracks = policy("p", Plan::TargetTracking(tracking(10.0)));
    assert_eq!(Side::of(&tracks, &"p-High".into()), Some(Side::High));
    assert_eq!(Side::of(&tracks, &"p-Low".into()), Some(Side::Low));
    assert_eq!(Side::of(&tracks, &"mine".into()), None);
}
