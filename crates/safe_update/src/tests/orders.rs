//! Every order as its call, in members that the service's model has.

use std::collections::BTreeMap;

use domain::safe_update::Order;
use serde_json::{Value, json};
use wire::Document;

use crate::call::written;

const DIMENSION: &str = "sagemaker:variant:DesiredInstanceCount";

#[test]
fn orders_are_written_as_the_services_read_them() {
    let variant = || "web".parse().unwrap();
    let dimension = || DIMENSION.to_owned();
    let target = json!({"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/web",
                        "ScalableDimension": DIMENSION});
    let mut policy = target.clone();
    policy["PolicyName"] = "tide".into();
    let update = |keep_counts, keep_weights| Order::UpdateEndpoint {
        config: "new".parse().unwrap(),
        keep_counts,
        keep_weights,
        deployment_config: None,
        retain_deployment_config: false,
    };
    let updated = |left: Value| {
        json!({"EndpointName": "e", "EndpointConfigName": "new", "RetainAllVariantProperties": true,
               "ExcludeRetainedVariantProperties": left})
    };
    let tags = BTreeMap::from([("team".to_owned(), "tide".to_owned())]);
    let table: Vec<(Order, Value)> = vec![
        (
            Order::DeletePolicy {
                variant: variant(),
                dimension: dimension(),
                name: "tide".to_owned(),
            },
            policy.clone(),
        ),
        (Order::Deregister { variant: variant(), dimension: dimension() }, target.clone()),
        (
            Order::SetCapacity(
                [(variant(), (Some(6), None)), ("api".parse().unwrap(), (None, Some(0.5)))].into(),
            ),
            json!({"EndpointName": "e", "DesiredWeightsAndCapacities": [
                {"VariantName": "api", "DesiredWeight": 0.5}, {"VariantName": "web", "DesiredInstanceCount": 6}]}),
        ),
        (
            update(true, true),
            json!({"EndpointName": "e", "EndpointConfigName": "new", "RetainAllVariantProperties": true}),
        ),
        (update(true, false), updated(json!([{"VariantPropertyType": "DesiredWeight"}]))),
        (
            update(false, false),
            updated(
                json!([{"VariantPropertyType": "DesiredInstanceCount"}, {"VariantPropertyType": "DesiredWeight"}]),
            ),
        ),
        (Order::Register(target.clone()), target.clone()),
        (
            Order::Tag { arn: "arn".to_owned(), tags },
            json!({"ResourceARN": "arn", "Tags": {"team": "tide"}}),
        ),
        (Order::PutPolicy(policy.clone()), policy),
        (Order::PutScheduledAction(target.clone()), target),
        (Order::PutAlarm(json!({"AlarmName": "mine"})), json!({"AlarmName": "mine"})),
    ];
    for (order, expected) in table {
        let (service, input) = written(&order, &"e".parse().unwrap());
        let schema = service.operation(order.operation()).unwrap().input.unwrap();
        let document = Document::from_json(schema, &input).unwrap();
        assert_eq!(document.to_json(schema), expected, "{order:?}");
    }
}

#[test]
fn how_traffic_goes_over_is_said_as_it_was_given() {
    let config = json!({"RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                        "WaitIntervalInSeconds": 5}});
    let update =
        |deployment_config: Option<&Value>, retain_deployment_config| Order::UpdateEndpoint {
            config: "new".parse().unwrap(),
            keep_counts: true,
            keep_weights: true,
            deployment_config: deployment_config
                .map(|it| serde_json::from_value(it.clone()).unwrap()),
            retain_deployment_config,
        };
    let endpoint = "e".parse().unwrap();
    for (order, given, retained) in [
        (update(None, false), None, None),
        (update(Some(&config), false), Some(&config), None),
        (update(None, true), None, Some(&Value::Bool(true))),
    ] {
        let (service, input) = written(&order, &endpoint);
        assert_eq!(input.get("DeploymentConfig"), given);
        assert_eq!(input.get("RetainDeploymentConfig"), retained);
        let schema = service.operation("UpdateEndpoint").unwrap().input.unwrap();
        assert_eq!(Document::from_json(schema, &input).unwrap().to_json(schema), input);
    }
}
