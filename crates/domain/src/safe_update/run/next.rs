//! What to do next: what holds in every phase, and which phase decides the rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Phase, Run, Seen, SeenEndpoint};
use crate::members::Members;
use crate::name::{EndpointConfigName, VariantName};

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// One call; then look again.
    Do(Order),
    /// Nothing but to look again a little later: the endpoint is moving. With a line for people.
    Wait(String),
    /// The run has changed: keep it, then look again.
    Keep(Box<Run>),
    /// Somebody must decide: why. Nothing more is done until the run is resumed or undone.
    Pause(String),
    Done(Outcome),
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    DeletePolicy {
        variant: VariantName,
        dimension: String,
        name: String,
    },
    Deregister {
        variant: VariantName,
        dimension: String,
    },
    /// `UpdateEndpointWeightsAndCapacities`: counts and weights by variant.
    SetCapacity(BTreeMap<VariantName, (Option<u32>, Option<f64>)>),
    UpdateEndpoint {
        config: EndpointConfigName,
        keep_counts: bool,
        keep_weights: bool,
        deployment_config: Option<Members>,
        retain_deployment_config: bool,
    },
    /// Each with the input of its call.
    Register(Value),
    /// `TagResource` on a target.
    Tag {
        arn: String,
        tags: BTreeMap<String, String>,
    },
    PutPolicy(Value),
    PutScheduledAction(Value),
    PutAlarm(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Applied,
    Undone,
}

impl Order {
    /// The API's name of the call.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::DeletePolicy { .. } => "DeleteScalingPolicy",
            Self::Deregister { .. } => "DeregisterScalableTarget",
            Self::SetCapacity(_) => "UpdateEndpointWeightsAndCapacities",
            Self::UpdateEndpoint { .. } => "UpdateEndpoint",
            Self::Register(_) => "RegisterScalableTarget",
            Self::Tag { .. } => "TagResource",
            Self::PutPolicy(_) => "PutScalingPolicy",
            Self::PutScheduledAction(_) => "PutScheduledAction",
            Self::PutAlarm(_) => "PutMetricAlarm",
        }
    }
}

impl Run {
    /// Decides what is next. The same run and the same look always lead to the same.
    pub fn next(&self, seen: &Seen) -> Next {
        if let Phase::Ended(outcome) = self.phase {
            return Next::Done(outcome);
        }
        let endpoint = &seen.endpoint;
        if endpoint.is_moving() {
            let noted = self.noted_underway(seen);
            return noted.map_or_else(|| Next::Wait(moving(endpoint)), Self::keep);
        }
        if !endpoint.is_in_service() {
            return Next::Pause(out_of_service(endpoint));
        }
        let config = &endpoint.config;
        if *config == self.aim().name {
            match self.phase {
                Phase::Registering => self.register(seen),
                Phase::Settling => self.settle(seen),
                _ => self.in_phase(Phase::Registering, seen.now).keep(),
            }
        } else if *config == self.origin().name {
            match self.phase {
                Phase::Deregistering => self.deregister(seen),
                Phase::Raising => self.raise(seen),
                Phase::Updating => self.update(seen),
                _ => Next::Pause(format!(
                    "somebody has put the endpoint back on the config {config} meanwhile"
                )),
            }
        } else {
            Next::Pause(format!(
                "somebody has put the endpoint on the config {config}, which is neither {} nor {}",
                self.facts.in_use.name, self.facts.wanted.name
            ))
        }
    }

    pub(super) fn keep(self) -> Next {
        Next::Keep(Box::new(self))
    }
}

fn out_of_service(endpoint: &SeenEndpoint) -> String {
    let why = endpoint.failure_reason.as_ref().map(|why| format!(": {why}"));
    format!("the endpoint is {}{}", endpoint.status, why.unwrap_or_default())
}

/// What is going on, for people.
fn moving(endpoint: &SeenEndpoint) -> String {
    let to = endpoint.pending.as_ref().map(|config| format!(" to {config}")).unwrap_or_default();
    let counts = endpoint.running.iter().filter_map(|one| {
        let (current, desired) = (one.current?, one.desired?);
        let count = if current == desired {
            format!("{} has {current} of {desired} instances", one.variant)
        } else {
            format!("{} goes from {current} to {desired} instances", one.variant)
        };
        Some(count)
    });
    let counts: Vec<String> = counts.collect();
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    format!("the endpoint is {}{to}{counts}", endpoint.status)
}
