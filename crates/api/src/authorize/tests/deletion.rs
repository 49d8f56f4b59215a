//! Deleting an endpoint that scales asks the caller for what goes with it (promise S9), and refusals come in the form of
//! each protocol.

use bytes::Bytes;
use domain::endpoint::Event;
use domain::name::{EndpointKey, EndpointName};
use domain::time::Clock;
use http::Request;
use serde_json::{Value, json};
use store::Changes;
use wire::Service;

use super::{ENDPOINT, Still, World, key_id, policy, user};

pub(super) const ROOT: &str = "AKIAROOT";
pub(super) const TARGETS: &str =
    "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/*";
const LITERAL: &str = "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM \
     identity used to invoke DeleteEndpoint does not have application-autoscaling:DeregisterScalableTarget permission to \
     deregister the scalable target.";

async fn call(
    world: &World,
    key_id: &str,
    (service, target): (&'static Service, &str),
    input: Value,
) -> (u16, Value) {
    let target = format!("{}.{target}", service.target_prefix);
    let kind = if service.id == "cloudwatch" { "1.0" } else { "1.1" };
    let request = Request::post("/")
        .header("x-amz-target", target)
        .header("content-type", format!("application/x-amz-json-{kind}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let call = wire::route(service, &parts, &Bytes::from(input.to_string())).unwrap();
    let response = crate::serve(&world.context(key_id), &call, "id").await;
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
}

pub(super) async fn sagemaker(
    world: &World,
    key_id: &str,
    operation: &str,
    input: Value,
) -> (u16, Value) {
    call(world, key_id, (&wire::sagemaker::SERVICE, operation), input).await
}

/// An endpoint `e` in service whose variant `v` is registered and has a policy, all of it root's work.
pub(super) async fn scaling(world: &World) {
    let variant = json!({"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1});
    for (operation, input) in [
        ("CreateModel", json!({"ModelName": "m", "PrimaryContainer": {"Image": "tidegate/echo"}})),
        (
            "CreateEndpointConfig",
            json!({"EndpointConfigName": "c", "ProductionVariants": [variant]}),
        ),
        ("CreateEndpoint", json!({"EndpointName": "e", "EndpointConfigName": "c"})),
    ] {
        let (status, body) = sagemaker(world, ROOT, operation, input).await;
        assert_eq!(status, 200, "{body}");
    }
    let name: EndpointName = "e".parse().unwrap();
    let state = world.store.state();
    let serving =
        state.endpoints.get(&EndpointKey::from(&name)).unwrap().after(Event::Deployed, Still.now());
    world.change(Changes::none().put(serving.unwrap())).await;
    let target = json!({
        "ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/v",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"
    });
    let with = |more: Value| {
        let mut all = target.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        Value::Object(all)
    };
    let tracking = json!({
        "TargetValue": 1.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    });
    for (operation, input) in [
        ("RegisterScalableTarget", with(json!({"MinCapacity": 1, "MaxCapacity": 2}))),
        (
            "PutScalingPolicy",
            with(json!({
                "PolicyName": "p", "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": tracking
            })),
        ),
    ] {
        let service = &wire::application_autoscaling::SERVICE;
        let (status, body) = call(world, ROOT, (service, operation), input).await;
        assert_eq!(status, 200, "{body}");
    }
}

#[tokio::test]
async fn an_endpoint_goes_only_with_leave_to_take_its_scaling_away() {
    let delete = policy("Allow", "sagemaker:DeleteEndpoint", &format!("{ENDPOINT}/e"));
    let deregister = policy("Allow", "application-autoscaling:DeregisterScalableTarget", TARGETS);
    let policies = policy("Allow", "application-autoscaling:DeleteScalingPolicy", TARGETS);
    let world = World::of_ann(&[]).await;
    scaling(&world).await;
    for granted in [
        vec![delete.clone()],
        vec![delete.clone(), deregister.clone()],
        vec![delete.clone(), policies.clone()],
    ] {
        world.change(Changes::none().put(user("ann", &granted))).await;
        let before = world.store.state();
        let (status, body) =
            sagemaker(&world, &key_id("ann"), "DeleteEndpoint", json!({"EndpointName": "e"})).await;
        assert_eq!((status, body["__type"].as_str()), (400, Some("ValidationException")), "{body}");
        assert_eq!(body["message"], LITERAL);
        let after = world.store.state();
        assert_eq!((after.targets.size(), after.policies.size(), after.alarms.size()), (1, 1, 2));
        assert_eq!(after.endpoints.values().next(), before.endpoints.values().next());
    }
    world.change(Changes::none().put(user("ann", &[delete, deregister, policies]))).await;
    let (status, body) =
        sagemaker(&world, &key_id("ann"), "DeleteEndpoint", json!({"EndpointName": "E"})).await;
    assert_eq!(status, 200, "{body}");
    let after = world.store.state();
    assert_eq!((after.targets.size(), after.policies.size(), after.alarms.size()), (0, 0, 0));
}

#[tokio::test]
async fn refusals_have_the_form_of_the_protocol() {
    let world = World::of_ann(&[]).await;
    let ann = key_id("ann");
    let (status, body) =
        sagemaker(&world, &ann, "DescribeEndpoint", json!({"EndpointName": "E"})).await;
    let words = "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sagemaker:DescribeEndpoint on \
         resource: arn:aws:sagemaker:us-east-1:000000000000:endpoint/e because no identity-based policy allows the \
         sagemaker:DescribeEndpoint action";
    assert_eq!((status, body["__type"].as_str()), (400, Some("AccessDeniedException")), "{body}");
    assert_eq!(body["message"], words);

    let service = &wire::application_autoscaling::SERVICE;
    let input = json!({"ServiceNamespace": "sagemaker"});
    let (_, body) = call(&world, &ann, (service, "DescribeScalableTargets"), input).await;
    assert!(
        body["message"].as_str().unwrap().contains(&format!("on resource: {TARGETS} because")),
        "{body}"
    );

    let (status, body) =
        call(&world, &ann, (&wire::cloudwatch::SERVICE, "ListMetrics"), json!({})).await;
    assert_eq!(status, 403, "{body}");
    assert!(body["__type"].as_str().unwrap().ends_with("#AccessDenied"), "{body}");

    let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let body = Bytes::from_static(b"Action=ListUsers&Version=2010-05-08");
    let listed = wire::route(&wire::iam::SERVICE, &parts, &body).unwrap();
    let response = crate::serve(&world.context(&ann), &listed, "id").await;
    let text = String::from_utf8_lossy(response.body()).into_owned();
    assert_eq!(response.status().as_u16(), 403);
    assert!(text.contains("<Code>AccessDenied</Code>") && text.contains("iam:ListUsers"), "{text}");
}
