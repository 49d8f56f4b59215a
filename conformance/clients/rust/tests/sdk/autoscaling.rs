//! Application Auto Scaling: a variant that is scaled, in the SDK's own types, and what is told when it no longer is.

use aws_sdk_applicationautoscaling::config::BehaviorVersion;
use aws_sdk_applicationautoscaling::error::ProvideErrorMetadata;
use aws_sdk_applicationautoscaling::operation::RequestId;
use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ScalableTargetAction,
    ServiceNamespace, TargetTrackingScalingPolicyConfiguration,
};
use aws_sdk_applicationautoscaling::{Client, Config};

use crate::support::{http, named, once, server};

const SAGEMAKER: ServiceNamespace = ServiceNamespace::Sagemaker;
const COUNT: ScalableDimension = ScalableDimension::SageMakerVariantDesiredInstanceCount;

fn client() -> Client {
    let server = server();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.url)
        .region(server.region)
        .credentials_provider(server.credentials)
        .retry_config(once())
        .http_client(http())
        .build();
    Client::from_conf(config)
}

fn variant() -> String {
    format!("endpoint/{}/variant/main", named("TIDEGATE_TEST_ECHO"))
}

/// Follows the requests to each instance, far above what this sends.
fn tracking() -> TargetTrackingScalingPolicyConfiguration {
    let metric = PredefinedMetricSpecification::builder()
        .predefined_metric_type(MetricType::SageMakerVariantInvocationsPerInstance)
        .build()
        .unwrap();
    TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(1000.0)
        .predefined_metric_specification(metric)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_variant_is_scaled_and_then_it_is_not() {
    let client = client();
    let registration = client.register_scalable_target().service_namespace(SAGEMAKER);
    let registration = registration.resource_id(variant()).scalable_dimension(COUNT);
    let registered = registration.min_capacity(1).max_capacity(2).send().await.unwrap();
    assert!(registered.scalable_target_arn().unwrap().contains(":scalable-target/056m"));

    let policy = client.put_scaling_policy().service_namespace(SAGEMAKER).resource_id(variant());
    let policy = policy.scalable_dimension(COUNT).policy_name("track");
    let policy = policy.policy_type(PolicyType::TargetTrackingScaling);
    let made =
        policy.target_tracking_scaling_policy_configuration(tracking()).send().await.unwrap();
    assert!(made.policy_arn().ends_with(":policyName/track"), "{}", made.policy_arn());
    let [high, low] = made.alarms() else { panic!("two alarms, not {:?}", made.alarms()) };
    let prefix = format!("TargetTracking-{}-Alarm", variant());
    assert!(high.alarm_name().starts_with(&format!("{prefix}High-")), "{high:?}");
    assert!(low.alarm_name().starts_with(&format!("{prefix}Low-")), "{low:?}");

    let schedule = client.put_scheduled_action().service_namespace(SAGEMAKER);
    let schedule = schedule.resource_id(variant()).scalable_dimension(COUNT);
    let action = ScalableTargetAction::builder().max_capacity(2).build();
    let schedule = schedule.scheduled_action_name("never").scalable_target_action(action);
    let refused = schedule.schedule("every day").send().await.unwrap_err();
    let error = refused.into_service_error();
    assert!(error.is_validation_exception(), "{error:?}");
    assert!(error.message().unwrap().starts_with("Invalid schedule"), "{error:?}");

    let mut pages = client
        .describe_scaling_policies()
        .service_namespace(SAGEMAKER)
        .resource_id(variant())
        .into_paginator()
        .items()
        .send();
    let listed = pages.next().await.unwrap().unwrap();
    assert_eq!(
        (listed.policy_name(), listed.creation_time().secs() > 0),
        ("track", true),
        "{listed:?}"
    );
    assert_eq!(listed.target_tracking_scaling_policy_configuration(), Some(&tracking()));
    assert!(pages.next().await.is_none());

    let deregister = || {
        let call = client.deregister_scalable_target().service_namespace(SAGEMAKER);
        call.resource_id(variant()).scalable_dimension(COUNT).send()
    };
    deregister().await.unwrap();
    let refused = deregister().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 400);
    assert!(refused.request_id().is_some());
    let error = refused.into_service_error();
    assert!(error.is_object_not_found_exception(), "{error:?}");
    let told = format!(
        "No scalable target found for service namespace: sagemaker, resource ID: {}, scalable dimension: {}",
        variant(),
        COUNT.as_str()
    );
    assert_eq!(error.message(), Some(told.as_str()));
}
