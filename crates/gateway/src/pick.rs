//! Which variant, and which of its instances: pure choices from weights, counts and a random number.
//!
//! It does not know what an instance is; `route_table` applies it. Rules: `reference/sagemaker-hosting.md`, section 5.

/// A variant as the weighted choice sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) weight: f64,
    /// Whether it has an instance that could take the request.
    pub(crate) ready: bool,
}

/// Chooses by weight, P = w / sum, among the candidates that are ready. `unit` is random, from 0 up to but not 1.
///
/// Nothing is chosen while every candidate of positive weight is not ready: weight 0 means no untargeted traffic, also
/// for a moment in which nobody else could answer. If all weights are 0, which AWS leaves open, each ready candidate is
/// equally likely.
pub(crate) fn weighted(
    candidates: impl Iterator<Item = Candidate> + Clone,
    unit: f64,
) -> Option<usize> {
    let heaviest = candidates.clone().map(|candidate| sane(candidate.weight)).fold(0.0, f64::max);
    // Divided by the heaviest so that the sum of the largest weights there can be does not overflow.
    let share = |candidate: Candidate| match candidate {
        Candidate { ready: false, .. } => 0.0,
        Candidate { .. } if heaviest == 0.0 => 1.0,
        Candidate { weight, .. } => sane(weight) / heaviest,
    };
    let total: f64 = candidates.clone().map(share).sum();
    let mut left = unit * total;
    let mut last = None;
    for (index, candidate) in candidates.enumerate() {
        let share = share(candidate);
        if share > 0.0 {
            if left < share {
                return Some(index);
            }
            left -= share;
            // Rounding may leave a crumb after the last share.
            last = Some(index);
        }
    }
    last
}

/// Weights come validated; whatever else arrives takes no traffic instead of poisoning the sum.
fn sane(weight: f64) -> f64 {
    if weight.is_finite() && weight > 0.0 { weight } else { 0.0 }
}

/// Chooses the least of `loads`, ties by `random`. `None` in `loads` is an instance that may not be chosen.
///
/// Each load is looked at once: other threads change them meanwhile, so what was the least is not found a second time.
pub(crate) fn least(loads: impl Iterator<Item = Option<u64>>, random: u64) -> Option<usize> {
    let mut random = fastrand::Rng::with_seed(random);
    let mut chosen: Option<(usize, u64)> = None;
    let mut ties = 1_u64;
    for (index, load) in loads.enumerate() {
        let Some(load) = load else { continue };
        match chosen {
            Some((_, least)) if load > least => {}
            Some((_, least)) if load == least => {
                // The n-th of equals takes the place with probability 1/n, which leaves all of them equally likely.
                ties += 1;
                if random.u64(..ties) == 0 {
                    chosen = Some((index, load));
                }
            }
            Some(_) | None => (chosen, ties) = (Some((index, load)), 1),
        }
    }
    chosen.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ready(weights: &[f64]) -> Vec<Candidate> {
        weights.iter().map(|weight| Candidate { weight: *weight, ready: true }).collect()
    }

    fn shares(candidates: &[Candidate], draws: u32) -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut counts = vec![0_u32; candidates.len()];
        for _ in 0..draws {
            if let Some(index) = weighted(candidates.iter().copied(), random.f64()) {
                counts[index] += 1;
            }
        }
        counts.into_iter().map(|count| f64::from(count) / f64::from(draws)).collect()
    }

    #[test]
    fn traffic_follows_the_weights() {
        let table: &[(&[f64], &[f64])] = &[
            (&[1.0], &[1.0]),
            (&[1.0, 3.0], &[0.25, 0.75]),
            (&[0.1, 0.2, 0.7], &[0.1, 0.2, 0.7]),
            (&[0.0, 1.0], &[0.0, 1.0]),
            (&[0.0, 0.0], &[0.5, 0.5]),
            (&[f64::MAX, f64::MAX], &[0.5, 0.5]),
            (&[f64::NAN, 2.0, -1.0], &[0.0, 1.0, 0.0]),
        ];
        for (weights, expected) in table {
            for (share, expected) in shares(&ready(weights), 40_000).into_iter().zip(*expected) {
                // Four standard deviations of the widest binomial share.
                assert!(
                    (share - expected).abs() < 0.01,
                    "{weights:?}: {share} instead of {expected}"
                );
            }
        }
    }

    #[test]
    fn a_variant_that_is_not_ready_leaves_its_share_to_the_others() {
        let mut candidates = ready(&[1.0, 1.0, 2.0]);
        candidates[2].ready = false;
        let shares = shares(&candidates, 40_000);
        assert!((shares[0] - 0.5).abs() < 0.01 && shares[2] == 0.0, "{shares:?}");
    }

    #[test]
    fn weight_zero_gets_nothing_even_if_nobody_else_is_ready() {
        let mut candidates = ready(&[0.0, 1.0]);
        candidates[1].ready = false;
        assert_eq!(weighted(candidates.into_iter(), 0.5), None);
    }

    #[test]
    fn ties_are_broken_evenly() {
        let loads = [Some(3), Some(1), None, Some(1)];
        let mut random = fastrand::Rng::with_seed(3);
        let mut counts = [0; 4];
        for _ in 0..10_000 {
            counts[least(loads.into_iter(), random.u64(..)).unwrap()] += 1;
        }
        assert_eq!((counts[0], counts[2]), (0, 0));
        assert!(i32::abs(counts[1] - counts[3]) < 400, "{counts:?}");
    }

    proptest! {
        #[test]
        fn only_what_is_ready_is_ever_chosen(
            raw in proptest::collection::vec((any::<f64>(), any::<bool>()), 0..12),
            unit in 0.0..1.0_f64,
        ) {
            let candidates = raw.iter().map(|(weight, ready)| Candidate { weight: *weight, ready: *ready });
            if let Some(index) = weighted(candidates, unit) {
                prop_assert!(raw[index].1);
            }
        }

        #[test]
        fn the_least_loaded_is_chosen_whenever_there_is_one(
            loads in proptest::collection::vec(any::<Option<u8>>(), 0..12),
            random: u64,
        ) {
            let loads: Vec<_> = loads.into_iter().map(|load| load.map(u64::from)).collect();
            let chosen = least(loads.iter().copied(), random);
            prop_assert_eq!(chosen.map(|index| loads[index]), loads.iter().flatten().min().map(|load| Some(*load)));
        }
    }
}
