//! Makes fleets what they should be: starts, drains and stops instances, publishes routes, moves endpoints on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::alarm::StateValue;
use domain::arn::{Kind, Scope};
use domain::endpoint::{Endpoint, Event};
use domain::fleet::{self, Facts, Plan, Seen, Start};
use domain::instance::{InstanceId, Order, Resources};
use domain::name::EndpointKey;
use domain::route::{EndpointRoute, RouteTable, Traffic};
use domain::time::{Clock, Timestamp};
use runtime::driver::Driver;
use store::record::Tagged;
use store::{Changes, State, Store, Undecided, decide};

/// What the task works with.
#[derive(Clone)]
pub struct Means {
    pub store: Arc<dyn Store>,
    pub driver: Arc<dyn Driver>,
    pub traffic: Arc<dyn Traffic>,
    pub clock: Arc<dyn Clock>,
    pub scope: Scope,
    /// What an instance may use, by instance type; a type that is not there is a label without bounds.
    pub resources: BTreeMap<String, Resources>,
    /// Makes the id of a new instance.
    pub new_id: Arc<dyn Fn() -> InstanceId + Send + Sync>,
}

impl fmt::Debug for Means {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Means").field("driver", &self.driver).finish_non_exhaustive()
    }
}

/// The task. All that it remembers is which instances are leaving, and what it published last.
#[derive(Debug)]
pub struct Fleets {
    means: Means,
    draining: BTreeMap<InstanceId, Timestamp>,
    published: Option<Arc<RouteTable>>,
}

/// What one run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Something was done, so that another run may find more to do.
    pub changed: bool,
    /// The store failed; the next run tries again.
    pub failed: bool,
    /// Instances that are leaving.
    pub draining: usize,
    /// When a wait ends that nobody will tell of.
    pub wake_after: Option<Duration>,
}

/// An endpoint's record as it was read, and the plan that was made of it.
struct Planned {
    key: EndpointKey,
    endpoint: Option<Arc<Endpoint>>,
    instances: Vec<Seen>,
    plan: Plan,
}

impl Fleets {
    pub const fn new(means: Means) -> Self {
        Self { means, draining: BTreeMap::new(), published: None }
    }

    /// Looks at everything and does what is due. It is told nothing, on purpose.
    pub async fn activate(&mut self) -> Report {
        let wall = self.means.clock.steady();
        let state = self.means.store.state();
        let planned = self.plan_all(&state, wall);
        self.publish(&planned);
        let mut report = Report { draining: self.draining.len(), ..Report::default() };
        for one in planned {
            report.changed |= self.realize(&one);
            let wait = one.plan.wake_at.map(|at| at.since(wall));
            let baked = one.plan.wake_at_server.map(|at| self.means.clock.wall_until(at));
            report.wake_after = report.wake_after.into_iter().chain(wait).chain(baked).min();
            match self.tell(one).await {
                Ok(told) => report.changed |= told,
                Err(why) => {
                    report.failed = true;
                    tracing::error!(%why, "an endpoint's record could not be changed");
                }
            }
        }
        report
    }

    fn plan_all(&mut self, state: &State, wall: Timestamp) -> Vec<Planned> {
        let now = self.means.clock.now();
        let mut by_endpoint: BTreeMap<EndpointKey, Vec<Seen>> =
            state.endpoints.keys().map(|key| (key.clone(), Vec::new())).collect();
        for observed in self.means.driver.observe() {
            let seen = Seen {
                in_flight: self.means.traffic.in_flight(&observed.id),
                draining_since: self.draining.get(&observed.id).copied(),
                observed,
            };
            by_endpoint
                .entry(EndpointKey::from(&seen.observed.fleet.endpoint))
                .or_default()
                .push(seen);
        }
        let known =
            |id: &InstanceId| by_endpoint.values().flatten().any(|seen| seen.observed.id == *id);
        self.draining.retain(|id, _| known(id));
        let planned = by_endpoint.into_iter().map(|(key, instances)| {
            let endpoint = state.endpoints.get(&key).cloned();
            let alarms = endpoint.as_deref().map(|one| gone_off(state, one)).unwrap_or_default();
            let plan = fleet::plan(&Facts {
                endpoint: endpoint.as_deref(),
                instances: &instances,
                alarms: &alarms,
                now,
                wall,
            });
            Planned { key, endpoint, instances, plan }
        });
        let mut planned: Vec<Planned> = planned.collect();
        for one in &mut planned {
            for seen in &mut one.instances {
                if one.plan.drain.contains(&seen.observed.id) {
                    seen.draining_since = Some(wall);
                    self.draining.insert(seen.observed.id.clone(), wall);
                }
            }
        }
        planned
    }

    /// Publishes the routes if they have changed: what is to be drained gets no request from here on.
    fn publish(&mut self, planned: &[Planned]) {
        let routes = planned.iter().filter_map(|one| {
            let endpoint = one.endpoint.as_deref()?;
            let route = fleet::route(endpoint, &one.instances)?;
            Some((endpoint.name.clone(), self.shared(endpoint, route)))
        });
        let table = Arc::new(RouteTable { endpoints: routes.collect() });
        if self.published.as_ref() != Some(&table) {
            self.means.traffic.publish(Arc::clone(&table));
            self.published = Some(table);
        }
    }

    /// The route as published before, if it is the same, so that unchanged parts of the table are shared.
    fn shared(&self, endpoint: &Endpoint, route: EndpointRoute) -> Arc<EndpointRoute> {
        let before = self.published.as_ref().and_then(|table| table.endpoints.get(&endpoint.name));
        before.filter(|before| ***before == route).map_or_else(|| Arc::new(route), Arc::clone)
    }

    /// Does what the plan says; whether that was anything.
    fn realize(&self, planned: &Planned) -> bool {
        let Planned { endpoint, plan, .. } = planned;
        let mut changed = !(plan.drain.is_empty() && plan.stop.is_empty());
        for why in &plan.why {
            tracing::debug!(?why, "planned");
        }
        for id in &plan.stop {
            tracing::info!(instance = %id, "stopping an instance");
            self.means.driver.stop(id);
        }
        for id in &plan.forget {
            self.means.driver.forget(id);
        }
        for start in &plan.start {
            let Some(endpoint) = endpoint else { continue };
            for _ in 0..start.count {
                if let Some(order) = self.order(endpoint, start) {
                    tracing::info!(instance = %order.id, endpoint = %order.fleet.endpoint,
                        variant = %order.fleet.variant, "starting an instance");
                    self.means.driver.start(order);
                    changed = true;
                }
            }
        }
        changed
    }

    fn order(&self, endpoint: &Endpoint, start: &Start) -> Option<Order> {
        order(endpoint, start, &self.means.resources, (self.means.new_id)())
    }

    /// Moves the endpoint on, if its record is still the one that the plan was made of.
    async fn tell(&self, planned: Planned) -> Result<bool, Undecided<domain::endpoint::Illegal>> {
        let Planned { key, endpoint: Some(endpoint), plan: Plan { event, gone, .. }, .. } = planned
        else {
            return Ok(false);
        };
        if event.is_none() && !gone {
            return Ok(false);
        }
        let (scope, now) = (self.means.scope.clone(), self.means.clock.now());
        decide(&*self.means.store, move |state: &State| {
            let current =
                state.endpoints.get(&key).filter(|current| Arc::ptr_eq(current, &endpoint));
            let Some(current) = current else { return Ok((Changes::none(), true)) };
            if gone {
                tracing::info!(endpoint = %current.name, "the endpoint is gone");
                return Ok((forget(&scope, &key, current), true));
            }
            let Some(event) = event else { return Ok((Changes::none(), false)) };
            log(current, &event);
            Ok((Changes::none().put(current.after(event, now)?), true))
        })
        .await
    }
}

/// Of the alarms that guard an update of the endpoint, those in `ALARM`, with why they are. One that is not there any
/// more guards nothing.
fn gone_off<'a>(state: &'a State, endpoint: &'a Endpoint) -> Vec<(&'a str, &'a str)> {
    let guarding = endpoint.rollout.iter().flat_map(|rollout| &rollout.guardrails.alarms);
    let known = guarding.filter_map(|name| state.alarms.get(name.as_str()));
    known
        .filter(|alarm| alarm.state.value == StateValue::Alarm)
        .map(|alarm| (alarm.name.as_str(), alarm.state.reason.as_str()))
        .collect()
}

/// The record of an endpoint goes together with its tags.
fn forget(scope: &Scope, key: &EndpointKey, endpoint: &Endpoint) -> Changes {
    let arn = scope.sagemaker(Kind::Endpoint, &endpoint.name);
    Changes::none()
        .delete::<Endpoint>(key.clone())
        .delete::<Tagged>(Tagged::key_of(Kind::Endpoint, &arn))
}

fn order(
    endpoint: &Endpoint,
    start: &Start,
    resources: &BTreeMap<String, Resources>,
    id: InstanceId,
) -> Option<Order> {
    let deployment =
        endpoint.deployments().find(|deployment| deployment.id == start.fleet.deployment)?;
    let (_, variant, container) = deployment
        .runnable()
        .into_iter()
        .find(|(fleet, ..)| fleet.variant == start.fleet.variant)?;
    Some(Order {
        id,
        fleet: start.fleet.clone(),
        image: container.image,
        model_data_url: container.model_data_url,
        environment: container.environment,
        resources: resources.get(&variant.instance_type).copied().unwrap_or_default(),
        download_timeout: variant.download_timeout,
        startup_timeout: variant.startup_timeout,
    })
}

fn log(endpoint: &Endpoint, event: &Event) {
    let (name, stage) = (&endpoint.name, endpoint.stage);
    match event {
        Event::DeploymentFailed { reason }
        | Event::ResizeFailed { reason }
        | Event::RolledBack { reason }
        | Event::RollbackFailed { reason } => {
            tracing::warn!(endpoint = %name, ?stage, reason, "a change of the endpoint failed");
        }
        Event::Advanced(reached) => {
            tracing::debug!(endpoint = %name, ?stage, ?reached, "instances became ready");
        }
        Event::Moved(rollout) => {
            tracing::info!(endpoint = %name, to = ?rollout.stage, "the update goes on");
        }
        Event::Deployed | Event::Retired | Event::Resized => {
            tracing::info!(endpoint = %name, ?stage, ?event, "the endpoint moved on");
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::endpoint::Parts;
    use domain::endpoint_config::EndpointConfig;
    use domain::instance::{DeploymentId, FleetId};
    use domain::model::Model;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instance_may_use_what_the_type_of_its_own_variant_says() {
        let (created_at, count) = (Timestamp::default(), 1);
        let variants = [("a", "ml.t2.medium"), ("b", "ml.m5.large")].map(|(name, kind)| {
            json!({"VariantName": name, "ModelName": "m", "InstanceType": kind, "InitialInstanceCount": 1})
        });
        let members = serde_json::from_value(json!({"ProductionVariants": variants})).unwrap();
        let config = EndpointConfig { name: "c".parse().unwrap(), created_at, members };
        let members = serde_json::from_value(json!({"PrimaryContainer": {"Image": "i"}})).unwrap();
        let model = Model { name: "m".parse().unwrap(), created_at, members };
        let parts =
            Parts { id: DeploymentId(1), config: config.into(), models: vec![model.into()] };
        let endpoint = Endpoint::create("e".parse().unwrap(), &parts, None, created_at).unwrap();
        let small = Resources { cpus: Some(1), memory_bytes: Some(1 << 30) };
        let table = BTreeMap::from([("ml.t2.medium".to_owned(), small)]);
        let fleets = &endpoint.pending.as_ref().unwrap().runnable();
        let resources = fleets.iter().map(|(fleet, ..)| {
            let (endpoint_name, variant) = (endpoint.name.clone(), fleet.variant.clone());
            let fleet = FleetId { endpoint: endpoint_name, deployment: DeploymentId(1), variant };
            let start = Start { fleet, count };
            let order = order(&endpoint, &start, &table, InstanceId::from_entropy(1)).unwrap();
            (order.fleet.variant.to_string(), order.resources)
        });
        let expected = [("a", small), ("b", Resources::default())];
        let resources: Vec<_> = resources.collect();
        assert_eq!(resources, expected.map(|(name, one)| (name.to_owned(), one)));
    }
}
