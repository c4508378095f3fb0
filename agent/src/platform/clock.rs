//! The wall clock as text and numbers. Durations are measured elsewhere, on
//! the monotonic clock; this is only for what people and receivers read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The present as RFC 3339 in UTC with milliseconds: `2026-11-22T10:00:00.000Z`.
pub fn now_text() -> String {
    text(SystemTime::now())
}

/// A moment as RFC 3339 in UTC with milliseconds.
pub fn text(moment: SystemTime) -> String {
    humantime::format_rfc3339_millis(moment).to_string()
}

/// Milliseconds since 1970; a clock that stands before 1970 gives 0.
pub fn unix_ms(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Nanoseconds since 1970; a clock that stands before 1970 gives 0.
pub fn unix_ns(moment: SystemTime) -> u64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A duration in milliseconds with microsecond precision, as reports show it.
pub fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
