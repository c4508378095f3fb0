//! Whether the configuration is as it should be: all fresh, with copies
//! standing in, or with something missing that nothing stands in for.

use super::arrived::Arrived;
use super::settings::OneScope;
use super::source::Source;
use crate::config::LayerName;
use crate::configure::report::SourceOutcome;

/// Whether the configuration is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is.
    Ready,
    /// It can be used, and something is not as it should be.
    Degraded {
        /// What, one line each.
        reasons: Vec<String>,
    },
    /// Something is missing or wrong that nothing stands in for.
    Failed {
        /// What, in one line.
        reason: String,
    },
}

/// Collects what speaks against a configuration.
#[derive(Debug, Default)]
pub(super) struct Judge {
    failures: Vec<String>,
    reasons: Vec<String>,
}

impl Judge {
    /// Notes something that nothing stands in for.
    pub(super) fn fail(&mut self, reason: String) {
        self.failures.push(reason);
    }

    /// Notes something that is not as it should be.
    pub(super) fn degrade(&mut self, reason: String) {
        self.reasons.push(reason);
    }

    /// Notes what came of a source.
    pub(super) fn source(&mut self, arrived: &Arrived) {
        let report = &arrived.report;
        let what = format!("{} layer, '{}'", report.layer, report.source);
        let error = report.error.as_deref().unwrap_or("it failed");
        match report.state {
            SourceOutcome::Fetched | SourceOutcome::Unchanged | SourceOutcome::Absent => {
                // It is used, without what the error names.
                if let Some(error) = &report.error {
                    self.degrade(format!("{what}: {error}"));
                }
            }
            SourceOutcome::Kept => {}
            SourceOutcome::LastGood => {
                let since = arrived.copied_at.as_deref().unwrap_or("an earlier boot");
                self.degrade(format!("{what}: the copy of {since} is used: {error}"));
            }
            SourceOutcome::Failed | SourceOutcome::Bad => {
                self.fail(format!("{what}: nothing stands in for it: {error}"));
            }
        }
    }

    /// Notes what a scope requires and does not have.
    pub(super) fn scope(&mut self, layer: LayerName, scope: &OneScope, arrived: &[Arrived]) {
        let mut of_layer = arrived.iter().filter(|source| source.report.layer == layer);
        // A source that failed speaks for itself.
        if scope.required && of_layer.all(|source| source.report.state == SourceOutcome::Absent) {
            let sources: Vec<&str> =
                scope.sources.iter().map(|source| source.url.as_str()).collect();
            let place = match sources.is_empty() {
                true => "it has no sources".to_owned(),
                false => format!("there is nothing in {}", sources.join(", ")),
            };
            self.fail(format!("the {layer} scope is required, and {place}"));
        }
        let tags = scope
            .sources
            .iter()
            .any(|source| matches!(Source::parse(&source.url), Ok(Source::Tags(_))));
        let wants_tags = !scope.require.is_empty() || !scope.import.is_empty();
        if wants_tags && !tags {
            self.fail(format!(
                "the {layer} scope names tags to require or import, and no source tags:PREFIX"
            ));
        }
    }

    /// What it comes to.
    pub(super) fn verdict(self) -> Verdict {
        if !self.failures.is_empty() {
            Verdict::Failed { reason: self.failures.join("; ") }
        } else if !self.reasons.is_empty() {
            Verdict::Degraded { reasons: self.reasons }
        } else {
            Verdict::Ready
        }
    }
}
