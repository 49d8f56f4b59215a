//! When an instance that keeps failing is left out, for how long, and when it gets one more chance: pure rules.
//!
//! No clock and nothing shared: `gate` keeps the record of its instance, and time is an argument, in milliseconds since
//! whenever the owner counts from. What a failure is, `forward` decides.

use std::time::Duration;

/// Failures without a good answer between, after which an instance is left out. A request that fails wherever it goes
/// makes one; a client that sends it again and again is why only some instances may be out at once.
const FAILURES_MAX: u8 = 5;

/// How long an instance is out the first time: about what a model server takes that starts again by itself.
const OUT_MIN: Duration = Duration::from_secs(1);

/// The longest that an instance is out before it gets another chance; a client's patience is of that order.
const OUT_MAX: Duration = Duration::from_secs(30);

/// How long an instance gets nothing new after a connection to it broke off. A process that ends closes its connections
/// before the socket that it listens on: a request that connects between the two would be lost with it.
pub(crate) const REST: Duration = Duration::from_millis(20);

/// The bits of the packed record that hold a time: 8,900 years in milliseconds.
const TIME_BITS: u32 = 48;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;

/// How many of a variant's instances may be out at once: half of them, so that requests which fail wherever they go
/// cannot take the variant away, and none of one.
pub(crate) fn out_max(instances: usize) -> usize {
    instances / 2
}

/// What is known of an instance's last answers. Good ones leave no trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Record {
    /// In a row, while it is not out.
    failures: u8,
    /// How often it was put out without a good answer since.
    ejections: u8,
    /// Until when it is out, if it was put out.
    until: u64,
}

impl Record {
    pub(crate) fn unpack(word: u64) -> Self {
        let [failures, ejections, ..] = word.to_be_bytes();
        Self { failures, ejections, until: word & TIME_MASK }
    }

    /// As one word; 0 is an instance that has nothing against it.
    pub(crate) fn pack(self) -> u64 {
        let counts = u64::from(self.failures) << 8 | u64::from(self.ejections);
        counts << TIME_BITS | self.until.min(TIME_MASK)
    }

    /// Whether it gets no traffic.
    pub(crate) fn is_out(self, now: u64) -> bool {
        self.ejections > 0 && now < self.until
    }

    /// Whether its time is over and it has not yet had its chance.
    pub(crate) fn is_due(self, now: u64) -> bool {
        self.ejections > 0 && now >= self.until
    }

    /// It gets its chance: one request. Until that has ended it is out for all others, but for no longer than it was: a
    /// request that takes forever, or whose client goes away, is followed by another.
    #[must_use]
    pub(crate) fn on_trial(self, now: u64) -> Self {
        Self { until: now.saturating_add(self.out_millis()), ..self }
    }

    /// A request has failed there; `trial` says whether it was its chance.
    ///
    /// What else fails after an instance was put out had been sent before, or because too many others are out, and is
    /// no news.
    #[must_use]
    pub(crate) fn failed(self, now: u64, trial: bool) -> Self {
        if self.ejections > 0 && !trial {
            return self;
        }
        let failures = self.failures.saturating_add(1);
        if self.ejections == 0 && failures < FAILURES_MAX {
            return Self { failures, ..self };
        }
        Self { failures: 0, ejections: self.ejections.saturating_add(1), until: 0 }.on_trial(now)
    }

    /// How long it is out this time: doubled each time.
    pub(crate) fn out(self) -> Duration {
        let doublings = u32::from(self.ejections).saturating_sub(1);
        OUT_MIN.saturating_mul(2_u32.saturating_pow(doublings)).min(OUT_MAX)
    }

    fn out_millis(self) -> u64 {
        u64::try_from(self.out().as_millis()).unwrap_or(TIME_MASK)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        /// A request that is not a trial fails.
        Fails,
        /// The chance is taken, if it is due, and fails.
        TrialFails,
        Answers,
    }

    /// What happens when, and until when the instance is out thereafter.
    type Row<'a> = (&'a [(u64, Step)], Option<u64>);

    fn step(record: Record, now: u64, step: Step) -> Record {
        match step {
            Step::Fails => record.failed(now, false),
            Step::TrialFails if record.is_due(now) => record.on_trial(now).failed(now, true),
            Step::TrialFails => record,
            Step::Answers => Record::default(),
        }
    }

    #[test]
    fn it_is_out_after_five_failures_and_longer_each_time() {
        use Step::{Answers, Fails, TrialFails};
        let table: [Row<'_>; 9] = [
            (&[], None),
            (&[(0, Fails); 4], None),
            (&[(7, Fails); 5], Some(1007)),
            (&[(0, Fails), (0, Fails), (0, Fails), (0, Fails), (0, Answers), (0, Fails)], None),
            // Those that were under way when it was put out change nothing, early or late.
            (
                &[(0, Fails), (0, Fails), (0, Fails), (0, Fails), (0, Fails), (999, Fails)],
                Some(1000),
            ),
            (&[(0, Fails), (0, Fails), (0, Fails), (0, Fails), (0, Fails), (5000, Fails)], None),
            // Its chance comes when the time is over, and not before.
            (
                &[(0, Fails), (0, Fails), (0, Fails), (0, Fails), (0, Fails), (999, TrialFails)],
                Some(1000),
            ),
            (
                &[(0, Fails), (0, Fails), (0, Fails), (0, Fails), (0, Fails), (1000, TrialFails)],
                Some(3000),
            ),
            (&[(0, Fails), (0, Fails), (0, Fails), (0, Fails), (0, Fails), (1000, Answers)], None),
        ];
        for (steps, until) in table {
            let (mut record, mut last) = (Record::default(), 0);
            for (now, what) in steps {
                (record, last) = (step(record, *now, *what), *now);
            }
            assert_eq!(record.is_out(last).then_some(record.until), until, "{steps:?}");
        }
    }

    #[test]
    fn the_times_double_up_to_half_a_minute() {
        let mut record =
            (0..FAILURES_MAX).fold(Record::default(), |record, _| record.failed(0, false));
        let mut times = Vec::new();
        let mut now = 0;
        for _ in 0..300 {
            times.push(record.until - now);
            now = record.until;
            record = step(record, now, Step::TrialFails);
        }
        assert_eq!(times[..7], [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(times.last(), Some(&30_000), "also when the count is at its end");
    }

    #[test]
    fn of_one_none_may_be_out_and_of_more_at_most_half() {
        let table = [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (100, 50)];
        for (instances, most) in table {
            assert_eq!(out_max(instances), most, "{instances}");
        }
    }

    fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
        let what = prop_oneof![Just(Step::Fails), Just(Step::TrialFails), Just(Step::Answers)];
        // Weighted so that long rows of failures are common.
        let what = prop_oneof![6 => Just(Step::Fails), 3 => Just(Step::TrialFails), 1 => what];
        proptest::collection::vec((0..40_000_u64, what), 0..200)
    }

    proptest! {
        #[test]
        fn whatever_happens_it_gets_its_chance_in_time_and_one_good_answer_heals_it(steps in steps()) {
            let (mut record, mut now, mut in_a_row) = (Record::default(), 0, 0_u32);
            for (pause, what) in steps {
                now += pause;
                let before = record;
                record = step(record, now, what);
                prop_assert_eq!(Record::unpack(record.pack()), record);
                prop_assert!(!record.is_out(now + 30_000), "never out for longer");
                prop_assert!(!(record.is_out(now) && record.is_due(now)));
                in_a_row = if matches!(what, Step::Answers) { 0 } else { in_a_row + 1 };
                prop_assert!(in_a_row >= u32::from(FAILURES_MAX) || !record.is_out(now));
                if matches!(what, Step::Answers) {
                    prop_assert_eq!(record.pack(), 0);
                } else {
                    prop_assert!(record.until >= before.until, "a failure never shortens it");
                }
            }
        }
    }
}
