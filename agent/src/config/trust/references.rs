//! References to secrets belong to the layers that may write one: another layer
//! can neither make one, nor change one, nor take one away.
//!
//! One document does not show it. A table may become a reference only in the
//! merge (`{ ssm = "/p", more = 1 }` here, `unset = ["….more"]` there), and a
//! field of another layer's reference is a plain text. So the tables that read
//! as references are looked up in what is merged, with and without the layers
//! in question, and those layers lose what they say about them.

use serde_json::{Map, Value};

use super::Refused;
use crate::config::merge::{Layer, Merged};
use crate::config::node::Node;
use crate::config::origin::LayerName;
use crate::config::path::KeyPath;
use crate::config::secret;

/// Whether a layer may refer to secrets.
pub(super) fn may_refer(layer: LayerName) -> bool {
    layer != LayerName::Service
}

/// The references that layers without the right to them might make or change:
/// all that there are with those layers, and all that there are without.
pub fn references_among(merged: &Merged, layers: &[&Layer]) -> Vec<KeyPath> {
    if layers.iter().all(|layer| may_refer(layer.name)) {
        return Vec::new();
    }
    let others = layers.iter().copied().filter(|layer| may_refer(layer.name));
    let mut found = Vec::new();
    collect(&merged.root, &KeyPath::root(), &mut found);
    collect(&Merged::fold(others).root, &KeyPath::root(), &mut found);
    found.sort();
    found.dedup();
    found
}

/// Takes out of a layer what it says about the references at `paths`, where it
/// may not refer to secrets; says what that was.
pub fn enforce_references(layer: &mut Layer, paths: &[KeyPath]) -> Vec<Refused> {
    if may_refer(layer.name) {
        return Vec::new();
    }
    let mut refused = Vec::new();
    for path in paths {
        if take(&mut layer.document.root, path.segments()) {
            refused.push(refusal(layer, path, "set or change"));
        }
    }
    let (touching, fine) = std::mem::take(&mut layer.document.unset)
        .into_iter()
        .partition(|key| paths.iter().any(|path| key.is_within(path) || path.is_within(key)));
    layer.document.unset = fine;
    let touching: Vec<KeyPath> = touching;
    refused.extend(touching.iter().map(|key| refusal(layer, key, "unset")));
    refused
}

fn refusal(layer: &Layer, key: &KeyPath, verb: &str) -> Refused {
    let reason = format!("this layer may not {verb} a reference to a secret");
    Refused { key: key.clone(), origin: layer.origin(key), reason }
}

fn collect(node: &Node, path: &KeyPath, found: &mut Vec<KeyPath>) {
    let Node::Table { entries, .. } = node else { return };
    if secret::is_reference_node(node) {
        found.push(path.clone());
        return;
    }
    for (key, below) in entries {
        collect(below, &path.child(key), found);
    }
}

/// Takes the value at `path` out of a table, and the tables that this empties:
/// what was refused leaves no half entry behind. Says whether there was one.
fn take(table: &mut Map<String, Value>, path: &[String]) -> bool {
    match path {
        [] => false,
        [key] => table.remove(key).is_some(),
        [key, rest @ ..] => match table.get_mut(key) {
            Some(Value::Object(below)) => {
                let taken = take(below, rest);
                if taken && below.is_empty() {
                    table.remove(key);
                }
                taken
            }
            _ => false,
        },
    }
}
