//! Patterns of key paths. A pattern is a dotted path whose keys may end in `*`,
//! which stands for whatever follows; it covers everything below what it names.

use crate::config::path::KeyPath;

/// Whether the path is what the pattern names, or below it.
pub(super) fn covers(pattern: &str, path: &KeyPath) -> bool {
    let (agree, length) = matching(pattern, path);
    agree == length
}

/// Whether the path is what the pattern names, below it, or above it.
pub(super) fn touches(pattern: &str, path: &KeyPath) -> bool {
    let (agree, length) = matching(pattern, path);
    agree == length.min(path.segments().len())
}

/// How many keys agree, and how many the pattern has.
fn matching(pattern: &str, path: &KeyPath) -> (usize, usize) {
    let pattern: Vec<&str> = pattern.split('.').collect();
    let fits = |want: &str, have: &str| match want.strip_suffix('*') {
        Some(start) => have.starts_with(start),
        None => have == want,
    };
    let agree =
        pattern.iter().zip(path.segments()).take_while(|(want, have)| fits(want, have)).count();
    (agree, pattern.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_names_and_what_is_below() {
        let path = |text: &str| KeyPath::parse(text).unwrap();
        for (pattern, text, covered, touched) in [
            ("a.b", "a.b", true, true),
            ("a.b", "a.b.c", true, true),
            ("a.b", "a", false, true),
            ("a.b", "", false, true),
            ("a.b", "a.bc", false, false),
            ("a.*.c", "a.x.c", true, true),
            ("a.*.c", "a.x.d", false, false),
            ("a.b_*", "a.b_x", true, true),
            ("a.b_*", "a.b", false, false),
        ] {
            assert_eq!(covers(pattern, &path(text)), covered, "{pattern} {text}");
            assert_eq!(touches(pattern, &path(text)), touched, "{pattern} {text}");
        }
    }
}
