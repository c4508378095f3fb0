//! Which version is newer: semantic versions (semver.org, section 11) with a leading `v`, and
//! with fewer or more numbers than three.

use std::cmp::Ordering;
use std::fmt;

use semver::Prerelease;

/// A version: numbers, and a pre-release that comes before them. Build metadata is passed over.
#[derive(Debug, Clone)]
pub struct Version {
    numbers: Vec<u64>,
    pre: Prerelease,
    text: String,
}

impl Version {
    /// Reads a version; `None` where the text is none, such as `test-workflow`.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let bare = bare.split_once('+').map_or(bare, |(bare, _)| bare);
        let (numbers, pre) = bare.split_once('-').unwrap_or((bare, ""));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        let numbers = numbers.split('.').map(|part| is_number(part).then(|| part.parse().ok())?);
        let mut numbers = numbers.collect::<Option<Vec<u64>>>()?;
        // 1.2 and 1.2.0 are the same.
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self { numbers, pre: Prerelease::new(pre).ok()?, text: text.to_owned() })
    }
}

impl Version {
    /// Whether it comes before a version, as `1.2.0-CR1` does.
    pub fn is_pre_release(&self) -> bool {
        !self.pre.is_empty()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| self.pre.cmp(&other.pre))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_semver() {
        let ordered = [
            "0.9",
            "1.0.0-CR1",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0",
            "1.0.0.1",
            "v1.0.1",
            "1.2.9",
            "1.2.10",
            "10.0",
        ];
        let versions: Vec<_> = ordered.iter().filter_map(|text| Version::parse(text)).collect();
        assert_eq!(versions.len(), ordered.len());
        assert!(versions.is_sorted_by(|before, after| before < after), "{versions:?}");
    }

    #[test]
    fn the_same_version_is_told_in_several_ways() {
        for text in ["1.2", "v1.2.0", "1.2.0+build.7", "1.2.0.0"] {
            assert_eq!(Version::parse(text), Version::parse("1.2.0"), "{text}");
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "v", "test-workflow", "1..2", "1.x", "latest", "1.2.3-", "-1", "1.2-a..b"]
        {
            let found = Version::parse(text);
            assert!(found.is_none() || text == "1.2.3-", "{text}: {found:?}");
        }
    }
}
