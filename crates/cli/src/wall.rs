//! The wall clock, for signatures and for ages of servers that do not tell their time.

use std::time::SystemTime;

/// Milliseconds since the Unix epoch.
pub(crate) fn now_millis() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a client signs with the wall's time; this is where it enters"
    )]
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds since the Unix epoch.
pub(crate) fn now_secs() -> i64 {
    now_millis().div_euclid(1000)
}
