//! What an update may do to variants that are registered as scalable targets (promises S1, S2 and S3).

use std::sync::Arc;

use serde_json::json;

use super::{Endpoint, Event, Parts, Refusal, Retain, Stage, UpdateRequest};
use crate::endpoint_config::EndpointConfig;
use crate::instance::DeploymentId;
use crate::model::Model;
use crate::scaling::ResourceId;
use crate::time::Timestamp;

/// A variant as a row writes it: name, model, instance type.
type Row<'a> = (&'a str, &'a str, &'a str);

fn parts(id: u64, variants: &[Row<'_>]) -> Parts {
    let created_at = Timestamp::default();
    let rows = variants.iter().map(|(name, model, kind)| {
        json!({"VariantName": name, "ModelName": model, "InstanceType": kind, "InitialInstanceCount": 1,
               "InitialVariantWeight": 1.0})
    });
    let members = json!({"ProductionVariants": rows.collect::<Vec<_>>()});
    let members = serde_json::from_value(members).unwrap();
    let config = EndpointConfig { name: "c".parse().unwrap(), created_at, members };
    let model = |name: &str| {
        let members = json!({"PrimaryContainer": {"Image": "tidegate/echo"}});
        let members = serde_json::from_value(members).unwrap();
        Arc::new(Model { name: name.parse().unwrap(), created_at, members })
    };
    let models = vec![model("m"), model("n")];
    Parts { id: DeploymentId(id), config: Arc::new(config), models }
}

fn resource(variant: &str) -> ResourceId {
    ResourceId { endpoint: "e".parse().unwrap(), variant: variant.parse().unwrap() }
}

fn update(before: &[Row<'_>], registered: &[&str], after: &[Row<'_>]) -> Result<Endpoint, Refusal> {
    let now = Timestamp::default();
    let live = Endpoint::create("e".parse().unwrap(), &parts(1, before), None, now).unwrap();
    let live = live.after(Event::Deployed, now).unwrap();
    let request = UpdateRequest {
        parts: parts(2, after),
        retain: Retain::default(),
        deployment_config: None,
        retain_deployment_config: false,
        registered: registered.iter().map(|name| resource(name)).collect(),
    };
    live.request_update(&request, now)
}

const A: Row<'_> = ("a", "m", "ml.m5.large");
const A_LARGER: Row<'_> = ("a", "m", "ml.m5.xlarge");
const A_OTHER_MODEL: Row<'_> = ("a", "n", "ml.m5.large");
const B: Row<'_> = ("b", "m", "ml.m5.large");

/// Before, registered, after, and the variants that are named in the refusal.
type Case<'a> = (&'a [Row<'a>], &'a [&'a str], &'a [Row<'a>], &'a [&'a str]);

#[test]
fn only_another_type_or_a_missing_variant_binds_and_only_what_is_registered() {
    let table: &[Case<'_>] = &[
        (&[A], &[], &[A_LARGER], &[]),
        (&[A], &["a"], &[A], &[]),
        (&[A], &["a"], &[A_OTHER_MODEL], &[]),
        (&[A], &["a"], &[A_LARGER], &["a"]),
        (&[A], &["a"], &[B], &["a"]),
        (&[A], &["a"], &[A, B], &[]),
        (&[A, B], &["a"], &[A], &[]),
        (&[A, B], &["b"], &[A], &["b"]),
        (&[A, B], &["a", "b"], &[A_LARGER], &["a", "b"]),
        (&[A, B], &["a", "b"], &[B, A], &[]),
        // Registered for a variant that the endpoint does not have: nothing is lost with it.
        (&[A], &["c"], &[A_LARGER], &[]),
    ];
    for (before, registered, after, named) in table {
        let outcome = update(before, registered, after);
        let expected: Vec<ResourceId> = named.iter().map(|name| resource(name)).collect();
        match outcome {
            Ok(endpoint) => {
                assert!(expected.is_empty(), "{before:?} {registered:?} {after:?} was accepted");
                assert_eq!(endpoint.stage, Stage::Deploying);
            }
            Err(refusal) => assert_eq!(refusal, Refusal::Registered(expected)),
        }
    }
}

#[test]
fn the_refusal_names_the_variants_and_says_what_to_do() {
    assert_eq!(
        update(&[A, B], &["a", "b"], &[A_LARGER]).unwrap_err().to_string(),
        "The variant(s) \"[a, b]\" must be deregistered as scalable targets with AWS Auto Scaling before they can be \
         removed or have their instance type modified. Call DeleteScalingPolicy and DeregisterScalableTarget for \
         endpoint/e/variant/a, endpoint/e/variant/b first."
    );
}
