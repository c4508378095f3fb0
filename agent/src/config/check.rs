//! Problems of documents, all at once, each with file, line, key, value and
//! what would be right: for `gild config check` and for error messages.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::builtin;
use super::document::Document;
use super::format::Format;
use super::merge::{Conflict, Layer, Merged};
use super::origin::{LayerName, Origin};
use super::path::KeyPath;
use super::schema::{Problem, Setting, Shape, Unknown};
use super::settings::Settings;

/// One finding, ready to be printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The document.
    pub source: String,
    /// The line, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The key, where the finding is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyPath>,
    /// The value, where it may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        formatter.write_str(": ")?;
        if let Some(key) = &self.key {
            write!(formatter, "{key} ")?;
        }
        if let Some(value) = &self.value {
            write!(formatter, "= {value} ")?;
        }
        formatter.write_str(&self.message)
    }
}

fn finding(origin: &Origin, key: &KeyPath, value: Option<String>, message: String) -> Finding {
    Finding {
        source: origin.source.to_string(),
        line: origin.line,
        key: Some(key.clone()),
        value,
        message,
    }
}

impl From<&Problem> for Finding {
    fn from(problem: &Problem) -> Self {
        let Problem { path, value, origin, message } = problem;
        finding(origin, path, value.clone(), message.clone())
    }
}

impl From<&Unknown> for Finding {
    fn from(unknown: &Unknown) -> Self {
        let message = match &unknown.nearest {
            Some(nearest) => format!("is not a known key; did you mean {nearest}?"),
            None => "is not a known key".to_owned(),
        };
        finding(&unknown.origin, &unknown.path, None, message)
    }
}

impl From<&Conflict> for Finding {
    fn from(conflict: &Conflict) -> Self {
        let message = match Settings::shape().at(conflict.path.segments()) {
            // The user's own data may be of any type, as long as it keeps it.
            None | Some(Shape::Free) => conflict.text(),
            Some(shape) => format!("must be {}; it {}", shape.expected(), conflict.text()),
        };
        finding(&conflict.higher.1, &conflict.path, None, message)
    }
}

/// A document to check: its name, its bytes and its format.
pub type Named = (String, Vec<u8>, Format);

/// Checks documents strictly: each by itself, and all of them merged in the
/// given order, lowest first, over the defaults.
pub fn documents(named: &[Named]) -> Vec<Finding> {
    settings(named).1
}

/// What documents come to, where that can be told, and what is wrong with them.
pub fn settings(named: &[Named]) -> (Option<Settings>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut layers = vec![builtin::layer()];
    for (source, bytes, format) in named {
        match Document::parse(bytes, *format) {
            Err(error) => findings.push(Finding {
                source: source.clone(),
                line: error.line(),
                key: None,
                value: None,
                message: error.reason(),
            }),
            Ok(document) => layers.push(Layer {
                name: LayerName::Local,
                source: Arc::from(source.as_str()),
                version: None,
                last_good: false,
                document,
            }),
        }
    }
    findings.extend(layers.iter().flat_map(unknown_in_directives));
    let merged = Merged::fold(&layers);
    let typed = Settings::typed(&merged.root);
    findings.extend(merged.conflicts.iter().map(Finding::from));
    findings.extend(typed.problems.iter().map(Finding::from));
    findings.extend(typed.unknown.iter().map(Finding::from));
    findings.sort_by(|a, b| (&a.source, a.line, &a.key).cmp(&(&b.source, b.line, &b.key)));
    (typed.settings, findings)
}

/// Keys in a document's directives that nothing reads: a slip there would
/// protect or take away nothing, and say nothing.
fn unknown_in_directives(layer: &Layer) -> Vec<Finding> {
    let shape = Settings::shape();
    let Document { unset, finals, .. } = &layer.document;
    let named = [("unset", unset), ("final", finals)];
    let unknown = named.into_iter().flat_map(|(directive, keys)| {
        let unknown = keys.iter().filter(|key| shape.at(key.segments()).is_none());
        unknown.map(move |key| (directive, key))
    });
    unknown
        .map(|(directive, key)| {
            let message = format!("is in `{directive}` and is not a known key");
            finding(&layer.origin_of(directive), key, None, message)
        })
        .collect()
}
