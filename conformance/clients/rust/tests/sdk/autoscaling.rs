//! Application Auto Scaling: an error of AWS's shape that says what is not there, in the SDK's own types.

use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::config::BehaviorVersion;
use aws_sdk_applicationautoscaling::error::ProvideErrorMetadata;
use aws_sdk_applicationautoscaling::operation::RequestId;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};

use crate::support::{http, once, server};

fn client() -> Client {
    let server = server();
    let config = aws_sdk_applicationautoscaling::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.url)
        .region(server.region)
        .credentials_provider(server.credentials)
        .retry_config(once())
        .http_client(http())
        .build();
    Client::from_conf(config)
}

#[tokio::test]
async fn a_service_that_is_not_served_is_refused_by_name() {
    let refused = client()
        .register_scalable_target()
        .service_namespace(ServiceNamespace::Sagemaker)
        .resource_id("endpoint/tide/variant/main")
        .scalable_dimension(ScalableDimension::SageMakerVariantDesiredInstanceCount)
        .min_capacity(1)
        .max_capacity(4)
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 400);
    assert!(refused.request_id().is_some());
    let error = refused.into_service_error();
    assert_eq!(error.code(), Some("UnknownOperationException"));
    let text = error.message().unwrap();
    assert!(text.contains("application-autoscaling"), "{text}");
}
