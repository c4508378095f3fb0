//! `tags:PREFIX`: the instance's tags. Prefix and dotted key path are the
//! tag's key; the value is read by what the key holds. `import` gives tags
//! without the prefix a key of their own.
//!
//! Values are hostile input: they become values of configuration and nothing
//! else, each a layer of its own, so that its origin names the tag.

use std::collections::BTreeMap;
use std::time::Duration;

use super::aws::NoRegion;
use super::text::Found;
use super::units::Gatherer;
use crate::config::KeyPath;
use crate::identity::autoscaling::GroupError;
use crate::identity::error::ImdsError;
use crate::platform::retry::{Retryable, Verdict};

/// What is wrong with a tag that is not the prefix and a key path.
const NO_KEY: &str = "does not name a key: after the prefix there must be a dotted path of \
     letters, digits, '_' and '-'";

/// Tags that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TagsError {
    /// The metadata service did not give them.
    #[error("the metadata service did not give them")]
    Imds(#[source] ImdsError),
    /// Neither the metadata nor the Auto Scaling API has them.
    #[error(
        "the metadata does not hold them, and the Auto Scaling API did not give those of the group; \
         either allow tags in the instance's metadata, or allow its role \
         autoscaling:DescribeAutoScalingInstances and autoscaling:DescribeTags"
    )]
    Group(#[source] GroupFault),
    /// They could not be read when they were first asked for.
    #[error("{text}")]
    Earlier {
        /// Why.
        text: String,
        /// Whether this instance may not read them.
        denied: bool,
    },
    /// Tags are required that never came.
    #[error("required and not there after {}: {}", humantime::format_duration(*.waited),
        .missing.join(", "))]
    Missing {
        /// The tags.
        missing: Vec<String>,
        /// How long they were waited for.
        waited: Duration,
    },
}

/// One attempt at the tags of the group that failed.
#[derive(Debug, thiserror::Error)]
pub enum GroupFault {
    /// The API did not give them.
    #[error(transparent)]
    Api(#[from] GroupError),
    /// Nobody says which region to ask.
    #[error(transparent)]
    Region(#[from] NoRegion),
    /// It took too long.
    #[error("no complete answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
}

impl GroupFault {
    /// Whether this instance may not ask.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self, GroupFault::Api(error) if error.is_denied())
    }
}

impl Retryable for GroupFault {
    fn verdict(&self) -> Verdict {
        match self {
            GroupFault::Api(error) => error.verdict(),
            GroupFault::Region(_) => Verdict::Permanent,
            GroupFault::Timeout(_) => Verdict::Transient,
        }
    }
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
    /// The tags that must be there and are not.
    pub(super) fn missing(&self, tags: &BTreeMap<String, String>) -> Vec<String> {
        let there = |key: &String| {
            tags.contains_key(key) || tags.contains_key(&format!("{}{key}", self.prefix))
        };
        self.require.iter().filter(|key| !there(key)).cloned().collect()
    }

    /// The tags as values, in the order of their keys.
    pub fn read(&self, tags: &BTreeMap<String, String>) -> Found {
        let mut gatherer = Gatherer::new(None);
        // What is imported is weaker than what names a key itself.
        for (tag, target) in self.import {
            let Some(value) = tags.get(tag) else { continue };
            let name = format!("tag:{tag}");
            match KeyPath::parse(target).filter(|path| *path != KeyPath::root()) {
                Some(path) => gatherer.spelled(&name, None, &path, value),
                None => gatherer.leave_out(
                    &name,
                    None,
                    format!("is imported as {target:?}, which is not a key such as vars.name"),
                ),
            }
        }
        for (tag, value) in tags {
            let Some(rest) = tag.strip_prefix(self.prefix) else { continue };
            let name = format!("tag:{tag}");
            match key_path(rest) {
                Some(path) => gatherer.spelled(&name, None, &path, value),
                None => gatherer.leave_out(&name, None, NO_KEY.to_owned()),
            }
        }
        gatherer.found()
    }
}

fn key_path(text: &str) -> Option<KeyPath> {
    let fine = |segment: &str| {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        !segment.is_empty() && segment.chars().all(bare)
    };
    text.split('.').all(fine).then(|| text.split('.').collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::config::LayerName;
    use crate::configure::report::SourceOutcome;
    use crate::scope::answer::layers;
    use crate::scope::arrived::Arrived;
    use crate::scope::settle::{Terms, settle};
    use crate::scope::units::Units;

    fn units(tags: &[(&str, &str)], import: &[(&str, &str)]) -> Units {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let rules = Rules { prefix: "gild:", import: &map(import), require: &[] };
        match rules.read(&map(tags)) {
            Found::Units(units) => units,
            _ => Units::default(),
        }
    }

    fn read(tags: &[(&str, &str)], import: &[(&str, &str)]) -> Vec<String> {
        let units = units(tags, import);
        assert_eq!(units.left_out, []);
        units.texts.into_iter().map(|text| String::from_utf8(text.body).unwrap()).collect()
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
            read(&tags, &[]),
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
            read(&tags, &[("Name", "vars.name"), ("absent", "vars.x")]),
            [r#"{"vars":{"name":"web\n$(id) {{ x }}"}}"#, r#"{"unset":["sink.a","vars.b"]}"#]
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_and_left_out_alone() {
        let good = ("gild:vars.good", "x");
        for (key, value, source, why) in [
            ("gild:", "x", "tag:gild:", "does not name a key"),
            ("gild:a..b", "x", "tag:gild:a..b", "does not name a key"),
            ("gild:a/\n", "x", "tag:gild:a/\\n", "does not name a key"),
            ("gild:unset", "a..b", "tag:gild:unset", "key paths"),
            ("gild:metrics.collectors", "a,b", "tag:gild:metrics.collectors", "written as JSON"),
            ("gild:metrics.collectors", "[null]", "tag:gild:metrics.collectors", "no value"),
            (
                "gild:service.web.fail_after",
                "-1",
                "tag:gild:service.web.fail_after",
                "whole number",
            ),
            ("Name", "x", "tag:Name", "is imported as"),
        ] {
            let units = units(&[(key, value), good], &[("Name", "a..b")]);
            assert_eq!(units.texts.len(), 1, "{key}");
            assert_eq!(units.texts[0].name, "tag:gild:vars.good");
            let text = units.left_out[0].to_string();
            assert!(text.starts_with(source) && text.contains(why), "{text}");
        }
    }

    /// A tag cannot be a value and a table at once: the one that is read later
    /// gives way, and the finding names both.
    #[test]
    fn a_tag_below_another_tag_is_a_conflict_that_names_both() {
        for (key, below) in [("gild:a", "gild:a.b"), ("gild:vars.a", "gild:vars.a.b.c")] {
            let units = units(&[(below, "2"), (key, "1"), ("gild:vars.z", "3")], &[]);
            let mut arrived = Arrived::nothing(LayerName::Service, "tags:gild:");
            arrived.report.state = SourceOutcome::Fetched;
            arrived.apart = true;
            arrived.layers = layers(&units.texts, LayerName::Service, None, false).unwrap();
            let mut sources = [arrived];
            let settled = settle(&mut sources, &Terms::default()).unwrap();
            let [arrived] = &sources;
            assert_eq!(arrived.layers.len(), 2, "{key}");
            let vars = settled.settings.vars.0;
            assert_eq!(vars["z"], "3");
            assert!(vars.get("a").is_none_or(|kept| kept == "1"), "{vars:?}");
            let [finding] = arrived.problems.as_slice() else { panic!("{:?}", arrived.problems) };
            assert_eq!(finding.source, format!("tag:{below}"));
            let named = format!("a text in service tag:{key}");
            assert!(finding.message.contains(&named), "{finding}");
            let error = arrived.report.error.as_ref().unwrap();
            assert!(error.contains(&named) && error.contains(&format!("tag:{below}")), "{error}");
        }
    }

    #[test]
    fn a_tag_may_make_keys_final() {
        let body = [r#"{"final":["sink.a","vars.b"]}"#];
        assert_eq!(read(&[("gild:final", "sink.a, vars.b")], &[]), body);
    }

    proptest! {
        #[test]
        fn any_value_in_vars_arrives_as_it_is(value in any::<String>()) {
            let texts = read(&[("gild:vars.x", &value)], &[]);
            let whole: Value = serde_json::from_str(&texts[0]).unwrap();
            prop_assert_eq!(whole["vars"]["x"].as_str().unwrap(), value);
        }

        #[test]
        fn no_key_is_too_odd(key in ".{0,40}", value in ".{0,40}") {
            let _ = units(&[(&format!("gild:{key}"), &value)], &[]);
        }
    }
}
