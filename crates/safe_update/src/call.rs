//! Orders as calls.

use std::collections::BTreeMap;

use domain::name::{EndpointName, VariantName};
use domain::safe_update::Order;
use serde_json::{Value, json};
use wire::{Service, application_autoscaling as autoscaling, cloudwatch, sagemaker};

use crate::observe::NAMESPACE;

/// The service that an order goes to, and its call's input.
pub(crate) fn written(order: &Order, endpoint: &EndpointName) -> (&'static Service, Value) {
    let target = |variant: &VariantName, dimension: &str| {
        json!({
            "ServiceNamespace": NAMESPACE,
            "ResourceId": format!("endpoint/{endpoint}/variant/{variant}"),
            "ScalableDimension": dimension,
        })
    };
    match order {
        Order::DeletePolicy { variant, dimension, name } => {
            let mut input = target(variant, dimension);
            input["PolicyName"] = name.as_str().into();
            (&autoscaling::SERVICE, input)
        }
        Order::Deregister { variant, dimension } => {
            (&autoscaling::SERVICE, target(variant, dimension))
        }
        Order::SetCapacity(changes) => (&sagemaker::SERVICE, capacity(endpoint, changes)),
        Order::UpdateEndpoint {
            config,
            keep_counts,
            keep_weights,
            deployment_config,
            retain_deployment_config,
        } => {
            let mut input = json!({
                "EndpointName": endpoint,
                "EndpointConfigName": config,
                "RetainAllVariantProperties": true,
            });
            let left = [("DesiredInstanceCount", keep_counts), ("DesiredWeight", keep_weights)];
            let left = left.iter().filter(|(_, kept)| !**kept);
            let left: Vec<Value> =
                left.map(|(kind, _)| json!({"VariantPropertyType": kind})).collect();
            if !left.is_empty() {
                input["ExcludeRetainedVariantProperties"] = left.into();
            }
            if let Some(config) = deployment_config {
                input["DeploymentConfig"] = Value::Object(config.0.clone());
            }
            if *retain_deployment_config {
                input["RetainDeploymentConfig"] = true.into();
            }
            (&sagemaker::SERVICE, input)
        }
        Order::Tag { arn, tags } => {
            (&autoscaling::SERVICE, json!({"ResourceARN": arn, "Tags": tags}))
        }
        Order::Register(input) | Order::PutPolicy(input) | Order::PutScheduledAction(input) => {
            (&autoscaling::SERVICE, input.clone())
        }
        Order::PutAlarm(input) => (&cloudwatch::SERVICE, input.clone()),
    }
}

fn capacity(
    endpoint: &EndpointName,
    changes: &BTreeMap<VariantName, (Option<u32>, Option<f64>)>,
) -> Value {
    let change = |(variant, (count, weight)): (&VariantName, &(Option<u32>, Option<f64>))| json!({"VariantName": variant, "DesiredInstanceCount": count, "DesiredWeight": weight});
    let changes: Vec<Value> = changes.iter().map(change).collect();
    json!({"EndpointName": endpoint, "DesiredWeightsAndCapacities": changes})
}
