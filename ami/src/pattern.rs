//! Names that are meant by a pattern: the whole name, `*` for any part of it. A pattern that is
//! open at both ends means every name with a word in it (`*test*` is `my-testimonials` too), and
//! is refused: what is removed by its name must be called what was meant.

use std::str::FromStr;

/// The fewest letters that stand at an end that is not open.
const FEWEST: usize = 3;

/// A pattern that says too little.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{pattern}' would mean too many names: it must begin or end with {FEWEST} letters or more, as 'test-*' or '*-test' do"
)]
pub struct PatternError {
    /// The pattern.
    pattern: String,
}

/// A pattern for whole names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let first = text.split('*').next().unwrap_or_default();
        let last = text.rsplit('*').next().unwrap_or_default();
        if first.chars().count() < FEWEST && last.chars().count() < FEWEST {
            return Err(PatternError { pattern: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }
}

impl Pattern {
    /// Whether the whole name is meant.
    pub fn matches(&self, name: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut name) = name.strip_prefix(first) else { return false };
        let mut parts: Vec<_> = rest.split('*').collect();
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            match name.find(part) {
                Some(at) => name = &name[at + part.len()..],
                None => return false,
            }
        }
        name.ends_with(last)
    }

    /// The pattern as it was given.
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_whole_names() {
        for (pattern, name, is_meant) in [
            ("web-test", "web-test", true),
            ("web-test", "web-test-2", false),
            ("test-*", "test-web", true),
            ("test-*", "latest-web", false),
            ("*-test", "web-test", true),
            ("*-test", "db-test-results", false),
            ("web-*-test", "web-test", false),
            ("web-*-test", "web-1-test", true),
            ("web-*-x-*-test", "web-a-x-b-test", true),
            ("aba*aba", "aba", false),
            ("aba*aba", "abaaba", true),
        ] {
            let pattern: Pattern = pattern.parse().expect("a pattern");
            assert_eq!(pattern.matches(name), is_meant, "{} {name}", pattern.text());
        }
    }

    #[test]
    fn a_bare_substring_is_refused() {
        for pattern in ["*", "", "*test*", "*-test-*", "a*", "*a", "**"] {
            assert!(pattern.parse::<Pattern>().is_err(), "{pattern}");
        }
    }
}
