//! Reads a merged tree into types and collects what is wrong with it: all of
//! it, so that nobody has to fix a configuration one message at a time.

use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::Shape;
use super::words::nearest;
use crate::config::node::Node;
use crate::config::origin::Origin;
use crate::config::path::KeyPath;

/// A value that is not what it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The key.
    pub path: KeyPath,
    /// The value as people write it; `None` where there is none or it is hidden.
    pub value: Option<String>,
    /// Who set it.
    pub origin: Origin,
    /// What would be right.
    pub message: String,
}

/// A key that nothing reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Unknown {
    /// The key.
    pub path: KeyPath,
    /// Who set it.
    pub origin: Origin,
    /// The nearest key that is known, if one is near.
    pub nearest: Option<String>,
}

/// Collects what is wrong while settings are read.
#[derive(Debug, Default)]
pub struct Reader {
    /// Values that are not what they should be.
    pub problems: Vec<Problem>,
    /// Keys that nothing reads.
    pub unknown: Vec<Unknown>,
}

impl Reader {
    /// Notes a problem and shows the value.
    pub fn problem(&mut self, node: &Node, path: &KeyPath, message: &str) {
        let value = Some(node.to_value().to_string());
        self.push(node, path, value, message);
    }

    /// Notes a problem with a value that must not be shown.
    pub fn hidden_problem(&mut self, node: &Node, path: &KeyPath, message: &str) {
        self.push(node, path, None, message);
    }

    /// What a text spells; where it spells nothing, or is no text, a problem is noted by
    /// `complain`: one of the two above.
    pub fn spelled<T>(
        &mut self,
        node: &Node,
        path: &KeyPath,
        parse: impl FnOnce(&str) -> Option<T>,
        complain: fn(&mut Self, &Node, &KeyPath, &str),
        message: &str,
    ) -> Option<T> {
        let text = match node {
            Node::Leaf(leaf) => leaf.value.as_str(),
            Node::Table { .. } => None,
        };
        let read = text.and_then(parse);
        if read.is_none() {
            complain(self, node, path, message);
        }
        read
    }

    fn push(&mut self, node: &Node, path: &KeyPath, value: Option<String>, message: &str) {
        self.problems.push(Problem {
            path: path.clone(),
            value,
            origin: node.origin().clone(),
            message: message.to_owned(),
        });
    }

    /// The entries of a table; a problem where the node is none.
    pub fn table<'a>(
        &mut self,
        node: &'a Node,
        path: &KeyPath,
        expected: &str,
    ) -> Option<&'a BTreeMap<String, Node>> {
        match node {
            Node::Table { entries, .. } => Some(entries),
            Node::Leaf(_) => {
                self.problem(node, path, &format!("must be {expected}"));
                None
            }
        }
    }

    /// Notes every key of a table that is not among `known`.
    pub fn unknown_keys(
        &mut self,
        entries: &BTreeMap<String, Node>,
        path: &KeyPath,
        known: &[&'static str],
    ) {
        for (key, node) in entries {
            if !known.contains(&key.as_str()) {
                self.unknown.push(Unknown {
                    path: path.child(key),
                    origin: node.origin().clone(),
                    nearest: nearest(key, known).map(|key| path.child(key).to_string()),
                });
            }
        }
    }
}

/// A type that settings may have.
pub trait Setting: Sized {
    /// What a key of this type may hold.
    fn shape() -> Shape;

    /// The typed value of a node; `None` after noting a problem.
    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self>;

    /// The value where nobody set the key and it has no default; `None` after
    /// noting that it is missing from `table`.
    fn absent(table: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let message = format!("is missing; it must be {}", Self::shape().expected());
        reader.hidden_problem(table, path, &message);
        None
    }
}

/// Reads one key of a table. Used by `settings!`.
pub fn read_field<T: Setting>(
    table: &Node,
    path: &KeyPath,
    key: &'static str,
    default: Option<Value>,
    reader: &mut Reader,
) -> Option<T> {
    let below = path.child(key);
    if let Some(node) = table.get(&KeyPath::root().child(key)) {
        return T::read(node, &below, reader);
    }
    match default {
        Some(value) => T::read(&Node::from_value(&value, table.origin()), &below, reader),
        None => T::absent(table, &below, reader),
    }
}

/// Reads a word among a few. Used by `choices!`.
pub fn read_choice<T>(
    node: &Node,
    path: &KeyPath,
    reader: &mut Reader,
    variant: impl Fn(&str) -> Option<T>,
    words: &'static [&'static str],
) -> Option<T> {
    let found = match node {
        Node::Leaf(leaf) => leaf.value.as_str().and_then(variant),
        Node::Table { .. } => None,
    };
    if found.is_none() {
        reader.problem(node, path, &format!("must be {}", Shape::Choice(words).expected()));
    }
    found
}

/// What a test's value means as settings, which it must be without a problem.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn read_value<T: Setting>(value: &Value) -> T {
    let origin = Origin {
        layer: crate::config::LayerName::Local,
        source: "test".into(),
        version: None,
        line: None,
        last_good: false,
    };
    let mut reader = Reader::default();
    let read = T::read(&Node::from_value(value, &origin), &KeyPath::root(), &mut reader);
    assert!(reader.problems.is_empty(), "{:?}", reader.problems);
    read.unwrap()
}
