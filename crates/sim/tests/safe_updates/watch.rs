//! What must never happen while an update runs, stands still or is gone on with: fewer instances in service than before,
//! a request that loses its instance, scaling that nobody wanted to stop.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::instance::{InstanceId, Phase};
use domain::name::VariantName;
use domain::time::{Clock, Timestamp};
use sim::{World, laws};

/// How long a request lasts: longer than an instance takes to stop.
const REQUEST: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct Watch {
    /// Instances that each variant must have in service.
    least: BTreeMap<VariantName, usize>,
    /// Variants that must be registered, with two policies each, all the time.
    scaling: Vec<&'static str>,
    requests: Vec<(InstanceId, Timestamp)>,
}

impl Watch {
    /// Watches over the variants that are to stay.
    pub(crate) fn over(world: &World, stay: &[&str], scaling: &[&'static str]) -> Self {
        let least = serving(world).into_iter().filter(|(name, _)| stay.contains(&name.as_str()));
        Self { least: least.collect(), scaling: scaling.to_vec(), requests: Vec::new() }
    }

    /// Lets time pass, in which requests come and go.
    pub(crate) fn pass(&mut self, world: &mut World, time: Duration) {
        let now = world.clock.now();
        let ended = |(_, began): &(InstanceId, Timestamp)| now.since(*began) >= REQUEST;
        for (id, _) in self.requests.extract_if(.., |request| ended(request)) {
            world.traffic.end(&id);
        }
        let taken = world.traffic.begin(&"e".parse().unwrap()).expect("somebody serves");
        self.requests.push((taken, now));
        let (least, scaling, requests) = (&self.least, &self.scaling, &self.requests);
        world.advance_seen(time, &mut |world| hold(world, least, scaling, requests)).unwrap();
    }
}

fn hold(
    world: &World,
    least: &BTreeMap<VariantName, usize>,
    scaling: &[&'static str],
    requests: &[(InstanceId, Timestamp)],
) {
    let state = world.state();
    assert_eq!(laws::orphan(&state, &world.scope()), None);
    let serving = serving(world);
    for (variant, least) in least {
        let now = serving.get(variant).copied().unwrap_or_default();
        assert!(now >= *least, "{now} instances of {variant} serve instead of {least}");
    }
    for variant in scaling {
        let of = |name: &VariantName| name.as_str() == *variant;
        let policies = state.policies.values().filter(|policy| of(&policy.target.variant));
        assert_eq!(policies.count(), 2, "{variant} does not scale");
    }
    let now = world.clock.now();
    let instances = world.instances();
    for (id, began) in requests.iter().filter(|(_, began)| now.since(*began) < REQUEST) {
        let found = instances.iter().find(|one| one.id == *id);
        let alive = found.is_some_and(|one| matches!(one.phase, Phase::Ready { .. }));
        assert!(alive, "a request since {began:?} has lost its instance {id}");
    }
}

/// Instances that take requests, by variant.
fn serving(world: &World) -> BTreeMap<VariantName, usize> {
    let table = world.traffic.table();
    let route = table.endpoints.values().next();
    let variants = route.iter().flat_map(|route| &route.variants);
    variants.map(|variant| (variant.name.clone(), variant.instances.len())).collect()
}
