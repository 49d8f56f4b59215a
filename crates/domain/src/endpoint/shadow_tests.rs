//! A shadow is a fleet like others in all that is decided about it, and no production variant in what it is sent.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::testing::{at, parts, words};
use super::{Capacity, Endpoint, Event, Exceeded, Limits, Refusal, Retain, Stage, UpdateRequest};
use crate::arn::Scope;
use crate::fleet::{Facts, Seen, plan, route};
use crate::instance::{Address, FleetId, InstanceId, Observed, Phase};
use crate::route::{EndpointRoute, ShadowRoute, VariantRoute};
use crate::safe_update::Running;
use crate::scaling::{
    Registration, Registry, ResourceId, SuspendedChange, TARGETS_MAX, Target, register,
};
use crate::uuid::Uuid;

fn creating(config: &str) -> Endpoint {
    Endpoint::create("e".parse().unwrap(), &parts(1, "c1", config), None, at(0)).unwrap()
}

fn endpoint(config: &str) -> Endpoint {
    creating(config).after(Event::Deployed, at(1)).unwrap()
}

fn resource(variant: &str) -> ResourceId {
    ResourceId { endpoint: "e".parse().unwrap(), variant: variant.parse().unwrap() }
}

fn capacity(variant: &str, count: Option<u32>, weight: Option<f64>) -> Capacity {
    Capacity { variant: variant.parse().unwrap(), count, weight }
}

fn request(wanted: &str) -> UpdateRequest {
    UpdateRequest {
        parts: parts(2, "c2", wanted),
        retain: Retain::default(),
        deployment_config: None,
        retain_deployment_config: false,
        registered: Vec::new(),
    }
}

fn update(
    live: &Endpoint,
    wanted: &str,
    retain: bool,
    registered: &[&str],
) -> Result<Endpoint, Refusal> {
    let request = UpdateRequest {
        retain: Retain { counts: retain, weights: retain },
        registered: registered.iter().map(|name| resource(name)).collect(),
        ..request(wanted)
    };
    live.request_update(&request, at(4))
}

const BOTH: &str = "a m large 2@4 | s n xlarge 1@1";

#[test]
fn a_shadow_is_deployed_beside_the_production_variant_and_its_record_is_read_again() {
    let live = endpoint(BOTH);
    assert_eq!(words(live.live.as_deref().unwrap()), BOTH);
    let record = serde_json::to_value(&live).unwrap();
    assert_eq!(serde_json::from_value::<Endpoint>(record).unwrap(), live);

    let plain = endpoint("a m large 2@1, b m large 1@1");
    let mut record = serde_json::to_value(&plain).unwrap();
    for fleet in record["live"]["fleets"].as_array_mut().unwrap() {
        fleet.as_object_mut().unwrap().remove("shadow").unwrap();
    }
    let read = serde_json::from_value::<Endpoint>(record).unwrap();
    assert_eq!(read, plain, "a record from before there were shadows has none");
}

#[test]
fn its_capacity_and_weight_change_by_its_name() {
    let live = endpoint(BOTH);
    let changes = [capacity("s", Some(5), Some(0.5)), capacity("a", Some(3), None)];
    let resizing = live.request_capacity(&changes, at(2)).unwrap();
    let resized = resizing.after(Event::Resized, at(3)).unwrap();
    assert_eq!(words(resized.live.as_deref().unwrap()), "a m large 3@4 | s n xlarge 5@0.5");
    let running: Vec<_> =
        Running::of(&resized).iter().map(|one| (one.variant.to_string(), one.desired)).collect();
    assert_eq!(running, [("a".to_owned(), Some(3)), ("s".to_owned(), Some(5))]);
    let none = live.request_capacity(&[capacity("s", Some(0), None)], at(2));
    assert_eq!(none, Err(Refusal::NoInstances("s".to_owned())));
}

/// Before, registered, wanted; retained or not, what is then pending or which variants are in the way. Promises S1, S2, S3
/// and S6 hold for a shadow as for any variant.
type Row<'a> = (&'a str, &'a [&'a str], &'a str, Result<[&'a str; 2], &'a [&'a str]>);

#[rustfmt::skip]
const UPDATES: &[Row<'_>] = &[
    (BOTH, &["a", "s"], "a n large 2@4 | s m xlarge 7@9",
     Ok(["a n large 2@4 | s m xlarge 7@9", "a n large 2@4 | s m xlarge 1@1"])),
    (BOTH, &["s"], "a m large 2@4 | s n large 1@1", Err(&["s"])),
    (BOTH, &["s"], "a m large 2@4", Err(&["s"])),
    (BOTH, &["s"], "a m large 2@4 | t n xlarge 1@1", Err(&["s"])),
    (BOTH, &["a"], "a m large 2@4", Ok(["a m large 2@4", "a m large 2@4"])),
    (BOTH, &["a"], "s n xlarge 1@1", Err(&["a"])),
    ("a m large 3@1", &["a"], "a m large 1@1 | s n large 1@1",
     Ok(["a m large 1@1 | s n large 1@1", "a m large 3@1 | s n large 1@1"])),
    // The shadow takes over: what runs under its name goes on under its name.
    (BOTH, &["s"], "s n xlarge 4@1", Ok(["s n xlarge 4@1", "s n xlarge 1@1"])),
];

#[test]
fn updates_treat_it_as_any_variant() {
    for (before, registered, wanted, expected) in UPDATES {
        let live = endpoint(before);
        for (column, retain) in [false, true].into_iter().enumerate() {
            match (expected, update(&live, wanted, retain, registered)) {
                (Ok(pending), Ok(after)) => {
                    assert_eq!(
                        words(after.pending.as_deref().unwrap()),
                        pending[column],
                        "{wanted}"
                    );
                }
                (Err(bound), Err(refusal)) => {
                    let bound = bound.iter().map(|name| resource(name)).collect();
                    assert_eq!(refusal, Refusal::Registered(bound), "{before} to {wanted}");
                }
                (_, outcome) => panic!("{before} to {wanted}: {outcome:?}"),
            }
        }
    }
}

#[test]
fn its_instances_count_towards_the_limits_under_their_own_type() {
    let limits = |instances, xlarge| Limits {
        instances,
        by_type: BTreeMap::from([("ml.m5.xlarge".to_owned(), xlarge)]),
    };
    let admit = |limits: Limits| limits.admit([].into_iter(), None, &creating(BOTH));
    assert_eq!(admit(limits(3, 1)), Ok(()));
    let allowed = |refused: Result<(), Exceeded>| refused.unwrap_err().allowed;
    assert_eq!(allowed(admit(limits(2, 1))), 2);
    assert_eq!(allowed(admit(limits(3, 0))), 0);
}

#[test]
fn it_can_be_registered_as_a_scalable_target() {
    let scope = Scope { region: "us-east-1".to_owned(), account: "000000000000".to_owned() };
    let live = endpoint(BOTH);
    let registry = Registry {
        scope: &scope,
        existing: None::<&Target>,
        endpoint: Some(&live),
        targets: 0,
        targets_max: TARGETS_MAX,
    };
    let request = Registration {
        resource: resource("s"),
        min: Some(3),
        max: Some(4),
        suspended: SuspendedChange::default(),
        role_arn: None,
        tagged: false,
    };
    let registered = register(&registry, &request, Uuid::from_entropy(1), at(5)).unwrap();
    let correction = registered.correction.unwrap();
    assert_eq!((correction.from, correction.to), (1, 3));
}

/// As many ready instances of each live fleet as are wanted.
fn instances(live: &Endpoint) -> Vec<Seen> {
    let deployment = live.live.as_deref().unwrap();
    let mut number = u128::from(deployment.id.0) * 100;
    let mut all = Vec::new();
    for fleet in &deployment.fleets {
        for _ in 0..fleet.desired_count {
            number += 1;
            let observed = Observed {
                id: InstanceId::from_entropy(number),
                fleet: FleetId {
                    endpoint: live.name.clone(),
                    deployment: deployment.id,
                    variant: fleet.variant.clone(),
                },
                phase: Phase::Ready { address: Address::Unix("/s".into()) },
            };
            all.push(Seen { observed, in_flight: 0, draining_since: None });
        }
    }
    all
}

#[test]
fn its_route_is_beside_the_production_variants_and_says_how_much_is_copied() {
    let live = endpoint(BOTH);
    let routed = route(&live, &instances(&live)).unwrap();
    let names: Vec<&str> = routed.variants.iter().map(|variant| variant.name.as_str()).collect();
    assert_eq!((names, routed.variants[0].instances.len()), (vec!["a"], 2));
    let ShadowRoute { variant, share } = routed.shadow.unwrap();
    assert_eq!((variant.name.as_str(), variant.instances.len()), ("s", 1));
    assert!((share - 0.25).abs() < 1e-12, "{share}");

    // A weight counts once the change is over, as that of any variant.
    let heavier = live.request_capacity(&[capacity("s", None, Some(2.0))], at(2)).unwrap();
    let share = |endpoint: &Endpoint| route(endpoint, &[]).unwrap().shadow.unwrap().share;
    assert!((share(&heavier) - 0.25).abs() < 1e-12);
    let heavier = heavier.after(Event::Resized, at(3)).unwrap();
    assert!((share(&heavier) - 0.5).abs() < 1e-12);

    assert_eq!(route(&endpoint("a m large 1@1"), &[]).unwrap().shadow, None);
}

#[test]
fn an_endpoint_is_complete_only_with_its_shadow() {
    let endpoint = endpoint(BOTH);
    let creating = Endpoint {
        stage: Stage::Creating,
        pending: endpoint.live.clone(),
        live: None,
        ..endpoint.clone()
    };
    let mut seen = instances(&endpoint);
    let event = |seen: &[Seen]| {
        let (endpoint, now) = (Some(&creating), at(0));
        let facts = Facts { endpoint, instances: seen, wall: now, now, alarms: &[] };
        plan(&facts).event
    };
    assert_eq!(event(&seen), Some(Event::Deployed));
    seen.retain(|one| one.observed.fleet.variant.as_str() == "a");
    let event = event(&seen);
    assert!(!matches!(event, Some(Event::Deployed)), "{event:?}");
}

const SWAPPED: &str = "s n xlarge 1@1 | a m large 2@4";

#[test]
fn staged_updates_move_it_with_the_production_variant_but_do_not_swap_the_two() {
    let live = endpoint("a m large 2@1 | s n xlarge 2@1");
    let half = json!({"Type": "CAPACITY_PERCENT", "Value": 50});
    let routing = json!({"Type": "LINEAR", "WaitIntervalInSeconds": 0, "LinearStepSize": half});
    let linear = json!({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}});
    let rolling =
        json!({"RollingUpdatePolicy": {"MaximumBatchSize": half, "WaitIntervalInSeconds": 0}});
    let update = |wanted: &str, guarded: &Value| {
        let deployment_config = serde_json::from_value(guarded.clone()).unwrap();
        live.request_update(&UpdateRequest { deployment_config, ..request(wanted) }, at(4))
    };
    let same = "a m large 2@1 | s m xlarge 2@1";
    assert_eq!(update(same, &linear).unwrap().stage, Stage::Deploying);
    let refused = |wanted: &str, guarded: &Value| update(wanted, guarded).unwrap_err().to_string();
    for wanted in ["s n xlarge 2@1 | a m large 2@1", "a m large 2@1"] {
        assert_eq!(
            refused(wanted, &linear),
            "Linear traffic shifting requires the same variant names in the current and in the new endpoint \
             configuration."
        );
    }
    assert_eq!(
        refused(same, &rolling),
        "Rolling deployments are not supported for endpoints with more than one variant."
    );
}

#[test]
fn a_name_that_changes_sides_never_answers_for_the_other() {
    let live = endpoint(BOTH);
    let swapping = update(&live, SWAPPED, false, &[]).unwrap();
    let named = |endpoint: &Endpoint| {
        let routed = route(endpoint, &[instances(&live), instances_of_pending(&swapping)].concat());
        let EndpointRoute { variants, shadow } = routed.unwrap();
        let shadow = shadow.unwrap().variant;
        let of = |variant: &VariantRoute| (variant.name.to_string(), variant.instances.len());
        (of(&variants[0]), of(&shadow))
    };
    let (a, s) = (("a".to_owned(), 2), ("s".to_owned(), 1));
    assert_eq!(named(&swapping), (a.clone(), s.clone()));
    let swapped = swapping.after(Event::Deployed, at(5)).unwrap();
    assert_eq!(named(&swapped), (s, a));
}

fn instances_of_pending(endpoint: &Endpoint) -> Vec<Seen> {
    instances(&Endpoint { live: endpoint.pending.clone(), ..endpoint.clone() })
}
