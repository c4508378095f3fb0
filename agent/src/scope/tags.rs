//! `tags:PREFIX`: the instance's tags. Prefix and dotted key path are the
//! tag's key; the value is read by what the key holds. `import` gives tags
//! without the prefix a key of their own.
//!
//! Values are hostile input: they become values of configuration and nothing
//! else, each a layer of its own, so that its origin names the tag.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Duration, Instant, sleep};

use super::text::{Found, Text};
use crate::config::KeyPath;
use crate::config::Settings;
use crate::config::schema::{Setting, Shape};
use crate::identity::error::ImdsError;
use crate::identity::imds::{Imds, WantedTags};

/// How often late tags are looked for.
const STEP: Duration = Duration::from_millis(250);

/// Tags that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TagsError {
    /// The metadata service did not give them.
    #[error("the metadata service did not give them")]
    Imds(#[source] ImdsError),
    /// The tags could not be read when the instance's identity was.
    #[error("{0}")]
    Earlier(String),
    /// Tags are required that never came.
    #[error("required and not there after {}: {}", humantime::format_duration(*.waited),
        .missing.join(", "))]
    Missing {
        /// The tags.
        missing: Vec<String>,
        /// How long they were waited for.
        waited: Duration,
    },
    /// A tag's key is not the prefix and a key path.
    #[error(
        "the tag '{tag}' does not name a key: after the prefix there must be a dotted path \
        of letters, digits, '_' and '-'"
    )]
    Key {
        /// The tag.
        tag: String,
    },
    /// A tag's value is not what its key holds.
    #[error("the tag '{tag}' must be {expected}")]
    Value {
        /// The tag.
        tag: String,
        /// What would be right.
        expected: String,
    },
}

/// What one scope says about its tags.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The prefix.
    pub prefix: &'a str,
    /// Tags without the prefix, and their keys.
    pub import: &'a BTreeMap<String, String>,
    /// Tags that must be there, with or without the prefix.
    pub require: &'a [String],
}

impl Rules<'_> {
    fn missing(&self, tags: &BTreeMap<String, String>) -> Vec<String> {
        let there = |key: &String| {
            tags.contains_key(key) || tags.contains_key(&format!("{}{key}", self.prefix))
        };
        self.require.iter().filter(|key| !there(key)).cloned().collect()
    }

    /// The tags as texts, in the order of their keys.
    pub fn read(&self, tags: &BTreeMap<String, String>) -> Result<Found, TagsError> {
        let shape = Settings::shape();
        let mut texts = Vec::new();
        // What is imported is weaker than what names a key itself.
        for (tag, target) in self.import {
            let Some(value) = tags.get(tag) else { continue };
            let path = KeyPath::parse(target).ok_or_else(|| key_error(target))?;
            texts.push(leaf(tag, &path, value, &shape)?);
        }
        for (tag, value) in tags {
            let Some(rest) = tag.strip_prefix(self.prefix) else { continue };
            if rest == "unset" {
                let keys = value.split(',').map(str::trim).filter(|key| !key.is_empty());
                let path = KeyPath::root().child("unset");
                texts.push(Text::of_value(format!("tag:{tag}"), None, &path, keys.collect()));
                continue;
            }
            let path = key_path(rest).ok_or_else(|| key_error(tag))?;
            texts.push(leaf(tag, &path, value, &shape)?);
        }
        Ok(if texts.is_empty() { Found::Absent } else { Found::Texts(texts) })
    }
}

fn key_error(tag: &str) -> TagsError {
    TagsError::Key { tag: tag.escape_debug().to_string() }
}

fn key_path(text: &str) -> Option<KeyPath> {
    let fine = |segment: &str| {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        !segment.is_empty() && segment.chars().all(bare)
    };
    text.split('.').all(fine).then(|| text.split('.').collect())
}

fn leaf(tag: &str, path: &KeyPath, value: &str, shape: &Shape) -> Result<Text, TagsError> {
    // A key that nothing reads is a text, and is reported as unknown later.
    let shape = shape.at(path.segments()).unwrap_or(Shape::Text);
    let value: Value = shape
        .parse_text(value)
        .map_err(|expected| TagsError::Value { tag: tag.escape_debug().to_string(), expected })?;
    Ok(Text::of_value(format!("tag:{tag}"), None, path, value))
}

/// The tags of this instance, kept where late ones can be added.
#[derive(Debug)]
pub struct TagStore {
    imds: Option<Mutex<Imds>>,
    wanted: WantedTags,
    known: Mutex<Result<BTreeMap<String, String>, String>>,
}

impl TagStore {
    /// The tags as they were read with the identity: `Err` where that failed.
    pub fn new(
        imds: Option<Imds>,
        wanted: WantedTags,
        known: Result<BTreeMap<String, String>, String>,
    ) -> Self {
        Self { imds: imds.map(Mutex::new), wanted, known: Mutex::new(known) }
    }

    /// The tags that are known by now.
    pub async fn known(&self) -> BTreeMap<String, String> {
        self.known.lock().await.clone().unwrap_or_default()
    }

    /// Reads the tags by `rules`, after waiting until `deadline` at most for
    /// those that must be there.
    pub async fn read(&self, rules: &Rules<'_>, deadline: Instant) -> Result<Found, TagsError> {
        let start = Instant::now();
        let mut known = self.known.lock().await;
        loop {
            let missing = match &*known {
                Ok(tags) => rules.missing(tags),
                Err(text) => return Err(TagsError::Earlier(text.clone())),
            };
            if missing.is_empty() {
                break;
            }
            let late = Instant::now() + STEP >= deadline;
            let Some(imds) = self.imds.as_ref().filter(|_| !late) else {
                return Err(TagsError::Missing {
                    missing,
                    waited: Duration::from_millis(start.elapsed().as_millis() as u64),
                });
            };
            sleep(STEP).await;
            let fresh = imds.lock().await.tags(&self.wanted, deadline).await;
            *known = Ok(fresh.map_err(TagsError::Imds)?.unwrap_or_default());
        }
        let tags = known.clone().unwrap_or_default();
        drop(known);
        rules.read(&tags)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(tags: &[(&str, &str)], import: &[(&str, &str)]) -> Result<Vec<String>, TagsError> {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let rules = Rules { prefix: "gild:", import: &map(import), require: &[] };
        Ok(match rules.read(&map(tags))? {
            Found::Texts(texts) => {
                texts.into_iter().map(|text| String::from_utf8(text.body).unwrap()).collect()
            }
            _ => Vec::new(),
        })
    }

    #[test]
    fn values_are_typed_by_their_keys() {
        let tags = [
            ("gild:configuration.tags", r#"["a","b"]"#),
            ("gild:metrics.interval", "30s"),
            ("gild:sink.cw.max_metrics", "5"),
            ("gild:vars.port", "8080"),
            ("Name", "not ours"),
        ];
        assert_eq!(
            read(&tags, &[]).unwrap(),
            [
                r#"{"configuration":{"tags":["a","b"]}}"#,
                r#"{"metrics":{"interval":"30s"}}"#,
                r#"{"sink":{"cw":{"max_metrics":5}}}"#,
                r#"{"vars":{"port":"8080"}}"#,
            ]
        );
    }

    #[test]
    fn imports_and_removals_are_read() {
        let tags = [("Name", "web\n$(id) {{ x }}"), ("gild:unset", "sink.a, vars.b")];
        assert_eq!(
            read(&tags, &[("Name", "vars.name"), ("absent", "vars.x")]).unwrap(),
            [r#"{"vars":{"name":"web\n$(id) {{ x }}"}}"#, r#"{"unset":["sink.a","vars.b"]}"#]
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (key, value, named) in [
            ("gild:", "x", "'gild:'"),
            ("gild:a..b", "x", "'gild:a..b'"),
            ("gild:a/b", "x", "'gild:a/b'"),
            ("gild:configuration.tags", "a,b", "written as JSON"),
            ("gild:sink.cw.max_metrics", "-1", "a whole number"),
        ] {
            let error = read(&[(key, value)], &[]).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_value_in_vars_arrives_as_it_is(value in any::<String>()) {
            let texts = read(&[("gild:vars.x", &value)], &[]).unwrap();
            let whole: Value = serde_json::from_str(&texts[0]).unwrap();
            prop_assert_eq!(whole["vars"]["x"].as_str().unwrap(), value);
        }

        #[test]
        fn no_key_is_too_odd(key in ".{0,40}", value in ".{0,40}") {
            let _ = read(&[(&format!("gild:{key}"), &value)], &[]);
        }
    }
}
