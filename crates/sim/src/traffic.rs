//! A data plane in which requests last as long as the script says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::instance::InstanceId;
use domain::name::EndpointName;
use domain::route::{RouteTable, Traffic};

#[derive(Debug, Default)]
pub struct SimTraffic(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    table: Arc<RouteTable>,
    in_flight: BTreeMap<InstanceId, u64>,
}

impl SimTraffic {
    /// Begins a request on the instance that has least to do; nothing if there is none.
    pub fn begin(&self, endpoint: &EndpointName) -> Option<InstanceId> {
        let mut state = self.state();
        let route = Arc::clone(state.table.endpoints.get(endpoint)?);
        let instances = route.variants.iter().flat_map(|variant| &variant.instances);
        let busy = |id: &InstanceId| state.in_flight.get(id).copied().unwrap_or(0);
        let chosen =
            instances.min_by_key(|instance| (busy(&instance.id), &instance.id))?.id.clone();
        *state.in_flight.entry(chosen.clone()).or_default() += 1;
        Some(chosen)
    }

    /// Ends a request.
    pub fn end(&self, id: &InstanceId) {
        let mut state = self.state();
        if let Some(count) = state.in_flight.get_mut(id) {
            *count = count.saturating_sub(1);
        }
        state.in_flight.retain(|_, count| *count > 0);
    }

    /// Instances that are answering something, with how much.
    pub fn busy(&self) -> BTreeMap<InstanceId, u64> {
        self.state().in_flight.clone()
    }

    pub fn table(&self) -> Arc<RouteTable> {
        Arc::clone(&self.state().table)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traffic for SimTraffic {
    fn publish(&self, table: Arc<RouteTable>) {
        self.state().table = table;
    }

    fn in_flight(&self, id: &InstanceId) -> u64 {
        self.state().in_flight.get(id).copied().unwrap_or(0)
    }
}
