//! What operations may see of what runs: the driver's instances, the gateway's requests, the control loop's decisions,
//! and what is done for safe updates.

use std::sync::Arc;

use api::{Live, Running};
use control::task::scale::Decisions;
use domain::name::{EndpointKey, EndpointName};
use domain::route::Traffic;
use domain::scaling::{Recent, TargetKey};
use runtime::driver::Driver;

use crate::safe_update::Doing;

#[derive(Debug)]
pub(crate) struct View {
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) traffic: Arc<dyn Traffic>,
    pub(crate) decisions: Arc<Decisions>,
    pub(crate) doing: Arc<Doing>,
}

impl Live for View {
    fn instances(&self, endpoint: &EndpointName) -> Vec<Running> {
        let key = EndpointKey::from(endpoint);
        let all = self.driver.observe().into_iter();
        all.filter(|observed| EndpointKey::from(&observed.fleet.endpoint) == key)
            .map(|observed| {
                let usage = self.driver.usage(&observed.id);
                Running {
                    in_flight: self.traffic.in_flight(&observed.id),
                    cpu: usage.map(|usage| usage.cpu),
                    memory_bytes: usage.map(|usage| usage.memory_bytes),
                    observed,
                }
            })
            .collect()
    }

    fn decisions(&self, target: &TargetKey) -> Vec<Recent> {
        self.decisions.of(target)
    }

    fn doing(&self, endpoint: &EndpointKey) -> Option<String> {
        self.doing.of(endpoint)
    }
}
