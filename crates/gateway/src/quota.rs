//! A bound on what all threads together may hold: bytes of bodies, requests that wait.
//!
//! It never blocks and takes no lock; whoever does not get a share answers 503 at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many units, shared by all clones.
#[derive(Clone)]
pub struct Quota {
    left: Arc<AtomicUsize>,
}

impl Quota {
    pub(crate) fn new(units: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(units)) }
    }

    /// A share of `units`, which goes back when it is dropped; nothing if less than that is left.
    pub fn take(&self, units: usize) -> Option<Share> {
        let mut share = Share { quota: self.clone(), units: 0 };
        share.grow(units).then_some(share)
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Quota({} left)", self.left.load(Ordering::Relaxed))
    }
}

/// Units taken from a [`Quota`].
#[derive(Debug)]
pub struct Share {
    quota: Quota,
    units: usize,
}

impl Share {
    /// Takes more; changes nothing and says no if that is not left.
    pub(crate) fn grow(&mut self, units: usize) -> bool {
        // Relaxed: the counter guards no other memory, it only has to add up.
        let taken = self
            .quota
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(units))
            .is_ok();
        if taken {
            self.units += units;
        }
        taken
    }

    /// Grows to `units` in all if it is smaller.
    pub(crate) fn cover(&mut self, units: usize) -> bool {
        self.grow(units.saturating_sub(self.units))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota.left.fetch_add(self.units, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_come_back() {
        let quota = Quota::new(10);
        let mut first = quota.take(4).unwrap();
        assert!(quota.take(7).is_none());
        assert!(first.cover(9));
        assert!(first.cover(3), "already covered");
        assert!(!first.grow(2));
        let second = quota.take(1).unwrap();
        assert!(quota.take(1).is_none());
        drop(first);
        assert!(quota.take(10).is_none());
        drop(second);
        assert!(quota.take(10).is_some());
    }
}
