//! The fold of layers into one tree. Pure and deterministic: the same layers
//! give the same tree, byte for byte.
//!
//! Tables merge key by key; scalars and arrays replace. A table against a
//! value, or a value against one of another type, is a conflict: the higher
//! document is left out at that key and both origins are named.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document::Document;
use super::node::{Leaf, Node, Overridden};
use super::origin::{LayerName, Origin};
use super::path::KeyPath;
use super::secret;
use crate::platform::hex::hex;

/// One document with its place in the order of layers.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Which layer the document belongs to.
    pub name: LayerName,
    /// The document's name for people: a path, a URL, a parameter.
    pub source: Arc<str>,
    /// The document's version, where it has one.
    pub version: Option<Arc<str>>,
    /// Whether this is the last valid copy rather than a fresh document.
    pub last_good: bool,
    /// The values.
    pub document: Document,
}

impl Layer {
    /// The origin of the value at `path` in this document.
    pub fn origin(&self, path: &KeyPath) -> Origin {
        self.at(self.document.lines.get(path).copied())
    }

    /// The origin of what a directive of this document says.
    pub fn origin_of(&self, directive: &str) -> Origin {
        self.at(self.document.directives.get(directive).copied())
    }

    fn at(&self, line: Option<u32>) -> Origin {
        Origin {
            layer: self.name,
            source: self.source.clone(),
            version: self.version.clone(),
            line,
            last_good: self.last_good,
        }
    }
}

/// Two documents that disagree about the kind of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The key.
    pub path: KeyPath,
    /// What the lower document has, and where.
    pub lower: (&'static str, Origin),
    /// What the higher document has, and where.
    pub higher: (&'static str, Origin),
}

impl Conflict {
    /// The conflict in words.
    pub fn text(&self) -> String {
        format!(
            "is {} here and {} in {}; a key must keep its type",
            self.higher.0, self.lower.0, self.lower.1
        )
    }
}

/// What all layers say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The tree.
    pub root: Node,
    /// Where documents disagree about types.
    pub conflicts: Vec<Conflict>,
}

impl Merged {
    /// Folds layers, lowest first.
    pub fn fold<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Self {
        let nobody = Origin {
            layer: LayerName::Builtin,
            source: Arc::from("defaults"),
            version: None,
            line: None,
            last_good: false,
        };
        let mut merged = Merged {
            root: Node::Table { origin: nobody, entries: BTreeMap::new() },
            conflicts: Vec::new(),
        };
        for layer in layers {
            for path in &layer.document.unset {
                remove(&mut merged.root, path.segments());
            }
            for (key, value) in &layer.document.root {
                if let Node::Table { entries, .. } = &mut merged.root {
                    let path = KeyPath::root().child(key);
                    put(entries, key, value, &path, layer, &mut merged.conflicts);
                }
            }
        }
        merged
    }

    /// The values as canonical JSON: keys sorted, no white space.
    pub fn canonical(&self) -> String {
        self.root.to_value().to_string()
    }

    /// The SHA-256 of the canonical JSON, in hex: the configuration's identity.
    /// Secrets enter it as references.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.canonical()))
    }
}

fn put(
    entries: &mut BTreeMap<String, Node>,
    key: &str,
    value: &Value,
    path: &KeyPath,
    layer: &Layer,
    conflicts: &mut Vec<Conflict>,
) {
    let Some(existing) = entries.get_mut(key) else {
        entries.insert(key.to_owned(), fresh(value, path, layer));
        return;
    };
    match (&mut *existing, value) {
        // A reference to a secret is one thing, although it is written as a
        // table: another kind of reference replaces it.
        (node @ Node::Table { .. }, Value::Object(table))
            if secret::is_reference(table) && secret::is_reference_node(node) =>
        {
            *node = fresh(value, path, layer);
        }
        (Node::Table { entries, .. }, Value::Object(table)) => {
            for (key, value) in table {
                put(entries, key, value, &path.child(key), layer, conflicts);
            }
        }
        (Node::Leaf(leaf), value) if kind(&leaf.value) == kind(value) => {
            let winner =
                Leaf { value: value.clone(), origin: layer.origin(path), overrode: Vec::new() };
            let loser = std::mem::replace(leaf, winner);
            leaf.overrode.push(Overridden { value: loser.value, origin: loser.origin });
            leaf.overrode.extend(loser.overrode);
        }
        (node, value) => conflicts.push(Conflict {
            path: path.clone(),
            lower: (kind_of(node), node.origin().clone()),
            higher: (kind(value), layer.origin(path)),
        }),
    }
}

fn fresh(value: &Value, path: &KeyPath, layer: &Layer) -> Node {
    let origin = layer.origin(path);
    match value {
        Value::Object(table) => Node::Table {
            origin,
            entries: table
                .iter()
                .map(|(key, value)| (key.clone(), fresh(value, &path.child(key), layer)))
                .collect(),
        },
        other => Node::Leaf(Leaf { value: other.clone(), origin, overrode: Vec::new() }),
    }
}

fn remove(node: &mut Node, path: &[String]) {
    let (Some((key, rest)), Node::Table { entries, .. }) = (path.split_first(), node) else {
        return;
    };
    if rest.is_empty() {
        entries.remove(key);
    } else if let Some(below) = entries.get_mut(key) {
        remove(below, rest);
    }
}

fn kind_of(node: &Node) -> &'static str {
    match node {
        Node::Table { .. } => "a table",
        Node::Leaf(leaf) => kind(&leaf.value),
    }
}

/// The kind of a value in words. Integers and fractions are one kind: `1` may
/// become `1.5`.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "a table",
    }
}
