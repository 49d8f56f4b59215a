//! The gate in front of one instance: it counts the requests inside, and can be shut against further ones.
//!
//! One atomic word holds both, so that counting in and looking whether it is shut are one step.
//!
//! Why nothing slips in late: all operations on one atomic have a single order. A request enters by `fetch_add`. If that
//! comes before the `fetch_or` of [`Gate::shut`], the count that is read after shutting includes it. If it comes after,
//! the value it gets back carries the bit, and it leaves again without having touched the instance. There is no third
//! place in that order, on any number of threads and with however old a snapshot of the routes. A request that is turned
//! back shows in the count for an instant; whoever waits for nought waits that much longer and never too short.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The top bit: 2^63 requests at once are out of reach, so counting never touches it.
const SHUT: u64 = 1 << 63;

#[derive(Debug, Default)]
pub(crate) struct Gate(AtomicU64);

impl Gate {
    /// Enters, unless it is shut.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Ticket> {
        // The ticket exists before the bit is looked at: dropping it is what undoes the count.
        let before = self.0.fetch_add(1, Ordering::AcqRel);
        let ticket = Ticket { gate: Arc::clone(self), entered_as: (before & !SHUT) + 1 };
        (before & SHUT == 0).then_some(ticket)
    }

    pub(crate) fn shut(&self) {
        self.0.fetch_or(SHUT, Ordering::AcqRel);
    }

    pub(crate) fn open(&self) {
        self.0.fetch_and(!SHUT, Ordering::AcqRel);
    }

    fn is_shut(&self) -> bool {
        self.0.load(Ordering::Acquire) & SHUT != 0
    }

    /// Requests inside now.
    pub(crate) fn inside(&self) -> u64 {
        self.0.load(Ordering::Acquire) & !SHUT
    }
}

/// One request inside a gate; dropping it is leaving.
#[derive(Debug)]
pub(crate) struct Ticket {
    gate: Arc<Gate>,
    entered_as: u64,
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
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.gate.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;

    #[test]
    fn a_shut_gate_turns_back_and_keeps_counting_who_is_inside() {
        let gate = Arc::new(Gate::default());
        let early = gate.enter().unwrap();
        assert!(!early.is_shut());
        assert_eq!((early.entered_as(), gate.enter().unwrap().entered_as()), (1, 2));
        gate.shut();
        assert!(gate.enter().is_none() && early.is_shut());
        assert_eq!(gate.inside(), 1);
        drop(early);
        assert_eq!(gate.inside(), 0);
        gate.open();
        assert!(gate.enter().is_some());
    }

    #[test]
    fn once_it_is_shut_and_empty_nobody_is_ever_inside() {
        for _ in 0..200 {
            let (gate, emptied) = (Arc::new(Gate::default()), Arc::new(AtomicBool::new(false)));
            let visitors: Vec<_> = (0..3)
                .map(|_| {
                    let (gate, emptied) = (Arc::clone(&gate), Arc::clone(&emptied));
                    thread::spawn(move || {
                        while let Some(_ticket) = gate.enter() {
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
