//! What came of one source: its layers, its copy, and what the report says.

use std::sync::Arc;

use super::error::{FetchError, SourceError};
use super::last_good::{Copy, Subject};
use super::text::{Found, Text};
use super::units::Units;
use crate::config::check::Finding;
use crate::config::trust::Refused;
use crate::config::{KeyPath, Layer, LayerName};
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
    pub keep: Option<(Subject, Vec<Text>)>,
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

/// An answer, read.
pub(super) struct Understood {
    /// What it gives, lowest first.
    pub(super) layers: Vec<Layer>,
    /// What to call that.
    pub(super) state: SourceOutcome,
    /// What is new in it.
    pub(super) fresh: Option<Vec<Text>>,
    /// What was left out of it.
    pub(super) left_out: Vec<Finding>,
}

impl Understood {
    fn new(layers: Vec<Layer>, texts: Vec<Text>) -> Self {
        let state = SourceOutcome::Fetched;
        Self { layers, state, fresh: Some(texts), left_out: Vec::new() }
    }

    fn same(layers: Vec<Layer>) -> Self {
        Self { layers, state: SourceOutcome::Unchanged, fresh: None, left_out: Vec::new() }
    }
}

/// Reads what a source answered: its layers, its state, and what to keep.
pub(super) fn understand(
    found: Found,
    copy: Option<&Copy>,
    layer: LayerName,
    into: Option<&KeyPath>,
) -> Result<Understood, SourceError> {
    match (found, copy) {
        (Found::Unchanged, Some(copy)) => {
            Ok(Understood::same(layers(&copy.texts, layer, into, false)?))
        }
        // Nobody says "unchanged" who was not told of a copy.
        (Found::Absent | Found::Unchanged, _) => {
            let state = SourceOutcome::Absent;
            Ok(Understood { layers: Vec::new(), state, fresh: None, left_out: Vec::new() })
        }
        (Found::Texts(texts), Some(copy)) if copy.texts == texts => {
            Ok(Understood::same(layers(&texts, layer, into, false)?))
        }
        (Found::Texts(texts), copy) => {
            let layers = layers(&texts, layer, into, false)?;
            // A document that is suddenly empty is more likely a slip than a
            // wish; one that is meant to go is deleted.
            if copy.is_some() && layers.iter().all(|layer| layer.document.is_empty()) {
                let name = texts.first().map(|text| text.name.clone()).unwrap_or_default();
                return Err(SourceError::Emptied { name });
            }
            Ok(Understood::new(layers, texts))
        }
        (Found::Units(Units { texts, left_out }), copy) => {
            let layers = layers(&texts, layer, into, false)?;
            let read = match copy {
                Some(copy) if copy.texts == texts => Understood::same(layers),
                _ => Understood::new(layers, texts),
            };
            Ok(Understood { left_out, ..read })
        }
    }
}

/// The layers that texts make.
pub(super) fn layers(
    texts: &[Text],
    name: LayerName,
    into: Option<&KeyPath>,
    last_good: bool,
) -> Result<Vec<Layer>, SourceError> {
    let layer = |text: &Text| {
        let document = text
            .parse(into)
            .map_err(|source| SourceError::Document { name: text.name.clone(), source })?;
        Ok(Layer {
            name,
            source: Arc::from(text.name.as_str()),
            version: text.version.as_deref().map(Arc::from),
            last_good,
            document,
        })
    };
    texts.iter().map(layer).collect()
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
