//! A document on its whole way: read, sifted, merged with the defaults, typed,
//! and handed on, in each place where it could come from.

use std::sync::Arc;

use gild::config::format::Format;
use gild::config::schema::Unknown;
use gild::config::trust::{self, Refused, Rights};
use gild::config::{Document, Layer, LayerName, Merged, Node, Settings, builtin, check};
use gild::configure::report::{Report, UnknownKey};
use gild::scope::text::format_of;
use serde_json::Value;

/// Reads a text as a document of one format, by all of the ways that there are.
pub fn document(bytes: &[u8], format: Format) {
    for finding in check::documents(&[("fuzz".to_owned(), bytes.to_vec(), format)]) {
        let _ = finding.to_string();
    }
    if let Ok(document) = Document::parse(bytes, format) {
        for name in [LayerName::Local, LayerName::Global, LayerName::Service] {
            merge(document.clone(), name);
        }
    }
}

/// Reads a text whose format nobody says.
pub fn sniffed(bytes: &[u8]) {
    document(bytes, format_of(None, "fuzz", None, bytes));
}

/// What one document comes to above the defaults.
pub fn merge(document: Document, name: LayerName) {
    let keys = document.keys();
    let mut layer =
        Layer { name, source: Arc::from("fuzz"), version: None, last_good: false, document };
    let refused = trust::enforce(&mut layer, &Rights::default());
    assert!(layer.document.keys() <= keys, "sifting adds nothing");
    let redirects = name.is_remote() && layer.document.root.contains_key("scope");
    assert!(!redirects, "a remote document does not say where configuration comes from");
    let merged = Merged::fold([&builtin::layer(), &layer]);
    for conflict in &merged.conflicts {
        let _ = conflict.text();
    }
    let typed = Settings::typed(&merged.root);
    assert_eq!(typed.settings.is_some(), typed.problems.is_empty());
    handed_on(&merged);
    reported(typed.unknown, refused);
}

/// The daemon reads the tree that `configure` wrote, with every value in it.
fn handed_on(merged: &Merged) {
    let written = serde_json::to_vec(&merged.root).expect("a tree can be written");
    let read: Node = serde_json::from_slice(&written).expect("what was written can be read");
    assert!(same(&read.to_value(), &merged.root.to_value()), "the values are the same");
}

/// Whether two values are the same, but for the last digit of a fraction:
/// serde_json reads some of them a little off.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            a == b || a.to_bits().abs_diff(b.to_bits()) <= 1
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let pairs = || a.iter().zip(b);
            a.len() == b.len() && pairs().all(|((j, a), (k, b))| j == k && same(a, b))
        }
        _ => a == b,
    }
}

/// It reads the report too, whatever the keys in it are called.
fn reported(unknown: Vec<Unknown>, refused: Vec<Refused>) {
    let mut report = Report::started("2026-01-01T00:00:00.000Z");
    report.refused_keys = refused;
    report.unknown_keys = unknown
        .into_iter()
        .map(|key| UnknownKey { key: key.path, origin: key.origin, nearest: key.nearest })
        .collect();
    let written = serde_json::to_vec(&report).expect("a report can be written");
    let read: Report = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(read, report);
}
