//! What PutMetricData takes. One datum that breaks a rule makes CloudWatch
//! refuse the whole call, so everything is checked before it is sent.

use std::time::{Duration, SystemTime};

/// The most datums in a call.
pub const DATUMS: usize = 1000;

/// The most bytes in a call: a little below the service's 1 MB, for the
/// estimate is only an estimate.
pub const BYTES: usize = 900_000;

/// The most distinct values in a datum.
pub const VALUES: usize = 150;

/// The most dimensions of a metric.
pub const DIMENSIONS: usize = 30;

const LONGEST_NAME: usize = 255;
const LONGEST_VALUE: usize = 1024;

/// Whether a namespace may be used. Those that begin with `AWS/` are the
/// service's own.
pub fn is_namespace(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#:".contains(&byte);
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with("AWS/")
        && !text.starts_with(':')
}

/// Whether a dimension may have this name.
pub fn is_dimension_name(text: &str) -> bool {
    is_text(text, LONGEST_NAME) && !text.starts_with(':')
}

/// Whether a dimension may have this value.
pub fn is_dimension_value(text: &str) -> bool {
    is_text(text, LONGEST_VALUE)
}

fn is_text(text: &str, longest: usize) -> bool {
    let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    text.len() <= longest && text.bytes().all(printable) && !text.trim().is_empty()
}

/// How far back a time may be when it arrives: two weeks, and a minute for the way.
const OLDEST: Duration = Duration::from_secs(14 * 24 * 3600 - 60);

/// How far ahead a time may be when it arrives: two hours, and a minute because clocks differ.
const NEWEST: Duration = Duration::from_secs(2 * 3600 - 60);

/// Whether a time may be sent at this moment.
pub fn is_time(at: SystemTime, now: SystemTime) -> bool {
    match now.duration_since(at) {
        Ok(past) => past <= OLDEST,
        Err(ahead) => ahead.duration() <= NEWEST,
    }
}

/// A value as it is sent: three decimals, so that equal values are found to be
/// equal. Nothing where CloudWatch would refuse it.
pub fn value(value: f64) -> Option<f64> {
    let largest = 2f64.powi(360);
    if !value.is_finite() || value.abs() > largest {
        return None;
    }
    // Larger values have no third decimal worth rounding.
    let rounded = if value.abs() < 1e12 { (value * 1e3).round() / 1e3 } else { value };
    // There is one zero.
    Some(rounded + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_services_rules() {
        assert!(is_namespace("CWAgent") && is_namespace("My/App_1.x-y#z"));
        for text in ["", "AWS/EC2", ":x", "a b", "ü", &"x".repeat(256)] {
            assert!(!is_namespace(text), "{text}");
        }
        assert!(is_dimension_name("InstanceId") && is_dimension_value("a b:c"));
        assert!(is_dimension_value(&"x".repeat(1024)));
        for text in ["", " ", "ü", "a\nb", &"x".repeat(1025)] {
            assert!(!is_dimension_value(text), "{text:?}");
        }
        assert!(!is_dimension_name(":x") && !is_dimension_name(&"x".repeat(256)));
    }

    #[test]
    fn times_are_within_two_weeks_back_and_two_hours_ahead() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        assert!(
            is_time(now, now) && is_time(now - hours(335), now) && is_time(now + hours(1), now)
        );
        assert!(!is_time(now - hours(336), now) && !is_time(now + hours(2), now));
    }

    #[test]
    fn values_have_three_decimals_and_are_numbers() {
        assert_eq!(value(12.345_678), Some(12.346));
        assert_eq!(value(-0.0).map(f64::is_sign_positive), Some(true));
        assert_eq!(value(8_796_093_022_208.5), Some(8_796_093_022_208.5));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            assert_eq!(value(bad), None);
        }
    }
}
