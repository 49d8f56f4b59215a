//! Which processors an instance runs on that may use only some.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many instances with a bounded number of processors run on each; processors without one are left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Processors {
    seated: Arc<Mutex<BTreeMap<usize, u32>>>,
}

/// Processors that count as used while this lives.
#[derive(Debug)]
pub(crate) struct Seats {
    numbers: Vec<usize>,
    processors: Processors,
}

impl Processors {
    /// The `count` processors of `allowed` that the fewest instances have, so that two instances share one only when
    /// there is no other. All of `allowed` if they are fewer: a server may have lost some since it was configured.
    pub(crate) fn take(&self, count: u32, mut allowed: Vec<usize>) -> Seats {
        let mut seated = self.seated.lock().unwrap_or_else(PoisonError::into_inner);
        allowed.sort_by_key(|number| (seated.get(number).copied().unwrap_or(0), *number));
        allowed.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        for number in &allowed {
            *seated.entry(*number).or_default() += 1;
        }
        Seats { numbers: allowed, processors: self.clone() }
    }
}

impl Seats {
    pub(crate) fn numbers(&self) -> &[usize] {
        &self.numbers
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        let mut seated = self.processors.seated.lock().unwrap_or_else(PoisonError::into_inner);
        for number in &self.numbers {
            if let Some(count) = seated.get_mut(number) {
                *count -= 1;
            }
        }
        seated.retain(|_, count| *count > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn who_leaves_makes_room_for_who_comes_next() {
        let processors = Processors::default();
        let take = |count| processors.take(count, vec![0, 1, 4, 5]);
        let (first, second) = (take(1), take(2));
        assert_eq!((first.numbers(), second.numbers()), (&[0][..], &[1, 4][..]));
        drop(first);
        let third = take(1);
        assert_eq!(third.numbers(), [0]);
        assert_eq!(take(3).numbers(), [5, 0, 1]);
        assert_eq!(take(9).numbers(), [5, 0, 1, 4], "no more than there are");
        assert_eq!(take(0).numbers(), [0_usize; 0]);
        drop((second, third));
        assert!(processors.seated.lock().unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn the_load_of_instances_of_one_size_never_differs_by_more_than_one(
            count in 1..5_u32,
            size in 1..9_usize,
            instances in 1..20_usize,
        ) {
            let processors = Processors::default();
            let seats: Vec<_> =
                (0..instances).map(|_| processors.take(count, (0..size).collect())).collect();
            let of = |number| seats.iter().filter(|one| one.numbers().contains(&number)).count();
            let loads: Vec<_> = (0..size).map(of).collect();
            prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{loads:?}");
        }
    }
}
