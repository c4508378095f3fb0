//! The merged configuration as a tree in which every leaf knows its origin.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::origin::Origin;
use super::path::KeyPath;

/// A table or a leaf of the merged configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Node {
    /// A table, with the origin that first named it.
    Table {
        /// The first document that named the table.
        origin: Origin,
        /// What it holds.
        entries: BTreeMap<String, Node>,
    },
    /// A value that is replaced as a whole: a scalar or an array.
    Leaf(Leaf),
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    /// The value: text, number, truth or array.
    pub value: Value,
    /// Who set it.
    pub origin: Origin,
    /// What it overrode, the most recent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrode: Vec<Overridden>,
}

/// A value that a higher layer replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overridden {
    /// The value that lost.
    pub value: Value,
    /// Who had set it.
    pub origin: Origin,
}

impl Node {
    /// A tree of values that all have one origin.
    pub fn from_value(value: &Value, origin: &Origin) -> Self {
        match value {
            Value::Object(table) => Node::Table {
                origin: origin.clone(),
                entries: table
                    .iter()
                    .map(|(key, value)| (key.clone(), Node::from_value(value, origin)))
                    .collect(),
            },
            other => Node::Leaf(Leaf {
                value: other.clone(),
                origin: origin.clone(),
                overrode: Vec::new(),
            }),
        }
    }

    /// A tree of leaves, as `leaves` gives them, its tables all of one origin.
    /// `None` where a leaf has another one below it.
    pub fn from_leaves(
        leaves: impl IntoIterator<Item = (KeyPath, Leaf)>,
        origin: &Origin,
    ) -> Option<Self> {
        let table = || Node::Table { origin: origin.clone(), entries: BTreeMap::new() };
        let mut root = table();
        for (path, leaf) in leaves {
            let (key, above) = path.segments().split_last()?;
            let mut node = &mut root;
            for key in above {
                let Node::Table { entries, .. } = node else { return None };
                node = entries.entry(key.clone()).or_insert_with(table);
            }
            match node {
                Node::Table { entries, .. } if !entries.contains_key(key) => {
                    entries.insert(key.clone(), Node::Leaf(leaf));
                }
                _ => return None,
            }
        }
        Some(root)
    }

    /// The values alone.
    pub fn to_value(&self) -> Value {
        match self {
            Node::Leaf(leaf) => leaf.value.clone(),
            Node::Table { entries, .. } => Value::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.clone(), node.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// The origin of the leaf, or of the document that first named the table.
    pub fn origin(&self) -> &Origin {
        match self {
            Node::Table { origin, .. } => origin,
            Node::Leaf(leaf) => &leaf.origin,
        }
    }

    /// The node at `path` below this one.
    pub fn get(&self, path: &KeyPath) -> Option<&Node> {
        path.segments().iter().try_fold(self, |node, key| match node {
            Node::Table { entries, .. } => entries.get(key),
            Node::Leaf(_) => None,
        })
    }

    /// Every leaf at or below this node, in the order of their paths.
    pub fn leaves(&self) -> Vec<(KeyPath, &Leaf)> {
        let mut found = Vec::new();
        self.visit(&KeyPath::root(), &mut |path, leaf| found.push((path.clone(), leaf)));
        found
    }

    fn visit<'a>(&'a self, path: &KeyPath, seen: &mut impl FnMut(&KeyPath, &'a Leaf)) {
        match self {
            Node::Leaf(leaf) => seen(path, leaf),
            Node::Table { entries, .. } => {
                for (key, node) in entries {
                    node.visit(&path.child(key), seen);
                }
            }
        }
    }
}
