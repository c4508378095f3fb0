//! Keys that a document has made final: no higher remote layer may set them,
//! what is below them, or take away the table that holds them.
//!
//! What has been said to be final once stays so, even when the document that
//! said it is left out later because something else in it is wrong. Otherwise a
//! slip in a lower document would open to the layers above it what it keeps from
//! them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Refused;
use crate::config::merge::Layer;
use crate::config::origin::{LayerName, Origin};
use crate::config::path::KeyPath;
use crate::config::secret;

/// What documents have made final, by their layers.
#[derive(Debug, Default)]
pub struct Finals(BTreeMap<LayerName, BTreeMap<KeyPath, Origin>>);

impl Finals {
    /// Adds what a document makes final.
    pub fn learn(&mut self, layer: &Layer) {
        for path in &layer.document.finals {
            let known = self.0.entry(layer.name).or_default();
            known.entry(path.clone()).or_insert_with(|| layer.origin_of("final"));
        }
    }

    /// Takes out of a remote layer what lower layers have made final, and says
    /// what that was.
    pub fn enforce(&self, layer: &mut Layer) -> Vec<Refused> {
        let below: Vec<&BTreeMap<KeyPath, Origin>> =
            self.0.range(..layer.name).map(|(_, finals)| finals).collect();
        if below.is_empty() || !layer.name.is_remote() {
            return Vec::new();
        }
        let lower = Lower(below);
        let mut taken = Vec::new();
        let mut root = std::mem::take(&mut layer.document.root);
        lower.sift(&mut root, &KeyPath::root(), &mut taken);
        layer.document.root = root;
        let mut refused: Vec<Refused> = taken
            .into_iter()
            .map(|(key, since)| Refused {
                origin: layer.origin(&key),
                key,
                reason: format!("final since {since}"),
            })
            .collect();
        let origin = layer.origin_of("unset");
        layer.document.unset.retain(|key| {
            let since = lower.above(key).or_else(|| lower.within(key));
            refused.extend(since.map(|since| Refused {
                key: key.clone(),
                origin: origin.clone(),
                reason: format!("unset: final since {since}"),
            }));
            since.is_none()
        });
        refused
    }
}

/// What the layers below one have made final, lowest first.
struct Lower<'a>(Vec<&'a BTreeMap<KeyPath, Origin>>);

impl<'a> Lower<'a> {
    fn sift(
        &self,
        table: &mut Map<String, Value>,
        path: &KeyPath,
        taken: &mut Vec<(KeyPath, &'a Origin)>,
    ) {
        table.retain(|key, value| {
            let below = path.child(key);
            let mut since = self.exactly(&below);
            if let (None, Value::Object(inner)) = (since, value) {
                // A reference replaces another one as a whole.
                if secret::is_reference(inner) {
                    since = self.within(&below);
                } else if !inner.is_empty() {
                    self.sift(inner, &below, taken);
                    // What was refused leaves no empty table behind.
                    return !inner.is_empty();
                }
            }
            taken.extend(since.map(|since| (below, since)));
            since.is_none()
        });
    }

    /// Who made this very key final.
    fn exactly(&self, path: &KeyPath) -> Option<&'a Origin> {
        self.0.iter().find_map(|finals| finals.get(path))
    }

    /// Who made the key final, or what holds it.
    fn above(&self, path: &KeyPath) -> Option<&'a Origin> {
        let mut prefix = KeyPath::root();
        path.segments().iter().find_map(|key| {
            prefix = prefix.child(key);
            self.exactly(&prefix)
        })
    }

    /// Who made something at or below the key final.
    fn within(&self, path: &KeyPath) -> Option<&'a Origin> {
        self.0.iter().find_map(|finals| {
            // Paths in their order: what is below a key follows it at once.
            let (found, origin) = finals.range(path.clone()..).next()?;
            found.is_within(path).then_some(origin)
        })
    }
}
