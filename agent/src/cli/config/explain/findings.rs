//! What the report of the boot says about a key: who tried to set it and was
//! refused, what was left out, what is spelled nearly like it, and which
//! sources might have had a say.

use serde::Serialize;

use crate::config::path::KeyPath;
use crate::config::schema::NAME;
use crate::config::trust::Refused;
use crate::configure::report::{Report, SourceOutcome, SourceReport, UnknownKey};

/// What the report of the boot says about a key.
#[derive(Debug, Default, Serialize)]
pub(super) struct Findings {
    /// Who tried to set it, or something around it, and may not.
    pub(super) refused: Vec<Refused>,
    /// What was left out of the documents, one line each.
    pub(super) problems: Vec<String>,
    /// Keys that nothing reads and that may be meant for this one.
    pub(super) unknown: Vec<UnknownKey>,
    /// Sources that could not be read: they may have had a say.
    pub(super) sources: Vec<SourceReport>,
}

impl Findings {
    /// What a report says about a key, what is above and what is below it.
    pub(super) fn about(key: &KeyPath, report: &Report) -> Self {
        let related = |other: &KeyPath| other.is_within(key) || key.is_within(other);
        let refused = report.refused_keys.iter().filter(|refused| related(&refused.key));
        let meant = |unknown: &&UnknownKey| {
            unknown.key.is_within(key)
                || unknown.nearest.iter().any(|nearest| {
                    nearest.split(" or ").filter_map(KeyPath::parse).any(|near| is(key, &near))
                })
        };
        let amiss = |source: &&SourceReport| {
            use SourceOutcome::{Bad, Failed, Kept, LastGood};
            matches!(source.state, Bad | Failed | Kept | LastGood)
        };
        Self {
            refused: refused.cloned().collect(),
            problems: problems(key, &report.problems),
            unknown: report.unknown_keys.iter().filter(meant).cloned().collect(),
            sources: report.sources.iter().filter(amiss).cloned().collect(),
        }
    }
}

/// Whether a suggestion is this key; a name in it stands for any.
fn is(key: &KeyPath, near: &KeyPath) -> bool {
    let pairs = key.segments().iter().zip(near.segments());
    key.segments().len() == near.segments().len()
        && pairs.into_iter().all(|(key, near)| key == near || near == NAME)
}

/// The lines that are about a key. A line of a whole source repeats what the
/// lines of its values say.
fn problems(key: &KeyPath, lines: &[String]) -> Vec<String> {
    let about = |line: &&String| !line.contains("is not a known key") && mentions(line, key);
    let about: Vec<&String> = lines.iter().filter(about).collect();
    let repeats = |line: &String| {
        about.iter().any(|other| other.len() < line.len() && line.contains(other.as_str()))
    };
    about.iter().filter(|line| !repeats(line)).map(|line| (*line).clone()).collect()
}

/// Whether a line names a key, one below it, or is about one above it.
fn mentions(line: &str, key: &KeyPath) -> bool {
    let text = key.to_string();
    let named = line.match_indices(&text).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let mut after = line[at + text.len()..].chars();
        let begins = before.is_none_or(|char| " :'\"`(".contains(char));
        let ends = match after.next() {
            Some(':') => after.next().is_none_or(char::is_whitespace),
            Some(char) => " .,;'\"`)?=".contains(char),
            None => true,
        };
        begins && ends
    });
    let mut above = key.segments();
    let mut of_above = || {
        let (_, rest) = above.split_last()?;
        above = rest;
        let table: KeyPath = above.iter().cloned().collect();
        Some(!above.is_empty() && line.contains(&format!(": {table} ")))
    };
    text.is_empty() || named || std::iter::from_fn(&mut of_above).any(|holds| holds)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(key: &str, lines: &[&str]) -> Vec<String> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        problems(&KeyPath::parse(key).unwrap(), &lines)
    }

    #[test]
    fn a_line_is_about_the_key_that_it_names_and_about_no_other() {
        let line = "tag:gild:metrics.interval: metrics.interval = \"soon\" must be a length";
        assert_eq!(found("metrics.interval", &[line]), [line]);
        assert_eq!(found("metrics", &[line]), [line]);
        for other in ["metrics.collectors", "interval", "metrics.inter", "metrics.interval.x.y"] {
            let about_above = found(other, &[line]);
            assert!(about_above.is_empty() || other.starts_with("metrics.interval."), "{other}");
        }
        let table = "account.yaml:1: metrics must be a table; it is a text here";
        assert_eq!(found("metrics.interval", &[table]), [table]);
        let path = "/etc/gild/config.d/metrics.toml:3: vars.a must be a text";
        assert_eq!(found("metrics", &[path]), Vec::<String>::new());
    }

    #[test]
    fn a_source_that_repeats_its_values_is_left_out() {
        let line = "tag:gild:metrics.interval: metrics.interval = \"soon\" must be a length";
        let source = format!("service layer, 'tags:gild:': left out: {line}");
        assert_eq!(found("metrics.interval", &[line, &source]), [line]);
        assert_eq!(found("metrics.interval", &[&source]), [source]);
    }
}
