//! What was decided lately, for those who ask why: bounded, in memory, gone with the server.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::scaling::{Decision, Outcome, Recent, TargetKey};

/// Decisions kept of one target: several hours of changes, and the runs without one between them.
const KEPT_PER_TARGET: usize = 20;

/// Targets that decisions are kept of. Of more, those that were decided for first are forgotten first.
const TARGETS_MAX: usize = 20_000;

/// The decisions of all targets.
#[derive(Debug, Default)]
pub struct Decisions(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    by_target: BTreeMap<TargetKey, VecDeque<Recent>>,
    /// Targets in the order in which they were first decided for.
    order: VecDeque<TargetKey>,
}

impl Decisions {
    /// The decisions of a target, the newest first.
    pub fn of(&self, target: &TargetKey) -> Vec<Recent> {
        let book = self.book();
        book.by_target.get(target).map(|kept| kept.iter().cloned().collect()).unwrap_or_default()
    }

    /// Keeps a decision; `refused` says why the change it led to could not be begun.
    pub(super) fn tell(&self, target: &TargetKey, decision: Decision, refused: Option<String>) {
        let mut book = self.book();
        if !book.by_target.contains_key(target) {
            if book.order.len() >= TARGETS_MAX
                && let Some(first) = book.order.pop_front()
            {
                book.by_target.remove(&first);
            }
            book.order.push_back(target.clone());
        }
        let kept = book.by_target.entry(target.clone()).or_default();
        match kept.front_mut() {
            Some(last) if same(&last.decision.outcome, &decision.outcome) => {
                last.times += 1;
                last.decision = decision;
            }
            _ => {
                kept.push_front(Recent { since: decision.at, times: 1, decision, refused });
                kept.truncate(KEPT_PER_TARGET);
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether two decisions in a row say the same: a change of capacity never does.
fn same(before: &Outcome, after: &Outcome) -> bool {
    !matches!(after, Outcome::ScaleTo { .. }) && before == after
}

#[cfg(test)]
mod tests {
    use domain::scaling::{Direction, Hold};
    use domain::time::Timestamp;

    use super::*;

    fn target(variant: &str) -> TargetKey {
        let endpoint: domain::name::EndpointName = "e".parse().unwrap();
        TargetKey { endpoint: (&endpoint).into(), variant: variant.parse().unwrap() }
    }

    fn decision(seconds: i64, outcome: Outcome) -> Decision {
        let at = Timestamp::from_millis(seconds * 1000);
        Decision { at, capacity: Some(1), outcome, considered: Vec::new() }
    }

    #[test]
    fn decisions_that_say_the_same_are_one_and_the_newest_comes_first() {
        let decisions = Decisions::default();
        let held = || Outcome::Held(Hold::Suspended(Direction::Out));
        for seconds in [10, 70, 130] {
            decisions.tell(&target("a"), decision(seconds, held()), None);
        }
        decisions.tell(&target("a"), decision(190, Outcome::Nothing), None);
        let told: Vec<_> = decisions
            .of(&target("a"))
            .into_iter()
            .map(|told| (told.since.as_millis(), told.times, told.decision.at.as_millis()))
            .collect();
        assert_eq!(told, [(190_000, 1, 190_000), (10_000, 3, 130_000)]);
        assert!(decisions.of(&target("b")).is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let decisions = Decisions::default();
        for seconds in 0..100 {
            let hold = Hold::ScaleInCooldown { until: Timestamp::from_millis(seconds) };
            decisions.tell(&target("a"), decision(seconds, Outcome::Held(hold)), None);
        }
        assert_eq!(decisions.of(&target("a")).len(), KEPT_PER_TARGET);
    }
}
