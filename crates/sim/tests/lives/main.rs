//! Lives of a server, drawn by lot and disturbed wherever that can be: what must never happen does not, and would be seen.
//!
//! `LIVES=A..B` lives other seeds than those of CI. A violation prints its seed, what led to it, and how to see all of it.

#![expect(clippy::tests_outside_test_module, reason = "a file below tests/ is a test module")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod planted;
mod plants;

use sim::life::{Plan, live};

/// Lives of one test. Ten of them make two thousand, and share the processors.
const SEEDS: u64 = 200;

/// The seeds of the test of this number.
fn seeds(test: u64) -> std::ops::Range<u64> {
    let given = std::env::var_os("LIVES").and_then(|given| {
        let (from, to) = given.to_str()?.split_once("..")?;
        Some((from.parse::<u64>().ok()?, to.parse::<u64>().ok()?))
    });
    let (from, to) = given.unwrap_or((0, 10 * SEEDS));
    let each = (to - from).div_ceil(10);
    (from + test * each).min(to)..(from + (test + 1) * each).min(to)
}

fn lives(test: u64) {
    for seed in seeds(test) {
        let report = live(&Plan::of(seed));
        assert!(report.violation.is_none(), "{report}");
    }
}

macro_rules! lives {
    ($($name:ident = $test:literal),+ $(,)?) => {
        $(#[test]
        fn $name() {
            lives($test);
        })+
    };
}

lives! {
    no_life_breaks_a_promise = 0,
    nor_does_one_of_the_second_lot = 1,
    nor_of_the_third = 2,
    nor_of_the_fourth = 3,
    nor_of_the_fifth = 4,
    nor_of_the_sixth = 5,
    nor_of_the_seventh = 6,
    nor_of_the_eighth = 7,
    nor_of_the_ninth = 8,
    nor_of_the_last = 9,
}

#[test]
fn a_seed_is_one_life_and_another_seed_another() {
    for seed in 0..10 {
        let told = |seed| {
            let report = live(&Plan { whole: true, ..Plan::of(seed) });
            (report.lines.join("\n"), report.digest)
        };
        let (one, again, other) = (told(seed), told(seed), told(seed + 1));
        assert!(one == again, "seed {seed} has led to two lives");
        assert!(one.0 != other.0 && one.1 != other.1, "two seeds have led to one life");
    }
}

/// What lives are there for happens, and often.
#[test]
fn lives_are_eventful() {
    let mut sums = std::collections::BTreeMap::new();
    for seed in 0..60 {
        for (what, count) in live(&Plan::of(seed)).counts {
            *sums.entry(what).or_insert(0) += count;
        }
    }
    for (what, least) in [
        ("bakes", 40),
        ("batches", 5),
        ("calls accepted", 1000),
        ("calls refused", 400),
        ("clock jumps", 50),
        ("crashes", 50),
        ("decisions", 1500),
        ("failed writes", 50),
        ("hangs", 40),
        ("late answers", 50),
        ("lost answers", 40),
        ("requests", 150),
        ("restarts", 90),
        ("rollbacks", 10),
    ] {
        let found = sums.get(what).copied().unwrap_or(0_u64);
        assert!(found >= least, "only {found} {what} in sixty lives: {sums:?}");
    }
}
