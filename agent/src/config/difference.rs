//! What is different between two configurations, key by key: for drift in the
//! status, and for `gild config diff`. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::node::{Leaf, Node};
use super::origin::Origin;
use super::path::KeyPath;

/// A value with its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// The value.
    pub value: Value,
    /// Who set it.
    pub origin: Origin,
}

/// A key that two configurations do not agree about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The key.
    pub key: KeyPath,
    /// What it was; `None` where nobody had set it.
    pub before: Option<Side>,
    /// What it is; `None` where nobody sets it any more.
    pub after: Option<Side>,
}

/// The keys whose values differ, in their order. The same value from another
/// origin is no difference.
pub fn between(before: &Node, after: &Node) -> Vec<Change> {
    let before: BTreeMap<KeyPath, &Leaf> = before.leaves().into_iter().collect();
    let after: BTreeMap<KeyPath, &Leaf> = after.leaves().into_iter().collect();
    let side = |leaf: &&Leaf| Side { value: leaf.value.clone(), origin: leaf.origin.clone() };
    let mut keys: Vec<&KeyPath> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .map(|key| (key, before.get(key), after.get(key)))
        .filter(|(_, old, new)| old.map(|leaf| &leaf.value) != new.map(|leaf| &leaf.value))
        .map(|(key, old, new)| Change {
            key: key.clone(),
            before: old.map(side),
            after: new.map(side),
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::format::Format;
    use crate::config::{Document, Layer, LayerName, Merged};

    fn tree(name: LayerName, text: &str) -> Node {
        let document = Document::parse(text.as_bytes(), Format::Toml).unwrap();
        let source = name.label().into();
        Merged::fold([&Layer { name, source, version: None, last_good: false, document }]).root
    }

    #[test]
    fn keys_that_came_went_or_changed_are_told_and_others_are_not() {
        let before = tree(LayerName::Global, "a.x = 1\na.y = 1\nb = [1]\nsame = 1\n");
        let after = tree(LayerName::Account, "a.x = 2\na.z = 1\nb = [1, 2]\nsame = 1\n");
        let text = |side: &Option<Side>| match side {
            Some(side) => format!("{} {}", side.origin.layer, side.value),
            None => "none".to_owned(),
        };
        let changes: Vec<String> = between(&before, &after)
            .iter()
            .map(|change| {
                format!("{}: {} -> {}", change.key, text(&change.before), text(&change.after))
            })
            .collect();
        assert_eq!(
            changes,
            [
                "a.x: global 1 -> account 2",
                "a.y: global 1 -> none",
                "a.z: none -> account 1",
                "b: global [1] -> account [1,2]",
            ]
        );
        assert_eq!(between(&before, &before), []);
    }
}
