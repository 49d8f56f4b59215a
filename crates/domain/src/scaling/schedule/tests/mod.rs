mod occurrences;
mod refusals;
mod timing;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<Instant>().unwrap().as_millisecond())
}

fn show(timestamp: Timestamp) -> String {
    Instant::from_millisecond(timestamp.as_millis()).unwrap().to_string()
}

/// The first `count` occurrences after an instant, of an action made then.
fn following(schedule: &Schedule, after: Timestamp, count: usize) -> Vec<Timestamp> {
    let next = |at: &Timestamp| schedule.next_after(*at, after, None, None);
    std::iter::successors(next(&after), next).take(count).collect()
}
