//! Which layer may set what. Many people may tag an instance and some may
//! write a bucket; what they write is configuration, not the keys to the host.
//!
//! A pattern is a key path whose `*` stands for one key; it covers everything
//! below what it names.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::merge::Layer;
use super::origin::{LayerName, Origin};
use super::path::KeyPath;
use super::secret;

/// What no remote layer may set: where configuration comes from.
const REMOTE_MAY_NOT: &[&str] = &["scope"];

/// What the service layer may not set besides: code that root runs, where data
/// goes, who is told.
const SERVICE_MAY_NOT: &[&str] = &[
    "configuration.playbook",
    "configuration.entry",
    "configuration.exec",
    "configuration.engine",
    "configuration.ansible_playbook",
    "configuration.vault_password",
    "lifecycle.drain",
    "notify",
    "sink.*.url",
    "sink.*.type",
    "sink.*.password",
    "sink.*.bearer",
];

/// A key that its layer may not set. It is reported, never applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// The key.
    pub key: KeyPath,
    /// Who tried to set it.
    pub origin: Origin,
    /// Why it was refused.
    pub reason: String,
}

/// Takes out of a layer what it may not set, and says what that was.
pub fn enforce(layer: &mut Layer) -> Vec<Refused> {
    let mut patterns = Vec::new();
    if layer.name.is_remote() {
        patterns.extend_from_slice(REMOTE_MAY_NOT);
    }
    if layer.name == LayerName::Service {
        patterns.extend_from_slice(SERVICE_MAY_NOT);
    }
    let no_secrets = layer.name == LayerName::Service;
    if patterns.is_empty() {
        return Vec::new();
    }
    let mut taken = Vec::new();
    let mut root = std::mem::take(&mut layer.document.root);
    sift(&mut root, &KeyPath::root(), &patterns, no_secrets, &mut taken);
    layer.document.root = root;
    let mut refused: Vec<Refused> = taken
        .into_iter()
        .map(|(key, reason)| Refused { origin: layer.origin(&key), key, reason })
        .collect();
    let origin = layer.origin(&KeyPath::root());
    layer.document.unset.retain(|key| {
        // Taking away counts as setting, of the key and of all above it.
        let fine = !patterns.iter().any(|pattern| touches(pattern, key));
        if !fine {
            let reason = format!("the {} layer may not unset it", layer.name);
            refused.push(Refused { key: key.clone(), origin: origin.clone(), reason });
        }
        fine
    });
    refused
}

fn sift(
    table: &mut Map<String, Value>,
    path: &KeyPath,
    patterns: &[&str],
    no_secrets: bool,
    taken: &mut Vec<(KeyPath, String)>,
) {
    table.retain(|key, value| {
        let below = path.child(key);
        if patterns.iter().any(|pattern| covers(pattern, &below)) {
            taken.push((below, "this layer may not set it".to_owned()));
            return false;
        }
        if let Value::Object(inner) = value {
            if no_secrets && secret::is_reference(inner) {
                taken.push((below, "this layer may not refer to secrets".to_owned()));
                return false;
            }
            sift(inner, &below, patterns, no_secrets, taken);
        }
        true
    });
}

fn matching(pattern: &str, path: &KeyPath) -> (usize, usize) {
    let pattern: Vec<&str> = pattern.split('.').collect();
    let agree = pattern
        .iter()
        .zip(path.segments())
        .take_while(|(want, have)| **want == "*" || **want == have.as_str())
        .count();
    (agree, pattern.len())
}

/// Whether the path is what the pattern names, or below it.
fn covers(pattern: &str, path: &KeyPath) -> bool {
    let (agree, length) = matching(pattern, path);
    agree == length
}

/// Whether the path is what the pattern names, below it, or above it.
fn touches(pattern: &str, path: &KeyPath) -> bool {
    let (agree, length) = matching(pattern, path);
    agree == length.min(path.segments().len())
}
