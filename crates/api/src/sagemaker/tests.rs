//! Operations through the wire: what comes back, and AWS's words where something does not go.

use std::sync::Arc;

use bytes::Bytes;
use domain::time::{Clock, Timestamp};
use http::Request;
use serde_json::{Value, json};

use crate::{Context, testing};

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_529_870_369_986)
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

struct Server(Context);

impl Server {
    fn new() -> Self {
        Self(testing::context(Arc::new(Still)))
    }

    async fn call(&self, operation: &str, input: Value) -> (u16, Value) {
        let request = Request::post("/")
            .header("x-amz-target", format!("SageMaker.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let response =
            match wire::route(&wire::sagemaker::SERVICE, &parts, &Bytes::from(input.to_string())) {
                Ok(call) => crate::serve(&self.0, &call, "id").await,
                Err(rejection) => rejection.respond("id"),
            };
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    async fn good(&self, operation: &str, input: Value) -> Value {
        let (status, body) = self.call(operation, input).await;
        assert_eq!(status, 200, "{operation}: {body}");
        body
    }

    /// The error's code and text.
    async fn bad(&self, operation: &str, input: Value) -> String {
        let (status, body) = self.call(operation, input).await;
        assert_eq!(status, 400, "{operation}: {body}");
        let text =
            body["message"].as_str().or_else(|| body["Message"].as_str()).unwrap_or_default();
        format!("{}: {text}", body["__type"].as_str().unwrap_or_default())
    }

    async fn with_model() -> Self {
        let server = Self::new();
        let container = json!({"Image": "tidegate/echo", "Environment": {"A": "1"}});
        server.good("CreateModel", json!({"ModelName": "m", "PrimaryContainer": container})).await;
        server
    }
}

fn variant() -> Value {
    json!({"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2,
           "InitialVariantWeight": 0.1})
}

#[tokio::test]
async fn a_config_comes_back_with_every_value_it_was_given() {
    let server = Server::with_model().await;
    let mut rich = variant();
    rich["VolumeSizeInGB"] = json!(30);
    rich["ContainerStartupHealthCheckTimeoutInSeconds"] = json!(61);
    rich["RoutingConfig"] = json!({"RoutingStrategy": "RANDOM"});
    rich["CoreDumpConfig"] = json!({"DestinationS3Uri": "s3://b/k", "KmsKeyId": "key"});
    let given = json!({
        "EndpointConfigName": "c",
        "ProductionVariants": [rich],
        "KmsKeyId": "key",
        "DataCaptureConfig": {"EnableCapture": false, "InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://b/k",
                              "CaptureOptions": [{"CaptureMode": "Input"}]},
        "AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/out"}},
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "ExecutionRoleArn": "arn:aws:iam::000000000000:role/hosting",
        "EnableNetworkIsolation": true,
    });
    server.good("CreateEndpointConfig", given.clone()).await;
    let mut shown = server.good("DescribeEndpointConfig", json!({"EndpointConfigName": "c"})).await;
    let added = shown.as_object_mut().unwrap();
    assert_eq!(added.remove("CreationTime"), Some(json!(1_529_870_369.986)));
    let arn = added.remove("EndpointConfigArn");
    assert_eq!(arn, Some(json!("arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/c")));
    assert_eq!(shown, given);
    assert!(shown.to_string().contains("\"InitialVariantWeight\":0.1,"), "{shown}");
}

#[tokio::test]
async fn a_model_comes_back_under_the_key_it_was_given() {
    let server = Server::new();
    for (name, given) in [
        ("one", json!({"PrimaryContainer": {"Image": "i", "ModelDataUrl": "file:///m.tar.gz"}})),
        (
            "list",
            json!({"Containers": [{"Image": "i", "ContainerHostname": "h"}], "EnableNetworkIsolation": true}),
        ),
    ] {
        let mut input = given.clone();
        input["ModelName"] = json!(name);
        server.good("CreateModel", input).await;
        let shown = server.good("DescribeModel", json!({"ModelName": name})).await;
        for (key, value) in given.as_object().unwrap() {
            assert_eq!(&shown[key], value, "{key}");
        }
        assert!(shown.get("Tags").is_none());
    }
}

#[tokio::test]
async fn what_is_missing_or_there_already_is_told_in_awss_words() {
    let server = Server::with_model().await;
    let arn = |rest: &str| format!("arn:aws:sagemaker:us-east-1:000000000000:{rest}");
    let variants = |model: &str| {
        let mut variant = variant();
        variant["ModelName"] = json!(model);
        json!({"EndpointConfigName": "c", "ProductionVariants": [variant]})
    };
    let cases = [
        (
            "DescribeModel",
            json!({"ModelName": "x"}),
            format!("Could not find model \"{}\".", arn("model/x")),
        ),
        (
            "DeleteModel",
            json!({"ModelName": "x"}),
            format!("Could not find model \"{}\".", arn("model/x")),
        ),
        (
            "CreateEndpointConfig",
            variants("x"),
            format!("Could not find model \"{}\".", arn("model/x")),
        ),
        (
            "CreateModel",
            json!({"ModelName": "m", "PrimaryContainer": {"Image": "i"}}),
            format!("Cannot create already existing model \"{}\".", arn("model/m")),
        ),
        (
            "DescribeEndpointConfig",
            json!({"EndpointConfigName": "x"}),
            format!("Could not find endpoint configuration \"{}\".", arn("endpoint-config/x")),
        ),
        (
            "CreateEndpoint",
            json!({"EndpointName": "e", "EndpointConfigName": "x"}),
            format!("Could not find endpoint configuration \"{}\".", arn("endpoint-config/x")),
        ),
        (
            "DescribeEndpoint",
            json!({"EndpointName": "x"}),
            format!("Could not find endpoint \"{}\".", arn("endpoint/x")),
        ),
        (
            "DeleteEndpoint",
            json!({"EndpointName": "x"}),
            format!("Could not find endpoint \"{}\".", arn("endpoint/x")),
        ),
        (
            "UpdateEndpoint",
            json!({"EndpointName": "x", "EndpointConfigName": "y"}),
            format!("Could not find endpoint \"{}\".", arn("endpoint/x")),
        ),
    ];
    for (operation, input, text) in cases {
        assert_eq!(
            server.bad(operation, input).await,
            format!("ValidationException: {text}"),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_is_unique_whatever_the_case_of_its_name() {
    let server = Server::with_model().await;
    server
        .good(
            "CreateEndpointConfig",
            json!({"EndpointConfigName": "c", "ProductionVariants": [variant()]}),
        )
        .await;
    server.good("CreateEndpoint", json!({"EndpointName": "Chat", "EndpointConfigName": "c"})).await;
    let again = server
        .bad("CreateEndpoint", json!({"EndpointName": "chat", "EndpointConfigName": "c"}))
        .await;
    assert!(again.contains("Cannot create already existing endpoint"), "{again}");
    let shown = server.good("DescribeEndpoint", json!({"EndpointName": "CHAT"})).await;
    assert_eq!(shown["EndpointName"], "Chat");
    assert_eq!(shown["EndpointStatus"], "Creating");
    assert!(shown.get("ProductionVariants").is_none(), "absent while creating: {shown}");
    let pending = &shown["PendingDeploymentSummary"]["ProductionVariants"][0];
    assert_eq!(
        (&pending["DesiredInstanceCount"], &pending["CurrentInstanceCount"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(
        (&pending["DesiredWeight"], &pending["InstanceType"]),
        (&json!(0.1), &json!("ml.m5.large"))
    );
}

#[tokio::test]
async fn an_endpoint_that_needs_what_is_not_there_is_refused_by_member() {
    let server = Server::with_model().await;
    let config = json!({"EndpointConfigName": "c", "ProductionVariants": [variant()],
                        "AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/out"}}});
    server.good("CreateEndpointConfig", config).await;
    let refused =
        server.bad("CreateEndpoint", json!({"EndpointName": "e", "EndpointConfigName": "c"})).await;
    assert_eq!(refused, "ValidationException: Tidegate does not support AsyncInferenceConfig yet.");
    let listed = server.good("ListEndpoints", json!({})).await;
    assert_eq!(listed["Endpoints"], json!([]));
}

#[tokio::test]
async fn tags_are_added_by_key_and_go_with_their_resource() {
    let server = Server::with_model().await;
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:model/m";
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    server
        .good("AddTags", json!({"ResourceArn": arn, "Tags": [tag("a", "1"), tag("b", "2")]}))
        .await;
    let after = server.good("AddTags", json!({"ResourceArn": arn, "Tags": [tag("b", "3")]})).await;
    assert_eq!(after["Tags"], json!([tag("a", "1"), tag("b", "3")]));
    let left = server.good("DeleteTags", json!({"ResourceArn": arn, "TagKeys": ["a", "x"]})).await;
    assert_eq!(left, json!({}));
    let listed = server.good("ListTags", json!({"ResourceArn": arn})).await;
    assert_eq!(listed["Tags"], json!([tag("b", "3")]));

    let many: Vec<Value> = (0..50).map(|index| tag(&format!("k{index}"), "v")).collect();
    let refused = server.bad("AddTags", json!({"ResourceArn": arn, "Tags": many})).await;
    assert!(refused.contains("at most 50"), "{refused}");

    server.good("DeleteModel", json!({"ModelName": "m"})).await;
    let gone = server.bad("ListTags", json!({"ResourceArn": arn})).await;
    assert!(gone.contains("Could not find model"), "{gone}");
    server.good("CreateModel", json!({"ModelName": "m", "PrimaryContainer": {"Image": "i"}})).await;
    assert_eq!(server.good("ListTags", json!({"ResourceArn": arn})).await["Tags"], json!([]));
}

#[tokio::test]
async fn anothers_resource_is_denied_and_a_strange_one_told() {
    let server = Server::with_model().await;
    let list = |arn: &str| json!({"ResourceArn": arn});
    let foreign =
        server.bad("ListTags", list("arn:aws:sagemaker:us-east-1:111111111111:model/m")).await;
    assert!(
        foreign.starts_with("AccessDeniedException: User: arn:aws:iam::000000000000:root is not"),
        "{foreign}"
    );
    let strange =
        server.bad("ListTags", list("arn:aws:sagemaker:us-east-1:000000000000:pipeline/p")).await;
    assert!(strange.starts_with("ValidationException: "), "{strange}");
}

#[tokio::test]
async fn weights_and_counts_change_only_for_variants_that_are_there() {
    let server = Server::with_model().await;
    server
        .good(
            "CreateEndpointConfig",
            json!({"EndpointConfigName": "c", "ProductionVariants": [variant()]}),
        )
        .await;
    server.good("CreateEndpoint", json!({"EndpointName": "e", "EndpointConfigName": "c"})).await;
    let change = json!({"EndpointName": "e", "DesiredWeightsAndCapacities": [{"VariantName": "a", "DesiredWeight": 1}]});
    let busy = server.bad("UpdateEndpointWeightsAndCapacities", change).await;
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e";
    assert_eq!(busy, format!("ValidationException: Cannot update in-progress endpoint \"{arn}\"."));
}

#[tokio::test]
async fn a_fleet_beyond_the_limit_is_refused_when_it_is_asked_for() {
    let server = Server::with_model().await;
    let mut nine = variant();
    nine["InitialInstanceCount"] = json!(9);
    server
        .good(
            "CreateEndpointConfig",
            json!({"EndpointConfigName": "c", "ProductionVariants": [nine]}),
        )
        .await;
    let refused =
        server.bad("CreateEndpoint", json!({"EndpointName": "e", "EndpointConfigName": "c"})).await;
    assert!(
        refused.starts_with("ResourceLimitExceeded: The account-level service limit"),
        "{refused}"
    );
    assert_eq!(server.good("ListEndpoints", json!({})).await["Endpoints"], json!([]));
}

#[tokio::test]
async fn a_shadow_is_one_beside_one_and_shown_apart() {
    let server = Server::with_model().await;
    let named = |name: &str| {
        let mut variant = variant();
        variant["VariantName"] = json!(name);
        variant
    };
    let config = |production: &[Value], shadow: &[Value]| json!({"EndpointConfigName": "c", "ProductionVariants": production, "ShadowProductionVariants": shadow});
    let (a, b, c) = (named("a"), named("b"), named("c"));
    let several = [
        config(&[a.clone(), b.clone()], std::slice::from_ref(&c)),
        config(std::slice::from_ref(&a), &[b.clone(), c]),
    ];
    for several in several {
        let refused = server.bad("CreateEndpointConfig", several).await;
        assert_eq!(
            refused,
            "ValidationException: If you specify ShadowProductionVariants, you can only specify one variant for \
             ProductionVariants and one variant for ShadowProductionVariants."
        );
    }
    let mut unweighted = b;
    unweighted.as_object_mut().unwrap().remove("InitialVariantWeight");
    server.good("CreateEndpointConfig", config(&[a], &[unweighted])).await;
    let shown = server.good("DescribeEndpointConfig", json!({"EndpointConfigName": "c"})).await;
    assert_eq!(shown["ShadowProductionVariants"][0]["InitialVariantWeight"], json!(1.0));
    server.good("CreateEndpoint", json!({"EndpointName": "e", "EndpointConfigName": "c"})).await;
    let shown = server.good("DescribeEndpoint", json!({"EndpointName": "e"})).await;
    let pending = &shown["PendingDeploymentSummary"];
    for (list, name, weight) in
        [("ProductionVariants", "a", 0.1), ("ShadowProductionVariants", "b", 1.0)]
    {
        let variants = pending[list].as_array().unwrap();
        let shown = [
            &variants[0]["VariantName"],
            &variants[0]["DesiredWeight"],
            &variants[0]["InstanceType"],
        ];
        assert_eq!(shown, [&json!(name), &json!(weight), &json!("ml.m5.large")]);
        assert_eq!(variants.len(), 1);
    }
    assert!(shown.get("ShadowProductionVariants").is_none(), "absent while creating: {shown}");
}
