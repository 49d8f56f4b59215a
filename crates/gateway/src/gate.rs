//! The gate in front of one instance: it counts the requests inside, can be shut against further ones, and remembers
//! what came of the last ones.
//!
//! One atomic word holds the count and whether it is shut, so that counting in and looking whether it is shut are one step.
//!
//! Why nothing slips in late: all operations on one atomic have a single order. A request enters by `fetch_add`. If that
//! comes before the `fetch_or` of [`Gate::shut`], the count that is read after shutting includes it. If it comes after,
//! the value it gets back carries the bit, and it leaves again without having touched the instance. There is no third
//! place in that order, on any number of threads and with however old a snapshot of the routes. A request that is turned
//! back shows in the count for an instant; whoever waits for nought waits that much longer and never too short.
//!
//! A second word is the instance's [`Record`]. It guards no memory and nothing is decided by both words together, so its
//! operations are relaxed; while all is well it is 0 and only read. So is a third: until when the instance rests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::ejection::{REST, Record};

/// The top bit: 2^63 requests at once are out of reach, so counting never touches it.
const SHUT: u64 = 1 << 63;

#[derive(Debug)]
pub(crate) struct Gate {
    inside: AtomicU64,
    record: AtomicU64,
    rests_until: AtomicU64,
    /// What times count from.
    made: Instant,
}

impl Gate {
    pub(crate) fn new(now: Instant) -> Self {
        let nought = || AtomicU64::new(0);
        Self { inside: nought(), record: nought(), rests_until: nought(), made: now }
    }

    /// Enters, unless it is shut, or `inside_max` are inside, or another request has just taken the one chance that the
    /// instance has. In each case the table or the counts have changed since it was chosen.
    pub(crate) fn enter(self: &Arc<Self>, inside_max: u64, now: Instant) -> Option<Ticket> {
        // The ticket exists before the bit is looked at: dropping it is what undoes the count.
        let before = self.inside.fetch_add(1, Ordering::AcqRel);
        let entered_as = (before & !SHUT) + 1;
        let mut ticket = Ticket { gate: Arc::clone(self), entered_as, is_trial: false };
        if before & SHUT != 0 || entered_as > inside_max {
            return None;
        }
        ticket.is_trial = self.take_chance(now)?;
        Some(ticket)
    }

    /// Whether the request that enters is the one chance of an instance that was out; nothing if another has just taken
    /// it.
    fn take_chance(&self, now: Instant) -> Option<bool> {
        let word = self.record.load(Ordering::Relaxed);
        if word == 0 {
            return Some(false);
        }
        let (record, now) = (Record::unpack(word), self.millis(now));
        if !record.is_due(now) {
            return Some(false);
        }
        let taken = record.on_trial(now).pack();
        self.record
            .compare_exchange(word, taken, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
            .then_some(true)
    }

    pub(crate) fn shut(&self) {
        self.inside.fetch_or(SHUT, Ordering::AcqRel);
    }

    pub(crate) fn open(&self) {
        self.inside.fetch_and(!SHUT, Ordering::AcqRel);
    }

    fn is_shut(&self) -> bool {
        self.inside.load(Ordering::Acquire) & SHUT != 0
    }

    /// Requests inside now.
    pub(crate) fn inside(&self) -> u64 {
        self.inside.load(Ordering::Acquire) & !SHUT
    }

    /// Whether the instance has failed so often that it should be left out.
    pub(crate) fn is_out(&self, now: Instant) -> bool {
        let word = self.record.load(Ordering::Relaxed);
        word != 0 && Record::unpack(word).is_out(self.millis(now))
    }

    /// Whether a connection to the instance broke off so lately that it may be ending.
    pub(crate) fn rests(&self, now: Instant) -> bool {
        let until = self.rests_until.load(Ordering::Relaxed);
        until != 0 && self.millis(now) < until
    }

    fn millis(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.made).as_millis()).unwrap_or(u64::MAX)
    }
}

/// One request inside a gate; dropping it is leaving.
#[derive(Debug)]
pub(crate) struct Ticket {
    gate: Arc<Gate>,
    entered_as: u64,
    /// Whether it is the one chance of an instance that was out.
    is_trial: bool,
}

impl Ticket {
    /// How many were inside when it had just entered, itself included.
    pub(crate) fn entered_as(&self) -> u64 {
        self.entered_as
    }

    /// Whether further requests are turned back: the instance has been taken out.
    pub(crate) fn is_shut(&self) -> bool {
        self.gate.is_shut()
    }

    /// The instance has answered well: nothing is held against it any more.
    pub(crate) fn answered(&self) {
        if self.gate.record.load(Ordering::Relaxed) != 0 {
            self.gate.record.store(0, Ordering::Relaxed);
        }
    }

    /// A connection to the instance broke off.
    pub(crate) fn broke_off(&self, now: Instant) {
        // A millisecond has passed since before it is rounded off.
        self.gate.rests_until.fetch_max(self.gate.millis(now + REST) + 1, Ordering::Relaxed);
    }

    /// The instance has failed; for how long it should be left out, if that is because of this.
    pub(crate) fn failed(&self, now: Instant) -> Option<Duration> {
        let now = self.gate.millis(now);
        let after = |word| Record::unpack(word).failed(now, self.is_trial);
        let word = self
            .gate
            .record
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| Some(after(word).pack()))
            .unwrap_or_else(|word| word);
        let record = after(word);
        (record != Record::unpack(word) && record.is_out(now)).then(|| record.out())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.gate.inside.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;

    const MANY: u64 = 1000;

    fn gate() -> (Arc<Gate>, Instant) {
        let now = Instant::now();
        (Arc::new(Gate::new(now)), now)
    }

    #[test]
    fn only_so_many_are_inside() {
        let (gate, now) = gate();
        let inside: Vec<_> = (0..3).map(|_| gate.enter(3, now).unwrap()).collect();
        assert!(gate.enter(3, now).is_none());
        assert_eq!(gate.inside(), 3, "who was turned back is not counted");
        drop(inside);
        assert!(gate.enter(1, now).is_some());
    }

    #[test]
    fn an_instance_that_was_out_gets_one_request_and_what_comes_of_it_decides() {
        let (gate, began) = gate();
        let at = |millis| began + Duration::from_millis(millis);
        let early = gate.enter(MANY, began).unwrap();
        let out: Vec<_> = (0..5).map(|_| gate.enter(MANY, began).unwrap().failed(began)).collect();
        assert_eq!(out[3..], [None, Some(Duration::from_secs(1))]);
        assert_eq!((gate.is_out(at(999)), gate.is_out(at(1000))), (true, false));
        assert_eq!(early.failed(at(999)), None, "it is no news");
        let chance = gate.enter(MANY, at(1000)).unwrap();
        assert!(gate.is_out(at(1001)), "the others wait for what comes of it");
        assert_eq!(chance.failed(at(1500)), Some(Duration::from_secs(2)));
        assert_eq!((gate.is_out(at(3499)), gate.is_out(at(3500))), (true, false));
        let chance = gate.enter(MANY, at(3500)).unwrap();
        chance.answered();
        assert!(!gate.is_out(at(3501)));
        assert_eq!(chance.failed(at(3501)), None, "it begins anew");
    }

    #[test]
    fn a_chance_that_comes_to_nothing_is_followed_by_another() {
        let (gate, began) = gate();
        let ticket = gate.enter(MANY, began).unwrap();
        assert!((0..5).any(|_| ticket.failed(began).is_some()));
        for round in 1..4 {
            let now = began + Duration::from_secs(round);
            assert!(!gate.is_out(now), "{round}");
            drop(gate.enter(MANY, now).unwrap());
            assert!(gate.is_out(now), "{round}");
        }
    }

    #[test]
    fn an_instance_rests_for_a_moment_after_a_connection_broke_off() {
        let (gate, began) = gate();
        let at = |millis| began + Duration::from_millis(millis);
        assert!(!gate.rests(began));
        let ticket = gate.enter(MANY, began).unwrap();
        ticket.broke_off(at(100));
        assert!(gate.rests(at(100)) && gate.rests(at(120)));
        assert!(!gate.rests(at(121)), "and no longer");
        ticket.broke_off(at(90));
        assert!(gate.rests(at(120)), "one that is told of late does not shorten it");
        assert!(!gate.is_out(at(110)), "it is not held against it");
    }

    #[test]
    fn a_shut_gate_turns_back_and_keeps_counting_who_is_inside() {
        let (gate, now) = gate();
        let early = gate.enter(MANY, now).unwrap();
        assert!(!early.is_shut());
        assert_eq!((early.entered_as(), gate.enter(MANY, now).unwrap().entered_as()), (1, 2));
        gate.shut();
        assert!(gate.enter(MANY, now).is_none() && early.is_shut());
        assert_eq!(gate.inside(), 1);
        drop(early);
        assert_eq!(gate.inside(), 0);
        gate.open();
        assert!(gate.enter(MANY, now).is_some());
    }

    #[test]
    fn once_it_is_shut_and_empty_nobody_is_ever_inside() {
        for _ in 0..200 {
            let ((gate, now), emptied) = (gate(), Arc::new(AtomicBool::new(false)));
            let visitors: Vec<_> = (0..3)
                .map(|_| {
                    let (gate, emptied) = (Arc::clone(&gate), Arc::clone(&emptied));
                    thread::spawn(move || {
                        while let Some(_ticket) = gate.enter(MANY, now) {
                            assert!(
                                !emptied.load(Ordering::SeqCst),
                                "inside after the gate was shut and empty"
                            );
                        }
                    })
                })
                .collect();
            gate.shut();
            while gate.inside() > 0 {
                thread::yield_now();
            }
            emptied.store(true, Ordering::SeqCst);
            for visitor in visitors {
                visitor.join().unwrap();
            }
        }
    }
}
