//! Schedule expressions, and when they run.

use domain::scaling::schedule::Schedule;
use domain::time::Timestamp;

/// An expression; behind a line break, a time zone.
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (text, zone) =
        text.split_once('\n').map_or((text, None), |(text, zone)| (text, Some(zone)));
    let Ok(schedule) = Schedule::parse(text, zone) else { return };
    let mut after = Timestamp::from_millis(1_790_000_000_000);
    for _ in 0..8 {
        let Some(next) = schedule.next_after(after, Timestamp::default(), None, None) else {
            return;
        };
        assert!(next > after, "{text}: {next:?} is not after {after:?}");
        after = next;
    }
}
