//! Which layer may set what. Many people may tag an instance and some may
//! write a bucket; what they write is configuration, not the keys to the host.
//!
//! `enforce` looks at one document at a time, before the merge; what only shows
//! in what all say together is found by `references`, after it. To forbid a
//! key: one pattern in one of the lists here, and a word in `config/README.md`.

mod pattern;
mod references;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::pattern::{covers, touches};
pub use self::references::{enforce_references, references_among};
use super::merge::Layer;
use super::origin::{LayerName, Origin};
use super::path::KeyPath;
use super::secret;

/// What no remote layer may set: where configuration comes from, and who must
/// have signed what is run.
const REMOTE_MAY_NOT: &[&str] =
    &["scope", "configuration.trusted_keys", "configuration.require_signature"];

/// What no remote layer may set either: the variables that are Ansible's own.
/// The step's variables outrank all others, so these would choose what connects
/// to the host, with which arguments, and which interpreter root runs.
const ANSIBLE: &[&str] = &[
    "vars.ansible_*",
    "vars._ansible_*",
    "vars.discovered_interpreter_*",
    "vars.environment",
    "vars.group_names",
    "vars.groups",
    "vars.hostvars",
    "vars.inventory_dir",
    "vars.inventory_file",
    "vars.inventory_hostname",
    "vars.inventory_hostname_short",
    "vars.omit",
    "vars.play_hosts",
    "vars.playbook_dir",
    "vars.role_path",
    "vars.vars",
    // What gild itself tells the playbook about the instance.
    "vars.gild",
];

/// What the service layer may not set besides: what root runs and when, where
/// data goes and what that costs, who is told. Whole tables, so that a refused
/// key never leaves half an entry behind.
const SERVICE_MAY_NOT: &[&str] = &["configuration", "lifecycle.drain", "notify", "sink"];

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

/// Patterns, and why what they cover is refused.
type Rule = (&'static [&'static str], &'static str);

/// What a layer may not set.
fn rules(layer: LayerName) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    if layer.is_remote() {
        rules.push((REMOTE_MAY_NOT, "only the image and local layers may say that"));
        rules.push((ANSIBLE, "it is Ansible's own; only the image and local layers may say that"));
    }
    if layer == LayerName::Service {
        rules.push((SERVICE_MAY_NOT, "the service layer may not say that"));
    }
    rules
}

/// Takes out of a layer what it may not set, and says what that was.
pub fn enforce(layer: &mut Layer) -> Vec<Refused> {
    let rules = rules(layer.name);
    if rules.is_empty() {
        return Vec::new();
    }
    let mut sieve =
        Sieve { rules: &rules, no_secrets: !references::may_refer(layer.name), taken: Vec::new() };
    let mut root = std::mem::take(&mut layer.document.root);
    sieve.sift(&mut root, &KeyPath::root());
    layer.document.root = root;
    let mut refused: Vec<Refused> = sieve
        .taken
        .into_iter()
        .map(|(key, reason)| Refused { origin: layer.origin(&key), key, reason: reason.to_owned() })
        .collect();
    let origin = layer.origin(&KeyPath::root());
    layer.document.unset.retain(|key| {
        // Taking away counts as setting, of the key and of all above it.
        let fine =
            !rules.iter().flat_map(|(patterns, _)| *patterns).any(|pattern| touches(pattern, key));
        if !fine {
            let reason = format!("the {} layer may not unset it", layer.name);
            refused.push(Refused { key: key.clone(), origin: origin.clone(), reason });
        }
        fine
    });
    refused
}

/// What takes keys out of a document.
struct Sieve<'a> {
    rules: &'a [Rule],
    no_secrets: bool,
    taken: Vec<(KeyPath, &'static str)>,
}

impl Sieve<'_> {
    fn sift(&mut self, table: &mut Map<String, Value>, path: &KeyPath) {
        table.retain(|key, value| {
            let below = path.child(key);
            if let Some(reason) = self.against(&below) {
                self.taken.push((below, reason));
                return false;
            }
            if let Value::Object(inner) = value {
                if self.no_secrets && secret::is_reference(inner) {
                    self.taken.push((below, "this layer may not refer to secrets"));
                    return false;
                }
                self.sift(inner, &below);
            }
            true
        });
    }

    fn against(&self, path: &KeyPath) -> Option<&'static str> {
        let rule = |(patterns, _): &&Rule| patterns.iter().any(|pattern| covers(pattern, path));
        self.rules.iter().find(rule).map(|(_, reason)| *reason)
    }
}
