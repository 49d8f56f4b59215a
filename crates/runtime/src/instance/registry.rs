//! What a driver knows of its instances. It only keeps facts; who finds them out is the driver's business.

use std::collections::BTreeMap;

use domain::instance::{Exit, FleetId, InstanceId, Observed, Phase};

/// Exits that are kept of one fleet though nobody forgot them, newest first. Control reads them within seconds and
/// asks for the last few only; a fleet that crashes for days must not fill memory.
pub(crate) const EXITS_PER_FLEET_MAX: usize = 64;

/// Instances by id; `H` is what the driver needs to act on one.
#[derive(Debug)]
pub(crate) struct Registry<H> {
    entries: BTreeMap<InstanceId, Entry<H>>,
}

#[derive(Debug)]
struct Entry<H> {
    fleet: FleetId,
    phase: Phase,
    handle: H,
}

impl<H> Default for Registry<H> {
    fn default() -> Self {
        Self { entries: BTreeMap::new() }
    }
}

impl<H> Registry<H> {
    /// Adds an instance that is being prepared. Returns false, and changes nothing, if the id is known.
    pub(crate) fn admit(&mut self, id: InstanceId, fleet: FleetId, handle: H) -> bool {
        if self.entries.contains_key(&id) {
            return false;
        }
        self.entries.insert(id, Entry { fleet, phase: Phase::Preparing, handle });
        true
    }

    /// Moves an instance on. What has exited stays so, and what was told to stop does not become ready any more.
    /// Returns whether anything changed.
    pub(crate) fn advance(&mut self, id: &InstanceId, phase: Phase) -> bool {
        let Some(entry) = self.entries.get_mut(id) else { return false };
        let late = match entry.phase {
            Phase::Exited(_) => true,
            Phase::Stopping => !matches!(phase, Phase::Exited(_)),
            Phase::Preparing | Phase::Starting | Phase::Ready { .. } => entry.phase == phase,
        };
        if late {
            return false;
        }
        let exited = matches!(phase, Phase::Exited(_));
        entry.phase = phase;
        if exited {
            let fleet = entry.fleet.clone();
            self.shed(&fleet);
        }
        true
    }

    /// Marks an instance as stopping and gives its handle; nothing if it is unknown, stopping or gone already.
    pub(crate) fn stop(&mut self, id: &InstanceId) -> Option<&H> {
        let entry = self.entries.get_mut(id).filter(|entry| entry.phase.is_alive())?;
        entry.phase = Phase::Stopping;
        Some(&entry.handle)
    }

    /// Drops an instance that has exited. Returns whether there was one.
    pub(crate) fn forget(&mut self, id: &InstanceId) -> bool {
        let gone =
            self.entries.get(id).is_some_and(|entry| matches!(entry.phase, Phase::Exited(_)));
        gone && self.entries.remove(id).is_some()
    }

    pub(crate) fn observe(&self) -> Vec<Observed> {
        let observed = |(id, entry): (&InstanceId, &Entry<H>)| Observed {
            id: id.clone(),
            fleet: entry.fleet.clone(),
            phase: entry.phase.clone(),
        };
        self.entries.iter().map(observed).collect()
    }

    /// Every instance that has not exited.
    pub(crate) fn running(&self) -> impl Iterator<Item = (&InstanceId, &Phase, &H)> {
        let running =
            self.entries.iter().filter(|(_, entry)| !matches!(entry.phase, Phase::Exited(_)));
        running.map(|(id, entry)| (id, &entry.phase, &entry.handle))
    }

    fn shed(&mut self, fleet: &FleetId) {
        let exit = |entry: &Entry<H>| match &entry.phase {
            Phase::Exited(Exit { at, .. }) if entry.fleet == *fleet => Some(*at),
            _ => None,
        };
        let mut exits: Vec<_> = self
            .entries
            .iter()
            .filter_map(|(id, entry)| Some((exit(entry)?, id.clone())))
            .collect();
        exits.sort_unstable();
        for (_, id) in exits.iter().rev().skip(EXITS_PER_FLEET_MAX) {
            self.entries.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::instance::{DeploymentId, ExitCause};
    use domain::time::Timestamp;

    fn id(number: u128) -> InstanceId {
        InstanceId::from_entropy(number)
    }

    fn fleet(deployment: u64) -> FleetId {
        FleetId {
            endpoint: "chat".parse().unwrap(),
            deployment: DeploymentId(deployment),
            variant: "AllTraffic".parse().unwrap(),
        }
    }

    fn exited(at: i64) -> Phase {
        Phase::Exited(Exit {
            cause: ExitCause::Stopped,
            was_ready: false,
            at: Timestamp::from_millis(at),
        })
    }

    #[test]
    fn an_exit_is_final_and_a_stop_is_not_undone() {
        let mut registry = Registry::default();
        assert!(registry.admit(id(1), fleet(1), ()));
        assert!(!registry.admit(id(1), fleet(2), ()));
        assert!(registry.advance(&id(1), Phase::Starting));
        assert!(!registry.advance(&id(1), Phase::Starting));
        assert!(registry.stop(&id(1)).is_some());
        assert!(registry.stop(&id(1)).is_none());
        assert!(!registry.advance(&id(1), Phase::Starting));
        assert!(!registry.forget(&id(1)));
        assert!(registry.advance(&id(1), exited(5)));
        assert!(!registry.advance(&id(1), exited(6)));
        assert_eq!(registry.observe()[0].phase, exited(5));
        assert!(registry.forget(&id(1)));
        assert!(!registry.forget(&id(1)));
    }

    #[test]
    fn the_oldest_exits_of_a_fleet_go_when_nobody_forgets_them() {
        let mut registry = Registry::default();
        let most = EXITS_PER_FLEET_MAX as u128;
        registry.admit(id(9_000), fleet(1), ());
        registry.admit(id(9_001), fleet(2), ());
        registry.advance(&id(9_001), exited(0));
        for number in 0..most + 10 {
            registry.admit(id(number), fleet(1), ());
            // The higher the id the older the exit, so that order by id and order by time differ.
            registry.advance(&id(number), exited(10_000 - i64::try_from(number).unwrap()));
        }
        let kept: Vec<_> = registry.observe().into_iter().map(|seen| seen.id).collect();
        let expected: Vec<_> = (0..most).chain([9_000, 9_001]).map(id).collect();
        assert_eq!(kept, expected);
    }
}
