//! Tags, and what they say may be done with a thing.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::tag;

/// Tags, by key.
pub type Tags = BTreeMap<String, String>;

/// Why tags keep a thing; with `only_marked`, all that is not marked is kept.
pub fn opted_out(tags: &Tags, only_marked: bool) -> Option<&'static str> {
    let said = |key| tags.get(key).map(|value: &String| value.to_ascii_lowercase());
    if said(tag::SKIP_CLEAN).is_some_and(|value| value != "false") {
        return Some("amm:SkipClean");
    }
    match said(tag::CLEAN) {
        Some(value) if value != "true" => Some("amm:Clean is not true"),
        None if only_marked => Some("not marked by amm:Clean"),
        _ => None,
    }
}

/// Whether a thing is younger than the floor. What has no known age is.
pub fn is_young(created: Option<SystemTime>, now: Option<SystemTime>, floor: Duration) -> bool {
    let age = created.zip(now).and_then(|(created, now)| now.duration_since(created).ok());
    age.is_none_or(|age| age < floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opts_out_in_any_way_is_kept() {
        for (key, value, is_kept) in [
            ("amm:SkipClean", "true", true),
            ("amm:SkipClean", "TRUE", true),
            ("amm:SkipClean", "", true),
            ("amm:SkipClean", "yes", true),
            ("amm:SkipClean", "false", false),
            ("amm:Clean", "true", false),
            ("amm:Clean", "True", false),
            ("amm:Clean", "false", true),
            ("amm:Clean", "", true),
            ("Name", "amm:SkipClean", false),
        ] {
            let tags = Tags::from([(key.to_owned(), value.to_owned())]);
            assert_eq!(opted_out(&tags, false).is_some(), is_kept, "{key}={value}");
        }
        assert!(opted_out(&Tags::new(), true).is_some());
    }

    #[test]
    fn what_has_no_age_or_comes_from_the_future_is_young() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let floor = Duration::from_secs(100);
        assert!(is_young(None, Some(now), floor));
        assert!(is_young(Some(now), None, floor));
        assert!(is_young(Some(now + Duration::from_secs(5)), Some(now), Duration::ZERO));
        assert!(is_young(Some(now - Duration::from_secs(99)), Some(now), floor));
        assert!(!is_young(Some(now - floor), Some(now), floor));
    }
}
