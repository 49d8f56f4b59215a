//! A plan says what `UpdateEndpoint` then does, whatever the endpoint, its configs, its targets and the choices.

use std::sync::Arc;

use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::{ARN, scaled};
use crate::endpoint::{
    Capacity, Deployment, Endpoint, Event, Parts, Refusal, Retain, Stage, UpdateRequest,
};
use crate::endpoint_config::EndpointConfig;
use crate::instance::DeploymentId;
use crate::model::Model;
use crate::safe_update::{Facts, Plan, Request, Verdict, plan};
use crate::scaling::ResourceId;
use crate::time::Timestamp;

/// Names of variants, models and types: few, so that configs often have the same.
const VARIANTS: [&str; 4] = ["a", "b", "c", "d"];
const TYPES: [&str; 3] = ["ml.m5.large", "ml.m5.xlarge", "ml.t2.medium"];

/// A variant of a config: model, type, initial count and weight.
type Variant = (&'static str, &'static str, u32, u32);

#[derive(Debug, Clone)]
struct Scene {
    in_use: Vec<(&'static str, Variant)>,
    wanted: Vec<(&'static str, Variant)>,
    /// Counts that were set since, of variants in use.
    counts: Vec<Option<u32>>,
    /// Registered variants with their bounds; some of them run nowhere.
    registered: Vec<(&'static str, u32, u32)>,
    stage: Stage,
    request: Request,
}

fn variants() -> impl Strategy<Value = Vec<(&'static str, Variant)>> {
    let models = prop::sample::select(vec!["m", "n"]);
    let types = prop::sample::select(TYPES.to_vec());
    let variant = (models, types, 1_u32..6, 0_u32..4);
    btree_map(prop::sample::select(VARIANTS.to_vec()), variant, 1..4)
        .prop_map(|variants| variants.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn scenes() -> impl Strategy<Value = Scene> {
    let registered = btree_set(prop::sample::select(VARIANTS.to_vec()), 0..4);
    let stages =
        prop_oneof![6 => Just(Stage::InService), 1 => prop::sample::select(Stage::ALL.to_vec())];
    let request = (any::<bool>(), any::<bool>(), prop::sample::select(vec![0, 1, 50, 900]));
    let counts = prop::collection::vec(option::of(1_u32..9), VARIANTS.len());
    (variants(), variants(), counts, registered, (0_u32..4, 0_u32..8), stages, request).prop_map(
        |(in_use, wanted, counts, registered, (min, more), stage, request)| Scene {
            in_use,
            wanted,
            counts,
            registered: registered.into_iter().map(|name| (name, min, min + more)).collect(),
            stage,
            request: Request {
                keep_counts: request.0,
                keep_weights: request.1,
                headroom_percent: request.2,
                deployment_config: None,
                retain_deployment_config: false,
            },
        },
    )
}

fn parts(id: u64, name: &str, variants: &[(&str, Variant)]) -> Parts {
    let created_at = Timestamp::default();
    let row = |(name, (model, kind, count, weight)): &(&str, Variant)| {
        json!({"VariantName": name, "ModelName": model, "InstanceType": kind, "InitialInstanceCount": count,
               "InitialVariantWeight": weight})
    };
    let rows: Vec<_> = variants.iter().map(row).collect();
    let members = serde_json::from_value(json!({"ProductionVariants": rows})).unwrap();
    let config = EndpointConfig { name: name.parse().unwrap(), created_at, members };
    let model = |name: &str| {
        let members = json!({"PrimaryContainer": {"Image": "tidegate/echo"}});
        let members = serde_json::from_value(members).unwrap();
        Arc::new(Model { name: name.parse().unwrap(), created_at, members })
    };
    Parts { id: DeploymentId(id), config: Arc::new(config), models: vec![model("m"), model("n")] }
}

impl Scene {
    fn endpoint(&self) -> Endpoint {
        let now = Timestamp::default();
        let parts = parts(1, "old", &self.in_use);
        let created = Endpoint::create("e".parse().unwrap(), &parts, None, now).unwrap();
        let live = created.after(Event::Deployed, now).unwrap();
        let changes = self.in_use.iter().zip(&self.counts).filter_map(|((name, _), count)| {
            Some(Capacity { variant: name.parse().unwrap(), weight: None, count: Some((*count)?) })
        });
        let changes: Vec<Capacity> = changes.collect();
        let live =
            live.request_capacity(&changes, now).unwrap().after(Event::Resized, now).unwrap();
        Endpoint { stage: self.stage, ..live }
    }

    fn plan(&self, endpoint: &Endpoint) -> Plan {
        let wanted = parts(2, "new", &self.wanted).config;
        let targets =
            self.registered.iter().map(|(name, min, max)| scaled(&format!("{name} {min}..{max}")));
        let facts = Facts::of(endpoint, ARN.to_owned(), &wanted, targets.collect());
        plan(&facts, &self.request)
    }

    fn update(&self, endpoint: &Endpoint, registered: bool) -> Result<Endpoint, Refusal> {
        let resource = |(name, ..): &(&str, u32, u32)| ResourceId {
            endpoint: "e".parse().unwrap(),
            variant: name.parse().unwrap(),
        };
        let registered = self.registered.iter().filter(|_| registered).map(resource).collect();
        let request = UpdateRequest {
            parts: parts(2, "new", &self.wanted),
            retain: Retain { counts: self.request.keep_counts, weights: self.request.keep_weights },
            deployment_config: None,
            retain_deployment_config: false,
            registered,
        };
        endpoint.request_update(&request, Timestamp::default())
    }

    fn is_registered(&self, variant: &str) -> bool {
        self.registered.iter().any(|(name, ..)| *name == variant)
    }

    /// Where a registered variant's count is once its target has been registered again.
    fn corrected(&self, variant: &str, count: u32) -> u32 {
        let bounds = self.registered.iter().find(|(name, ..)| *name == variant);
        bounds.map_or(count, |(_, min, max)| count.max(*min).max(1).min((*max).max(1)))
    }
}

/// Whether a variant that scaling governs comes out with fewer instances than it has.
fn falls(scene: &Scene, live: &Deployment, pending: &Deployment) -> bool {
    pending.fleets.iter().any(|after| {
        let before = live.fleet(&after.variant).map_or(0, |fleet| fleet.desired_count);
        scene.is_registered(after.variant.as_str()) && after.desired_count < before
    })
}

proptest! {
    #[test]
    fn a_plan_is_refused_exactly_when_and_as_update_endpoint_refuses(scene in scenes()) {
        let endpoint = scene.endpoint();
        let plan = scene.plan(&endpoint);
        match (scene.update(&endpoint, true), &plan.verdict) {
            (Err(refusal), Verdict::Refused(words)) => {
                prop_assert_eq!(&refusal.in_words(ARN), words);
                let bound = matches!(refusal, Refusal::Registered(_));
                let open = [Stage::InService, Stage::UpdateRollbackFailed].contains(&scene.stage);
                prop_assert_eq!(bound, plan.steps[0].needed && open);
            }
            (Ok(after), verdict @ (Verdict::Accepted | Verdict::LosesScaling(_))) => {
                let (live, pending) = (endpoint.live.unwrap(), after.pending.unwrap());
                let loses = matches!(verdict, Verdict::LosesScaling(_));
                prop_assert_eq!(loses, falls(&scene, &live, &pending));
                prop_assert!(plan.bound.is_empty() && !plan.steps[0].needed);
            }
            (outcome, verdict) => prop_assert!(false, "{:?}, but {:?}", outcome, verdict),
        }
    }

    #[test]
    fn the_capacity_of_a_plan_is_what_the_update_wants(scene in scenes()) {
        let endpoint = Endpoint { stage: Stage::InService, ..scene.endpoint() };
        let plan = scene.plan(&endpoint);
        // Once step 1 is done, nothing is in the way of any update.
        let after = scene.update(&endpoint, false).unwrap();
        let (live, pending) = (endpoint.live.unwrap(), after.pending.unwrap());
        for row in &plan.capacity {
            let name = row.variant.as_str();
            let before = live.fleet(&row.variant).map_or(0, |fleet| fleet.desired_count);
            prop_assert_eq!(row.before, before);
            prop_assert_eq!(row.during, scene.request.raised(before));
            let wanted = pending.fleet(&row.variant).map_or(0, |fleet| fleet.desired_count);
            let again = plan.bound.iter().any(|one| one.variant == row.variant);
            let held = before > 0 && scene.request.headroom_percent > 0 && !again;
            let set = !scene.request.keep_counts && before > 0;
            let stays = pending.fleet(&row.variant).is_some();
            let expected = if (again || held || set) && stays { scene.corrected(name, wanted) } else { wanted };
            prop_assert_eq!(row.after, expected, "{}", name);
        }
        let rows: Vec<_> = plan.capacity.iter().map(|row| &row.variant).collect();
        let fleets = live.fleets.iter().chain(&pending.fleets);
        prop_assert!(fleets.clone().all(|fleet| rows.contains(&&fleet.variant)));
        prop_assert!(rows.iter().all(|name| fleets.clone().any(|fleet| fleet.variant == **name)));
    }
}
