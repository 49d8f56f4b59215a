//! From civil time to instants. A civil time that a zone skips moves forward by what is skipped; one that it has twice
//! means the earlier. So no occurrence is lost in spring or comes twice in autumn.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp as Instant};

use super::cron::Cron;

/// The longest step that a zone's clocks have made since 1970 is a day: Samoa and Kwajalein changed sides of the date
/// line.
const STEP_MAX: SignedDuration = SignedDuration::from_hours(25);

/// Compiled in: the domain reads no file, and the same expression means the same everywhere.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone by its IANA name, spelled as in the database.
pub(super) fn named(name: &str) -> Option<TimeZone> {
    let zone = ZONES.get(name).ok()?;
    // The database finds names without regard to case, and has placeholders that are no place's time.
    (zone.iana_name() == Some(name) && !matches!(name, "Etc/Unknown" | "Factory")).then_some(zone)
}

/// When a civil time is; none beyond the calendar.
pub(super) fn instant(zone: &TimeZone, civil: DateTime) -> Option<Instant> {
    zone.to_ambiguous_timestamp(civil).compatible().ok()
}

/// A step of a zone's clocks.
struct Step {
    at: Instant,
    before: Offset,
    after: Offset,
}

/// The first occurrence strictly after `after`.
///
/// Instants follow the order of civil times but for the times that a step forward skips, which come back among those
/// right after it. So both are searched: the times on the clock, and the skipped ones where their shadow lies ahead.
pub(super) fn next(zone: &TimeZone, cron: &Cron, after: Instant) -> Option<Instant> {
    let mut from = minute_after(zone.to_datetime(after))?;
    let mut skipped = None;
    if let Some(Step { at, before, after: now }) = step_before(zone, after) {
        if before < now {
            skipped = minute_after(before.to_datetime(after))
                .and_then(|from| cron.next(from))
                .filter(|civil| *civil < now.to_datetime(at))
                .and_then(|civil| before.to_timestamp(civil).ok());
        } else {
            // What the clocks show a second time is done with.
            from = from.max(before.to_datetime(at));
        }
    }
    let on_the_clock = cron.next(from).and_then(|civil| {
        let first = instant(zone, civil)?;
        let later = gap_end(zone, civil, first)
            .and_then(|end| cron.next(end))
            .and_then(|civil| instant(zone, civil));
        Some(later.map_or(first, |later| first.min(later)))
    });
    skipped.into_iter().chain(on_the_clock).min()
}

/// Where the clocks go on if they skip `civil`, which became `moved`.
fn gap_end(zone: &TimeZone, civil: DateTime, moved: Instant) -> Option<DateTime> {
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Gap { .. } => {
            step_before(zone, moved).map(|step| step.after.to_datetime(step.at))
        }
        _ => None,
    }
}

/// The latest step that is not after `instant` and near enough to matter for it.
fn step_before(zone: &TimeZone, instant: Instant) -> Option<Step> {
    let nanosecond = SignedDuration::from_nanos(1);
    let earliest = instant.checked_sub(STEP_MAX).unwrap_or(Instant::MIN);
    zone.preceding(instant.checked_add(nanosecond).unwrap_or(instant))
        .take_while(|change| change.timestamp() > earliest)
        .filter_map(|change| {
            let at = change.timestamp();
            let before = zone.to_offset(at.checked_sub(nanosecond).ok()?);
            Some(Step { at, before, after: change.offset() })
        })
        .find(|step| step.before != step.after)
}

/// The first full minute after a civil time.
fn minute_after(civil: DateTime) -> Option<DateTime> {
    civil
        .with()
        .second(0)
        .subsec_nanosecond(0)
        .build()
        .ok()?
        .checked_add(SignedDuration::from_mins(1))
        .ok()
}
