//! Plans of every kind of change.

use crate::name::VariantName;
use crate::safe_update::facts::{Config, Facts, Request, Running, Scaled, Variant};
use crate::safe_update::{Plan, plan};
use crate::scaling::DIMENSION;

mod agreement;
mod deployment;
mod pages;
mod table;

pub(super) const ARN: &str = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/e";

fn name(text: &str) -> VariantName {
    text.parse().unwrap()
}

/// A config as a row writes it: name, model, instance type, initial count and weight of each variant,
/// `a m large 2@1, s m - 0@1`; a hyphen stands for no instances.
fn config(name: &str, variants: &str) -> Config {
    let variant = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (count, weight) = words[3].split_once('@').unwrap();
        let has_instances = words[2] != "-";
        Variant {
            name: words[0].parse().unwrap(),
            instance_type: has_instances.then(|| format!("ml.{}", words[2])),
            model: Some(words[1].to_owned()),
            initial_count: has_instances.then(|| count.parse().unwrap()),
            initial_weight: weight.parse().unwrap(),
        }
    };
    Config {
        name: name.parse().unwrap(),
        variants: variants.split(", ").filter(|text| !text.is_empty()).map(variant).collect(),
    }
}

/// Counts and weights, `a 4@3`; a hyphen stands for no count.
fn running(text: &str) -> Running {
    let (variant, rest) = text.split_once(' ').unwrap();
    let (count, weight) = rest.split_once('@').unwrap();
    let count = count.parse().ok();
    Running {
        variant: name(variant),
        current: count,
        desired: count,
        weight: weight.parse().unwrap(),
    }
}

/// A target with its bounds, one policy and the alarms that it made: `a 1..8`.
fn scaled(text: &str) -> Scaled {
    let (variant, bounds) = text.split_once(' ').unwrap();
    let (min, max) = bounds.split_once("..").unwrap();
    Scaled {
        variant: name(variant),
        dimension: DIMENSION.to_owned(),
        arn: Some(format!(
            "arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/056m{variant}"
        )),
        min: min.parse().unwrap(),
        max: max.parse().unwrap(),
        scale_in_suspended: false,
        tagged: false,
        policies: vec![format!("track-{variant}")],
        policy_alarms: vec![format!("track-{variant}-high"), format!("track-{variant}-low")],
        scheduled_actions: Vec::new(),
        alarms: Vec::new(),
    }
}

/// The config in use, counts and weights now, targets, the config wanted.
fn facts(in_use: &str, now: &str, targets: &str, wanted: &str) -> Facts {
    Facts {
        endpoint: "e".parse().unwrap(),
        arn: ARN.to_owned(),
        status: "InService".to_owned(),
        in_use: config("old", in_use),
        wanted: config("new", wanted),
        running: now.split(", ").map(running).collect(),
        scaled: targets.split(", ").filter(|text| !text.is_empty()).map(scaled).collect(),
    }
}

fn with_headroom(percent: u32) -> Request {
    Request { headroom_percent: percent, ..Request::default() }
}

fn resetting_counts() -> Request {
    Request { keep_counts: false, ..Request::default() }
}

/// The numbers of the steps that are needed.
fn needed(plan: &Plan) -> Vec<u8> {
    plan.steps.iter().filter(|step| step.needed).map(|step| step.number).collect()
}

/// Capacity, `a 4/4/4`: before, during and after.
fn capacity(plan: &Plan) -> String {
    let row = |one: &super::Capacity| {
        format!("{} {}/{}/{}", one.variant, one.before, one.during, one.after)
    };
    plan.capacity.iter().map(row).collect::<Vec<_>>().join(", ")
}

/// The first note that begins so.
fn note<'a>(plan: &'a Plan, beginning: &str) -> &'a str {
    plan.notes.iter().find(|note| note.starts_with(beginning)).map_or_else(
        || panic!("no note begins with {beginning:?}: {:#?}", plan.notes),
        String::as_str,
    )
}

fn has_note(plan: &Plan, part: &str) -> bool {
    plan.notes.iter().any(|note| note.contains(part))
}
