//! What the daemon found when it looked at the sources again, and how that
//! differs from what `configure` ran with. Pure.
//!
//! To let a table take effect without a configuration step: a line in `LIVE`,
//! and a part of the daemon's engine that takes it over.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::KeyPath;
use crate::config::difference::{Change, Side};
use crate::configure::report::{Report, SourceReport};

/// The tables that the daemon itself runs on: what changes there is in force
/// without a configuration step.
pub const LIVE: [&str; 6] = ["lifecycle", "metrics", "notify", "scope", "service", "sink"];

/// How many keys are listed.
const LISTED: usize = 100;

/// The longest value that is shown, in bytes of JSON. A document can hold far
/// more than a status should.
const LONGEST_VALUE: usize = 1024;

/// What came of the last look at the sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refresh {
    /// When it ended, RFC 3339.
    pub at: String,
    /// Whether every source answered.
    pub ok: bool,
    /// Why not.
    pub error: Option<String>,
    /// Since when not.
    pub since: Option<String>,
}

/// What the last look at the sources says.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What came of it.
    pub refresh: Refresh,
    /// What came of each source.
    pub sources: Vec<SourceReport>,
    /// What is not as it should be, one line each.
    pub problems: Vec<String>,
    /// When it last went from all well to problems, or back.
    pub turned: String,
    /// Whether it found the very configuration that `configure` ran with: what
    /// it says of it then stands for what the report says.
    pub confirms: bool,
}

/// How the sources differ from what `configure` ran with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Since when they differ at all, RFC 3339.
    pub since: String,
    /// The digest of what they say now.
    pub digest: String,
    /// The keys that differ, in their order.
    pub keys: Vec<Drifted>,
    /// How many more there are.
    pub more: usize,
}

/// One key that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drifted {
    /// The key.
    pub key: KeyPath,
    /// What `configure` ran with; null where nobody had set it.
    pub before: Option<Side>,
    /// What the sources say now; null where nobody sets it any more.
    pub after: Option<Side>,
    /// Whether it is in force already; if not, it waits for a configuration step.
    pub in_force: bool,
}

impl Drift {
    /// The drift that changes come to; `None` where there are none.
    pub fn of(changes: Vec<Change>, digest: &str, since: String) -> Option<Self> {
        if changes.is_empty() {
            return None;
        }
        let more = changes.len().saturating_sub(LISTED);
        let keys = changes
            .into_iter()
            .take(LISTED)
            .map(|change| Drifted {
                in_force: is_live(&change.key),
                key: change.key,
                before: change.before.map(shortened),
                after: change.after.map(shortened),
            })
            .collect();
        Some(Self { since, digest: digest.to_owned(), keys, more })
    }
}

/// Whether a key takes effect without a configuration step.
pub fn is_live(key: &KeyPath) -> bool {
    key.segments().first().is_some_and(|table| LIVE.contains(&table.as_str()))
}

fn shortened(side: Side) -> Side {
    let length = match &side.value {
        Value::String(text) => text.len(),
        other => other.to_string().len(),
    };
    match length > LONGEST_VALUE {
        true => Side { value: format!("[{length} bytes, not shown here]").into(), ..side },
        false => side,
    }
}

/// What is wrong, each line once. A look that found the same configuration has
/// said anew what the report said of it, but for a step that was rolled back.
pub(super) fn problems(
    report: Option<&Report>,
    own: &[String],
    look: Option<&Look>,
) -> Vec<String> {
    let confirmed = look.is_some_and(|look| look.confirms);
    let report = report.filter(|report| !confirmed || report.is_rolled_back());
    let reported = report.map(|report| report.problems.as_slice()).unwrap_or_default();
    let looked = look.map(|look| look.problems.as_slice()).unwrap_or_default();
    let mut problems: Vec<String> = Vec::new();
    for problem in reported.iter().chain(own).chain(looked) {
        if !problems.contains(problem) {
            problems.push(problem.clone());
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::{LayerName, Origin};

    fn side(value: impl Into<Value>) -> Option<Side> {
        let origin = Origin {
            layer: LayerName::Global,
            source: "file:/g.toml".into(),
            version: None,
            line: None,
            last_good: false,
        };
        Some(Side { value: value.into(), origin })
    }

    fn change(key: &str, before: Option<Side>, after: Option<Side>) -> Change {
        Change { key: KeyPath::parse(key).unwrap(), before, after }
    }

    #[test]
    fn no_change_is_no_drift() {
        assert_eq!(Drift::of(Vec::new(), "d", "T".to_owned()), None);
    }

    #[test]
    fn what_the_daemon_runs_on_is_in_force_and_the_rest_waits() {
        let keys = [
            ("configuration.run", false),
            ("metrics.interval", true),
            ("scope.refresh", true),
            ("service.web.http", true),
            ("sink.mimir.url", true),
            ("vars.metrics", false),
            ("metricsx", false),
        ];
        let changes = keys.iter().map(|(key, _)| change(key, None, side(1))).collect();
        let drift = Drift::of(changes, "d", "T".to_owned()).unwrap();
        let found: Vec<_> =
            drift.keys.iter().map(|key| (key.key.to_string(), key.in_force)).collect();
        assert_eq!(found, keys.map(|(key, live)| (key.to_owned(), live)));
    }

    #[test]
    fn many_keys_and_long_values_are_bounded() {
        let long = || side("x".repeat(1_000_000));
        let list = side(vec!["y"; 100_000]);
        let mut changes: Vec<Change> =
            (0..250).map(|number| change(&format!("vars.k{number}"), long(), None)).collect();
        changes[0].after = list;
        let drift = Drift::of(changes, "d", "T".to_owned()).unwrap();
        assert_eq!((drift.keys.len(), drift.more), (100, 150));
        let text = serde_json::to_string(&drift).unwrap();
        assert!(text.len() < 100_000, "{}", text.len());
        assert!(text.contains("[1000000 bytes, not shown here]"), "{text}");
    }
}
