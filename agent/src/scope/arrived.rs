//! What came of one source: its layers, its copy, and what the report says.

use super::error::{FetchError, SourceError};
use super::last_good::{Copy, Subject};
use super::text::Text;
use crate::config::check::Finding;
use crate::config::trust::Refused;
use crate::config::{Layer, LayerName};
use crate::configure::report::{SourceOutcome, SourceReport};
use crate::platform::error::chain_text;

/// How many of the values that were left out the text of the error names.
const NAMED: usize = 20;

/// What came of one source.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// For the report and the status.
    pub report: SourceReport,
    /// What it gave, lowest first.
    pub layers: Vec<Layer>,
    /// The last valid copy, while it is not what `layers` holds.
    pub fallback: Vec<Layer>,
    /// When the last valid copy was fetched.
    pub copied_at: Option<String>,
    /// What its layer may not set.
    pub refused: Vec<Refused>,
    /// What is wrong with it.
    pub problems: Vec<Finding>,
    /// Whether each layer stands by itself and can be left out alone.
    pub apart: bool,
    /// What to keep as the next copy once it has proved good.
    pub keep: Option<Next>,
}

/// What may become the next copy of a source.
#[derive(Debug, Clone)]
pub struct Next {
    /// What it is a copy of.
    pub subject: Subject,
    /// What came.
    pub texts: Vec<Text>,
    /// With fewer keys it replaces no copy: values that cannot be used are left
    /// out, and enough of them leave too little.
    pub least: usize,
}

impl Arrived {
    /// A source of which nothing is known yet.
    pub fn nothing(layer: LayerName, source: &str) -> Self {
        Self {
            report: SourceReport {
                layer,
                source: source.to_owned(),
                state: SourceOutcome::Absent,
                version: None,
                keys: 0,
                attempts: 0,
                elapsed_ms: 0.0,
                copied_at: None,
                error: None,
            },
            layers: Vec::new(),
            fallback: Vec::new(),
            copied_at: None,
            refused: Vec::new(),
            problems: Vec::new(),
            apart: false,
            keep: None,
        }
    }

    /// What is wrong with it, in words, whether with its text or on the way to it.
    pub fn faults(&self) -> Vec<Finding> {
        match (&self.report.error, self.problems.is_empty()) {
            (Some(error), true) => vec![Finding {
                source: self.report.source.clone(),
                line: None,
                key: None,
                value: None,
                message: error.clone(),
            }],
            _ => self.problems.clone(),
        }
    }

    /// Notes what was left out of a source that is used without it.
    pub fn leave_out(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            // Equal items of one array make equal findings.
            if self.problems.last() == Some(&finding) {
                continue;
            }
            let text = match self.problems.len() {
                named if named > NAMED => String::new(),
                NAMED => "and more".to_owned(),
                _ => finding.to_string(),
            };
            match &mut self.report.error {
                Some(_) if text.is_empty() => {}
                Some(error) => {
                    error.push_str("; ");
                    error.push_str(&text);
                }
                none => *none = Some(format!("left out: {text}")),
            }
            self.problems.push(finding);
        }
    }

    /// A source that the role which the instance has `now` may not read. The copy that the
    /// one that it had `then` has read is current: a role is replaced by a weaker one on
    /// purpose.
    pub(super) fn stay(
        &mut self,
        copy: &Copy,
        layers: Vec<Layer>,
        (then, now): (&str, &str),
        error: &SourceError,
    ) {
        self.layers = layers;
        self.report.state = SourceOutcome::Kept;
        self.report.copied_at = Some(copy.fetched_at.clone());
        let error = chain_text(error);
        self.report.error =
            Some(format!("not readable by role '{now}'; kept from role '{then}': {error}"));
    }

    /// A source that failed.
    pub fn fail(&mut self, source: SourceError) {
        if let SourceError::Document { name, source } = &source {
            self.problems.push(Finding {
                source: name.clone(),
                line: source.line(),
                key: None,
                value: None,
                message: source.reason(),
            });
        }
        self.report.state =
            if source.is_bad() { SourceOutcome::Bad } else { SourceOutcome::Failed };
        let source_text = self.report.source.clone();
        self.report.error = Some(chain_text(&FetchError { source_text, source }));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_named_once_and_not_without_end() {
        let finding = |number: usize| Finding {
            source: format!("ssm:/{number}"),
            line: None,
            key: None,
            value: None,
            message: "must be a number".to_owned(),
        };
        let mut arrived = Arrived::nothing(LayerName::Account, "ssm:/");
        arrived.leave_out((0..1000).flat_map(|number| [finding(number), finding(number)]));
        assert_eq!(arrived.problems.len(), 1000);
        let error = arrived.report.error.unwrap();
        assert!(error.starts_with("left out: ssm:/0: must be a number; ssm:/1: must"), "{error}");
        assert!(error.ends_with("ssm:/19: must be a number; and more"), "{error}");
    }
}
