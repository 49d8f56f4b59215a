//! A dry run answers what the call then meets, and changes nothing.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use store::Changes;
use wire::{Call, Service};

use super::deletion::{self, ROOT, TARGETS, sagemaker};
use super::{ENDPOINT, World, key_id, policy, user};

fn called(service: &'static Service, operation: &str, input: &Value) -> Call {
    let request = Request::post("/")
        .header("x-amz-target", format!("{}.{operation}", service.target_prefix))
        .header("content-type", "application/x-amz-json-1.1");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    wire::route(service, &parts, &Bytes::from(input.to_string())).unwrap()
}

fn read(response: &Response<Bytes>) -> (u16, Value) {
    let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response.status().as_u16(), body)
}

/// A dry run, which must leave the very image that it found.
async fn rehearsed(world: &World, key_id: &str, operation: &str, input: &Value) -> (u16, Value) {
    let before = world.store.state();
    let call = called(&wire::sagemaker::SERVICE, operation, input);
    let answer = read(&crate::rehearse(&world.context(key_id), &call, "id").await);
    assert!(Arc::ptr_eq(&before, &world.store.state()), "{operation} {input} changed something");
    answer
}

/// The dry run and then the call: the same refusal, or the same answer but for the plan, which is given back.
async fn both(world: &World, key_id: &str, operation: &str, input: Value) -> Result<Value, Value> {
    let (dry_status, mut dry) = rehearsed(world, key_id, operation, &input).await;
    let (status, real) = sagemaker(world, key_id, operation, input).await;
    assert_eq!(dry_status, status, "{dry} {real}");
    let plan = dry.as_object_mut().and_then(|members| members.remove("TidegatePlan"));
    // An operation without output has an empty body, and a dry run's one member.
    let real = if real.is_null() { json!({}) } else { real };
    assert_eq!(dry, real);
    if status == 200 { Ok(plan.unwrap()) } else { Err(real["message"].clone()) }
}

/// More configs beside the one in use: another model, another type, another variant, and more than there may be.
async fn configs(world: &World) {
    let variant = |name: &str, model: &str, kind: &str, count: u32| json!([{"VariantName": name, "ModelName": model, "InstanceType": kind, "InitialInstanceCount": count}]);
    let model = json!({"ModelName": "n", "PrimaryContainer": {"Image": "tidegate/echo"}});
    let mut calls = vec![("CreateModel", model)];
    for (name, variants) in [
        ("model", variant("v", "n", "ml.m5.large", 1)),
        ("type", variant("v", "m", "ml.m5.xlarge", 1)),
        ("other", variant("w", "m", "ml.m5.large", 1)),
        ("huge", variant("v", "m", "ml.m5.large", 9)),
    ] {
        let input = json!({"EndpointConfigName": name, "ProductionVariants": variants});
        calls.push(("CreateEndpointConfig", input));
    }
    for (operation, input) in calls {
        let (status, body) = sagemaker(world, ROOT, operation, input).await;
        assert_eq!(status, 200, "{body}");
    }
}

#[tokio::test]
async fn an_update_is_refused_or_planned_as_it_would_be() {
    let may = policy("Allow", "sagemaker:UpdateEndpoint", "*");
    let world = World::of_ann(&[may]).await;
    deletion::scaling(&world).await;
    configs(&world).await;
    let update = |config: &str| json!({"EndpointName": "E", "EndpointConfigName": config});
    let ann = key_id("ann");
    for (config, part) in [
        ("type", "The variant(s) \"[v]\" must be deregistered as scalable targets"),
        ("other", "The variant(s) \"[v]\" must be deregistered as scalable targets"),
        ("huge", "The account-level service limit"),
        ("nowhere", "Could not find endpoint configuration"),
    ] {
        let refused = both(&world, &ann, "UpdateEndpoint", update(config)).await.unwrap_err();
        assert!(refused.as_str().unwrap().starts_with(part), "{config}: {refused}");
    }
    let mut input = update("model");
    input["RetainAllVariantProperties"] = json!(true);
    let plan = both(&world, &ann, "UpdateEndpoint", input).await.unwrap();
    assert_eq!(
        (&plan["Verdict"], &plan["FromEndpointConfigName"], &plan["ToEndpointConfigName"]),
        (&json!("Accepted"), &json!("c"), &json!("model"))
    );
    assert_eq!(
        (&plan["KeepInstanceCounts"], &plan["Steps"].as_array().unwrap().len()),
        (&json!(true), &7)
    );
    // Now it is updating, and says so to both.
    let refused = both(&world, &ann, "UpdateEndpoint", update("model")).await.unwrap_err();
    assert!(refused.as_str().unwrap().contains("in-progress"), "{refused}");
}

#[tokio::test]
async fn a_deletion_is_refused_or_planned_as_it_would_be() {
    let delete = policy("Allow", "sagemaker:DeleteEndpoint", &format!("{ENDPOINT}/e"));
    let scaling = policy("Allow", "application-autoscaling:*", TARGETS);
    let world = World::of_ann(&[]).await;
    deletion::scaling(&world).await;
    let input = || json!({"EndpointName": "e"});
    let ann = key_id("ann");
    for granted in [vec![], vec![delete.clone()]] {
        world.change(Changes::none().put(user("ann", &granted))).await;
        both(&world, &ann, "DeleteEndpoint", input()).await.unwrap_err();
    }
    world.change(Changes::none().put(user("ann", &[delete, scaling]))).await;
    let plan = both(&world, &ann, "DeleteEndpoint", input()).await.unwrap();
    assert_eq!((&plan["Verdict"], &plan["EndpointName"]), (&json!("Accepted"), &json!("e")));
    let target = &plan["Targets"][0];
    assert_eq!((&target["VariantName"], &target["Policies"]), (&json!("v"), &json!(["p"])));
    assert_eq!(target["Alarms"].as_array().unwrap().len(), 2);
    let states = plan["Permissions"].as_array().unwrap().iter();
    assert!(states.map(|one| &one["State"]).all(|state| state == "Allowed"), "{plan}");
    both(&world, &ann, "DeleteEndpoint", input()).await.unwrap_err();
}

#[tokio::test]
async fn nothing_else_has_a_dry_run() {
    let world = World::new();
    let (status, body) = rehearsed(&world, ROOT, "DeleteModel", &json!({"ModelName": "m"})).await;
    assert_eq!((status, body["__type"].as_str()), (400, Some("ValidationException")));
    assert!(body["message"].as_str().unwrap().contains("not for DeleteModel"), "{body}");
    for service in wire::shape::SERVICES.iter().filter(|service| service.id != "sagemaker_runtime")
    {
        for operation in service.operations {
            let input = wire::Document::empty();
            let Ok(call) = Call::within(service, operation, input) else { continue };
            if !["UpdateEndpoint", "DeleteEndpoint"].contains(&operation.name) {
                let answer = crate::rehearse(&world.context(ROOT), &call, "id").await;
                assert!(answer.status().is_client_error(), "{} {}", service.id, operation.name);
            }
        }
    }
}
