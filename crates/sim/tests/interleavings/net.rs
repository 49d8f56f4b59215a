//! Looks at every schedule of some clients for what must never happen.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::endpoint::Endpoint;
use domain::iam::NameKey;
use domain::name::EndpointKey;
use sim::interleave::{Count, Made, Mode, Run, explore, same};
use sim::laws;
use store::State;

use crate::acts::{Act, By};
use crate::scene::Scene;

/// What must never happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Something of scaling belongs to nothing.
    Orphan,
    /// An update went through that takes a registered variant away or changes its instance type (S1, S2).
    Unbound,
    /// An endpoint was deleted by somebody who may not deregister its targets at that moment (S9).
    Unlawful,
    /// A call that was refused has changed something, or one that was not has changed things at several moments.
    Torn,
    /// Somebody else's endpoint was touched.
    Bystander,
    /// No order of whole calls explains what was answered and what is there.
    Unexplained,
}

/// What was found, with the first case of each.
#[derive(Debug, Default)]
pub(crate) struct Catch {
    pub(crate) count: Count,
    pub(crate) faults: BTreeMap<Fault, String>,
    /// Runs in which a loop has changed the endpoint's record.
    pub(crate) moved: usize,
}

/// Explores some clients from the scene's state.
pub(crate) fn cast(scene: &Scene, programs: &[Vec<Act>], mode: Mode) -> Catch {
    let clients = || scene.clients(programs);
    let store = scene.world.store();
    let mut orders: Vec<Run> = Vec::new();
    let known = |orders: &[Run], run: &Run| {
        orders.iter().any(|order| {
            order.answers == run.answers && order.spans == run.spans && same(&order.last, &run.last)
        })
    };
    explore(&store, &clients, Mode::Atomic, &mut |run| {
        if !known(&orders, run) {
            orders.push(Run::clone(run));
        }
        true
    })
    .unwrap();
    let net = Net { scene, programs, orders, base: store.state() };
    let (mut faults, mut moved) = (BTreeMap::new(), 0);
    let count = explore(&store, &clients, mode, &mut |run| {
        for (fault, what) in net.faults(run) {
            faults.entry(fault).or_insert_with(|| format!("{}: {what}", net.tell(run)));
        }
        moved += usize::from(run.made.iter().any(|made| net.moves(made)));
        true
    });
    Catch { count: count.unwrap(), faults, moved }
}

struct Net<'a> {
    scene: &'a Scene,
    programs: &'a [Vec<Act>],
    /// What happens when calls do not run at once.
    orders: Vec<Run>,
    base: Arc<State>,
}

impl Net<'_> {
    fn faults(&self, run: &Run) -> Vec<(Fault, String)> {
        let scope = self.scene.world.scope();
        let mut faults = Vec::new();
        for made in run.made.iter().filter(|made| made.wrote) {
            let orphan = laws::orphan(&made.after, &scope);
            faults.extend(orphan.map(|orphan| (Fault::Orphan, orphan)));
            faults.extend(self.unbound(made).map(|what| (Fault::Unbound, what)));
            faults.extend(self.unlawful(made).map(|what| (Fault::Unlawful, what)));
        }
        faults.extend(self.torn(run).map(|what| (Fault::Torn, what)));
        if !self.leaves_others_alone(&run.last) {
            faults.push((Fault::Bystander, format!("{:?}", run.last)));
        }
        if !self.orders.iter().any(|order| self.explains(order, run)) {
            faults.push((Fault::Unexplained, format!("{:?}", run.answers)));
        }
        faults
    }

    /// The operation that a decision is of, and who asked for it; nothing for a loop.
    fn asked(&self, made: &Made) -> Option<(&'static str, By)> {
        match &self.programs[made.client][made.call] {
            Act::Api { by, call, .. } => Some((call.operation.name, *by)),
            Act::Fleets(_) | Act::Scaling(_) => None,
        }
    }

    /// Whether a loop has changed the endpoint.
    fn moves(&self, made: &Made) -> bool {
        let of = |state: &State| state.endpoints.get(&key("e")).cloned();
        self.asked(made).is_none() && of(&made.before) != of(&made.after)
    }

    /// Promises S1 and S2, at the moment of the decision.
    fn unbound(&self, made: &Made) -> Option<String> {
        if self.asked(made)?.0 != "UpdateEndpoint" {
            return None;
        }
        let key = key("e");
        let live = made.before.endpoints.get(&key).and_then(|before| before.live.as_ref())?;
        let wanted = made.after.endpoints.get(&key).and_then(|after| after.pending.as_ref())?;
        let mut targets = made.before.targets_of(&key);
        let changed = targets.find(|target| {
            let kind = live.config.instance_type(&target.resource.variant);
            kind.is_some() && wanted.config.instance_type(&target.resource.variant) != kind
        });
        changed.map(|target| format!("{} was registered", target.resource))
    }

    /// Promise S9, at the moment of the decision: read from Ann's policies themselves.
    fn unlawful(&self, made: &Made) -> Option<String> {
        if self.asked(made)? != ("DeleteEndpoint", By::Ann) {
            return None;
        }
        let before = &made.before;
        let targets: Vec<_> = before.targets_of(&key("e")).collect();
        let policies = targets.iter().any(|target| {
            before.policies_of(&domain::scaling::TargetKey::from(&target.resource)).next().is_some()
        });
        let user = before.users.get(&NameKey::new("ann"))?;
        let active = |id: &String| before.access_keys.get(id).is_some_and(|key| key.is_active());
        let has = |name: &str| user.grants.inline.contains_key(name);
        let may = user.access_keys.iter().any(active)
            && (targets.is_empty() || has("deregister") && !has("deny"))
            && (!policies || has("policies"));
        (!may).then(|| format!("Ann had only {:?}", user.grants.inline.keys()))
    }

    /// A call is one decision, or none if it is refused.
    fn torn(&self, run: &Run) -> Option<String> {
        let calls = run.answers.iter().enumerate();
        let mut calls = calls.flat_map(|(client, answers)| {
            answers.iter().enumerate().map(move |(call, answer)| (client, call, answer))
        });
        calls.find_map(|(client, call, answer)| {
            let act @ Act::Api { .. } = &self.programs[client][call] else { return None };
            let own = |made: &&Made| made.wrote && (made.client, made.call) == (client, call);
            let writes = run.made.iter().filter(own).count();
            let most = usize::from(answer.starts_with("200 "));
            (writes > most).then(|| format!("{}: {writes} writes, {answer}", act.label()))
        })
    }

    /// All that is of the endpoint `f` is what it was.
    fn leaves_others_alone(&self, last: &State) -> bool {
        let key = key("f");
        let base = &*self.base;
        let of = |state: &State| -> (Option<Arc<Endpoint>>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) {
            let alarm = |name: &str| name.contains("/f/") || name == "own-f";
            (
                state.endpoints.get(&key).cloned(),
                state.targets_of(&key).cloned().collect(),
                state.policies.values().filter(|one| one.target.endpoint == key).cloned().collect(),
                state
                    .scheduled_actions
                    .values()
                    .filter(|one| one.target.endpoint == key)
                    .cloned()
                    .collect(),
                state.alarms.values().filter(|one| alarm(&one.name.to_string())).cloned().collect(),
            )
        };
        // The loop that scales looks after everybody.
        let scales = |act: &Act| matches!(act, Act::Scaling(_));
        self.programs.iter().flatten().any(scales) || of(last) == of(base)
    }

    /// Whether a run is what it would be if each of its calls had happened at once, in an order in which a call that was
    /// answered before another one began comes before it.
    fn explains(&self, order: &Run, run: &Run) -> bool {
        let calls = || {
            let calls = self.programs.iter().enumerate();
            calls
                .flat_map(|(client, acts)| (0..acts.len()).map(move |call| (client, call)))
                .filter(|(client, call)| matches!(self.programs[*client][*call], Act::Api { .. }))
        };
        let span = |run: &Run, (client, call): (usize, usize)| run.spans[client][call];
        let kept = |(one, other): ((usize, usize), (usize, usize))| {
            span(run, one).1 >= span(run, other).0 || span(order, one).1 < span(order, other).0
        };
        order.answers == run.answers
            && same(&order.last, &run.last)
            && calls().flat_map(|one| calls().map(move |other| (one, other))).all(kept)
    }

    /// The schedule, as the labels of its calls where they go on.
    fn tell(&self, run: &Run) -> String {
        let mut told = Vec::new();
        for (at, client) in run.schedule.iter().enumerate() {
            let call = run.spans[*client].iter().position(|(_, last)| at <= *last);
            let act = call.map(|call| self.programs[*client][call].label());
            told.push(act.unwrap_or_default());
        }
        told.join(" > ")
    }
}

fn key(endpoint: &str) -> EndpointKey {
    EndpointKey::from(&endpoint.parse().unwrap())
}
