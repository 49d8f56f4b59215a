//! Registration, and what names a resource.

use serde_json::{Value, json};

use super::super::{DIMENSION, MAIN, named, with};
use super::{check, spare, world};

#[tokio::test]
async fn registration() {
    let both = |more: Value| with(spare(json!({"MinCapacity": 1, "MaxCapacity": 2})), more);
    let register = "RegisterScalableTarget";
    check(vec![
        (register, spare(json!({})), "Minimum capacity must be specified"),
        (register, spare(json!({"MinCapacity": 1})), "Maximum capacity must be specified"),
        (register, both(json!({"MinCapacity": -1})), "Minimum capacity cannot be less than 0"),
        (
            register,
            both(json!({"MinCapacity": 3})),
            "Maximum capacity cannot be less than minimum capacity",
        ),
        // After the merge.
        (
            register,
            named(json!({"MinCapacity": 5})),
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (register, both(json!({"RoleARN": "not-an-arn"})), "'not-an-arn' is not a valid ARN"),
        (
            register,
            named(json!({"Tags": {"a": "b"}})),
            "The scalable target that you tried to tag already exists. To update tags on an existing scalable target, \
             use the TagResource API.",
        ),
        (
            register,
            both(json!({"Tags": {"aws:a": "b"}})),
            "Tag keys that begin with aws: are reserved",
        ),
        (
            register,
            json!({"ResourceId": MAIN}),
            "2 validation errors detected: Value null at 'serviceNamespace' failed to satisfy constraint: Member must \
             not be null; Value null at 'scalableDimension' failed to satisfy constraint: Member must not be null",
        ),
    ])
    .await;
}

#[tokio::test]
async fn resources() {
    let both = |more: Value| with(spare(json!({"MinCapacity": 1, "MaxCapacity": 2})), more);
    let of = |id: &str| both(json!({"ResourceId": id}));
    let register = "RegisterScalableTarget";
    let unsupported = "Unsupported service namespace, resource type or scalable dimension";
    check(vec![
        (register, of("endpoint/Chat"), unsupported),
        (register, of("inference-component/c"), unsupported),
        (register, of("endpoint/no_name/variant/main"), unsupported),
        (
            register,
            both(json!({"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"})),
            unsupported,
        ),
        (
            register,
            both(json!({"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"})),
            unsupported,
        ),
        (
            register,
            both(json!({"ServiceNamespace": "ecs"})),
            "#AccessDeniedException: Account is not authorized",
        ),
        (
            register,
            of("endpoint/Nobody/variant/main"),
            "Could not find endpoint \"arn:aws:sagemaker:us-east-1:000000000000:endpoint/Nobody\".",
        ),
        (register, of("endpoint/Chat/variant/none"), "Variant none not found in endpoint Chat"),
        (
            register,
            of("endpoint/Chat/variant/burst"),
            "You cannot register a variant with ml.t2.medium instance type as a scalable target. This is because the \
             burstable performance of these instances can lead to unpredictable behavior with Auto Scaling.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_word_that_no_enum_has() {
    let world = world().await;
    let told = world.bad("RegisterScalableTarget", named(json!({"ScalableDimension": "x"}))).await;
    assert!(
        told.starts_with(
            "ValidationException: 1 validation error detected: Value 'x' at 'scalableDimension' failed to satisfy \
             constraint: Member must satisfy enum value set: ["
        ),
        "{told}"
    );
    assert!(told.contains(DIMENSION), "{told}");
    let told = world
        .bad("PutScalingPolicy", named(json!({"PolicyName": "p", "PolicyType": "SimpleScaling"})))
        .await;
    assert_eq!(
        told,
        "ValidationException: 1 validation error detected: Value 'SimpleScaling' at 'policyType' failed to satisfy \
         constraint: Member must satisfy enum value set: [PredictiveScaling, RightSizing, StepScaling, \
         TargetTrackingScaling]"
    );
}
