//! What operations may know of what runs, beside the records: a view that `control` has and `server` hands in.

use std::fmt;
use std::time::Duration;

use domain::instance::Observed;
use domain::name::{EndpointKey, EndpointName};
use domain::scaling::{Recent, TargetKey};

/// An instance as it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub observed: Observed,
    /// Requests that it is answering.
    pub in_flight: u64,
    /// Processor time that it has used so far, where that can be measured.
    pub cpu: Option<Duration>,
    /// Resident memory that it uses, where that can be measured.
    pub memory_bytes: Option<u64>,
}

/// The view. It only looks: nothing here starts, stops or waits for anything (invariant A2).
pub trait Live: Send + Sync + fmt::Debug {
    /// The instances of an endpoint, in the order of their ids.
    fn instances(&self, endpoint: &EndpointName) -> Vec<Running>;

    /// What was decided for a target lately, the newest first.
    fn decisions(&self, target: &TargetKey) -> Vec<Recent>;

    /// What was done last for an endpoint's safe update, in plain words. Nothing where none is carried out.
    fn doing(&self, _endpoint: &EndpointKey) -> Option<String> {
        None
    }
}

/// A view of nothing, for tests and dry runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Still;

impl Live for Still {
    fn instances(&self, _endpoint: &EndpointName) -> Vec<Running> {
        Vec::new()
    }

    fn decisions(&self, _target: &TargetKey) -> Vec<Recent> {
        Vec::new()
    }
}
