//! Configs and deployments in a line, for tables of updates.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Deployment, Fleet, Parts};
use crate::endpoint_config::EndpointConfig;
use crate::instance::DeploymentId;
use crate::model::Model;
use crate::time::Timestamp;

pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(secs * 1000)
}

/// A config of variants as a row writes them: name, model, instance type, initial count and weight, `a m large 2@1`; after
/// a bar comes the shadow.
pub(super) fn parts(id: u64, config: &str, variants: &str) -> Parts {
    let variant = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (count, weight) = words[3].split_once('@').unwrap();
        json!({"VariantName": words[0], "ModelName": words[1], "InstanceType": format!("ml.m5.{}", words[2]),
               "InitialInstanceCount": count.parse::<u32>().unwrap(),
               "InitialVariantWeight": weight.parse::<f64>().unwrap()})
    };
    let list = |text: &str| -> Vec<Value> { text.split(", ").map(variant).collect() };
    let members = match variants.split_once(" | ") {
        Some((production, shadow)) => {
            json!({"ProductionVariants": list(production), "ShadowProductionVariants": list(shadow)})
        }
        None => json!({"ProductionVariants": list(variants)}),
    };
    let members = serde_json::from_value(members).unwrap();
    let name = config.parse().unwrap();
    let model = |name: &str| {
        let members = json!({"PrimaryContainer": {"Image": "tidegate/echo"}});
        let members = serde_json::from_value(members).unwrap();
        Arc::new(Model { name: name.parse().unwrap(), created_at: at(0), members })
    };
    Parts {
        id: DeploymentId(id),
        config: Arc::new(EndpointConfig { name, created_at: at(0), members }),
        models: vec![model("m"), model("n")],
    }
}

/// A deployment in the words of [`parts`], with the counts and weights that are wanted.
pub(super) fn words(deployment: &Deployment) -> String {
    let word = |fleet: &Fleet| {
        let kind = deployment.config.instance_type(&fleet.variant).unwrap();
        let kind = kind.trim_start_matches("ml.m5.");
        let Fleet { variant, model, desired_count, desired_weight, .. } = fleet;
        format!("{variant} {} {kind} {desired_count}@{desired_weight}", model.name)
    };
    let of = |shadow: bool| {
        let fleets = deployment.fleets.iter().filter(|fleet| fleet.shadow == shadow);
        fleets.map(word).collect::<Vec<_>>().join(", ")
    };
    match of(true) {
        shadow if shadow.is_empty() => of(false),
        shadow => format!("{} | {shadow}", of(false)),
    }
}
