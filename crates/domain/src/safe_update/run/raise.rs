//! Steps 2 and 3: more instances for the time of the update, and no scale-in that takes them away again.

use std::collections::BTreeMap;

use super::saved::SCALE_IN;
use super::{Next, Order, Phase, Run, SavedTarget, Seen};
use crate::scaling::DIMENSION;

impl Run {
    pub(super) fn raise(&self, seen: &Seen) -> Next {
        if self.bound_seen(seen).is_some() {
            return self.in_phase(Phase::Deregistering, seen.now).keep();
        }
        if self.request.headroom_percent == 0 {
            return self.in_phase(Phase::Updating, seen.now).keep();
        }
        let scales_in = self.held(seen).find(|(_, now)| !now.suspends(SCALE_IN));
        if let Some((_, now)) = scales_in {
            return Next::Do(Order::Register(now.suspension(true)));
        }
        let mut raised = BTreeMap::new();
        for one in &seen.endpoint.running {
            let counted = one.desired.zip(self.kept.get(&one.variant));
            let Some((desired, kept)) = counted else { continue };
            let wanted = self.request.raised(*kept);
            if desired < wanted {
                raised.insert(one.variant.clone(), (Some(wanted), None));
            }
        }
        if raised.is_empty() {
            return self.in_phase(Phase::Updating, seen.now).keep();
        }
        Next::Do(Order::SetCapacity(raised))
    }

    /// The targets whose scale-in is suspended for the headroom, as they were and as they are: those that stay
    /// registered.
    pub(super) fn held<'a>(
        &'a self,
        seen: &'a Seen,
    ) -> impl Iterator<Item = (&'a SavedTarget, &'a SavedTarget)> {
        let stay = self
            .saved
            .targets
            .iter()
            .filter(|saved| saved.dimension == DIMENSION && !self.is_bound(&saved.variant));
        stay.filter_map(|saved| Some((saved, seen.scaling.same_target(saved)?)))
    }
}
