use proptest::prelude::*;

use super::*;

fn of(values: &[f64]) -> Distribution {
    let mut all = Distribution::default();
    for value in values {
        all.add(*value);
    }
    all
}

/// The value of the nearest rank, by sorting.
fn sorted(values: &[f64], rank: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let count = f64::from(u32::try_from(values.len()).unwrap());
    let mut seen = 0.0;
    let at = values.iter().position(|_| {
        seen += 1.0;
        seen >= rank / 100.0 * count - count * 1e-12
    });
    values[at.unwrap_or(values.len() - 1)]
}

#[test]
fn percentiles_of_few_values_are_exact() {
    let values: Vec<f64> = (1..=100).map(f64::from).collect();
    for (rank, expected) in
        [(0.0, 1.0), (1.0, 1.0), (50.0, 50.0), (99.0, 99.0), (99.9, 100.0), (100.0, 100.0)]
    {
        assert_eq!(of(&values).percentile(rank), Some(expected), "p{rank}");
    }
    assert_eq!(of(&[7.0]).percentile(50.0), Some(7.0));
    assert_eq!(of(&[]).percentile(50.0), None);
}

/// Section 6.2: not if any value is negative; of statistic sets only those of a single value.
#[test]
fn percentiles_are_not_told_where_cloudwatch_has_none() {
    assert_eq!(of(&[1.0, -1.0]).percentile(50.0), None);
    assert_eq!(of(&[-1.0]).percentile(50.0), None);
    let set =
        |min, max, count| Distribution::from_summary(Summary { count, sum: max * count, min, max });
    assert_eq!(set(1.0, 2.0, 3.0).percentile(50.0), None);
    assert_eq!(set(2.0, 2.0, 3.0).percentile(50.0), Some(2.0));
    assert_eq!(set(2.0, 2.0, 1.0).percentile(99.0), Some(2.0));
    let mut mixed = of(&[1.0, 5.0]);
    mixed.merge(&set(1.0, 2.0, 3.0));
    assert_eq!(mixed.percentile(50.0), None);
    mixed.add(4.0);
    assert_eq!((mixed.percentile(50.0), mixed.summary().count), (None, 6.0));
}

#[test]
fn nothing_becomes_infinite() {
    let mut all = Distribution::of(f64::MAX, 1e300);
    all.merge(&Distribution::of(f64::MAX, f64::MAX));
    all.add_many(1.0, f64::MAX);
    all.add(f64::INFINITY);
    all.add(f64::NAN);
    let Summary { count, sum, min, max } = all.summary();
    assert!([count, sum, min, max].iter().all(|number| number.is_finite()), "{all:?}");
    assert!(all.percentile(99.0).is_some_and(f64::is_finite));
    let odd = Summary { count: f64::INFINITY, sum: f64::NAN, min: f64::NAN, max: 1.0 };
    assert_eq!(Distribution::from_summary(odd), Distribution::EMPTY);
}

#[test]
fn it_stays_within_bounds_however_many_values_come() {
    let mut all = Distribution::default();
    for exponent in -1000..1000 {
        for step in 0..8 {
            all.add(2_f64.powi(exponent) * (1.0 + f64::from(step) / 8.0));
        }
    }
    let Some(Values::Rounded { buckets, .. }) = all.values() else { panic!("{all:?}") };
    assert!(buckets.len() <= BUCKETS_MAX);
    let counted: f64 = buckets.iter().map(|(_, count)| count).sum();
    assert!((counted - 16_000.0).abs() < 1.0, "{counted}");
    assert_eq!(all.percentile(100.0), Some(all.summary().max));
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        (0_u32..200).prop_map(f64::from),
        0.0..1e7_f64,
        (0.0..1.0_f64).prop_map(|value| value * 1e-6),
    ];
    prop::collection::vec(value, 1..600)
}

proptest! {
    #[test]
    fn percentiles_are_off_by_at_most_a_hundredth(values in values(), rank in 0.0..=100.0_f64) {
        let found = of(&values).percentile(rank).unwrap();
        let exact = sorted(&values, rank);
        prop_assert!((found - exact).abs() <= exact * 0.01, "{found} for {exact}");
    }

    #[test]
    fn how_it_was_merged_does_not_count(values in values(), cut in 0_usize..600) {
        let cut = cut.min(values.len());
        let (left, right) = (of(&values[..cut]), of(&values[cut..]));
        let (mut one, mut other) = (left.clone(), right.clone());
        one.merge(&right);
        other.merge(&left);
        let whole = of(&values);
        for merged in [&one, &other] {
            prop_assert_eq!(&merged.values, &whole.values);
            let (merged, whole) = (merged.summary(), whole.summary());
            prop_assert_eq!((merged.count, merged.min, merged.max), (whole.count, whole.min, whole.max));
            prop_assert!((merged.sum - whole.sum).abs() <= whole.sum * 1e-9);
        }
    }

    #[test]
    fn what_is_written_down_reads_the_same(values in values(), low in -5.0..5.0_f64) {
        let set = Distribution::from_summary(Summary { count: 2.5, sum: low, min: low, max: 6.0 });
        for distribution in [of(&values), of(&[]), set] {
            let text = serde_json::to_string(&distribution).unwrap();
            prop_assert_eq!(serde_json::from_str::<Distribution>(&text).unwrap(), distribution);
        }
    }

    #[test]
    fn any_numbers_are_borne(numbers in prop::collection::vec((any::<f64>(), any::<f64>()), 0..300), rank in any::<f64>()) {
        let mut all = Distribution::default();
        for (value, count) in numbers {
            all.add_many(value, count);
            all.merge(&Distribution::of(value, count));
        }
        let Summary { count, sum, min, max } = all.summary();
        prop_assert!([count, sum, min, max].iter().all(|number| number.is_finite()));
        prop_assert!(all.percentile(rank).is_none_or(|value| min <= value && value <= max));
    }
}
