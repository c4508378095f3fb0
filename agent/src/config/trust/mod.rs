//! Which layer may set what. Many people may tag an instance and some may
//! write a bucket; what they write is configuration, not the keys to the host.
//!
//! `enforce` looks at one document at a time, before the merge; what only shows
//! in what all say together is found by `references`, after it, and `finals`
//! keeps what a lower layer has made final. To forbid a key: one pattern in one
//! of the lists here, and a word in `config/README.md`.

mod finals;
mod pattern;
mod references;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::finals::Finals;
pub use self::pattern::Pattern;
use self::pattern::{Decision, decide};
pub use self::references::{enforce_references, references_among};
use super::merge::Layer;
use super::origin::{LayerName, Origin};
use super::path::KeyPath;
use super::secret;

/// What the global and account layers may set where nobody says otherwise.
pub const ALL: &[&str] = &["*"];

/// What the service layer may set where nobody says otherwise: not what root
/// runs and when, nor what the daemon runs, where data goes and what that costs, who is
/// told. Whole tables, so that a refused key never leaves half an entry behind; a
/// service that has lost its `exec` is one with less to look at, and up by nothing else.
pub const SERVICE: &[&str] =
    &["*", "!configuration", "!sink", "!notify", "!lifecycle.drain", "!service.*.exec"];

/// What remote layers may set at most: not where configuration comes from, and not
/// who must have signed what is run.
const REMOTE: &[&str] =
    &["*", "!scope", "!configuration.trusted_keys", "!configuration.require_signature"];

/// What remote layers may set at most, besides: not the variables that are
/// Ansible's own. The step's variables outrank all others, so these would choose
/// what connects to the host, with which arguments, and which interpreter root
/// runs.
const PLAYBOOK: &[&str] = &[
    "*",
    "!vars.ansible_*",
    "!vars._ansible_*",
    "!vars.discovered_interpreter_*",
    "!vars.environment",
    "!vars.group_names",
    "!vars.groups",
    "!vars.hostvars",
    "!vars.inventory_dir",
    "!vars.inventory_file",
    "!vars.inventory_hostname",
    "!vars.inventory_hostname_short",
    "!vars.omit",
    "!vars.play_hosts",
    "!vars.playbook_dir",
    "!vars.role_path",
    "!vars.vars",
    // What gild itself tells the playbook about the instance.
    "!vars.gild",
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

/// What each remote layer may set. What no list can give: `scope`, Ansible's
/// own variables, and references to secrets in the service layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// What the global layer may set.
    pub global: Vec<Pattern>,
    /// What the account layer may set.
    pub account: Vec<Pattern>,
    /// What the service layer may set.
    pub service: Vec<Pattern>,
}

impl Default for Rights {
    fn default() -> Self {
        let all = Pattern::list(ALL);
        Self { global: all.clone(), account: all, service: Pattern::list(SERVICE) }
    }
}

impl Rights {
    /// What a layer may set; `None` where it may set everything.
    fn rules(&self, layer: LayerName) -> Option<[Rule; 3]> {
        let may_set = match layer {
            LayerName::Global => &self.global,
            LayerName::Account => &self.account,
            LayerName::Service => &self.service,
            LayerName::Builtin | LayerName::Image | LayerName::Local => return None,
        };
        let rule = |patterns, reason: &str| Rule { patterns, reason: reason.to_owned() };
        Some([
            rule(Pattern::list(REMOTE), "only the image and local layers may say that"),
            rule(
                Pattern::list(PLAYBOOK),
                "it is Ansible's own; only the image and local layers may say that",
            ),
            rule(may_set.clone(), &format!("scope.{layer}.may_set does not allow it")),
        ])
    }
}

/// Patterns, and why what they do not allow is refused.
struct Rule {
    patterns: Vec<Pattern>,
    reason: String,
}

/// Takes out of a layer what it may not set, and says what that was.
pub fn enforce(layer: &mut Layer, rights: &Rights) -> Vec<Refused> {
    let Some(rules) = rights.rules(layer.name) else { return Vec::new() };
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
    // Taking away counts as setting, of the key and of all that is below it.
    let origin = layer.origin_of("unset");
    layer.document.unset.retain(|key| {
        let against = against(&rules, key, Extent::All);
        refused.extend(against.map(|reason| refusal("unset", key, &origin, reason)));
        against.is_none()
    });
    let origin = layer.origin_of("final");
    layer.document.finals.retain(|key| {
        let against = against(&rules, key, Extent::Key);
        refused.extend(against.map(|reason| refusal("final", key, &origin, reason)));
        against.is_none()
    });
    refused
}

fn refusal(directive: &str, key: &KeyPath, origin: &Origin, reason: &str) -> Refused {
    let reason = format!("{directive}: {reason}");
    Refused { key: key.clone(), origin: origin.clone(), reason }
}

/// How much of what a path names is asked about.
#[derive(Clone, Copy)]
enum Extent {
    /// The key itself.
    Key,
    /// It and everything below it.
    All,
    /// It or anything below it.
    Any,
}

/// What speaks against a key.
fn against<'a>(rules: &'a [Rule], path: &KeyPath, extent: Extent) -> Option<&'a str> {
    let refuses = |rule: &&Rule| {
        let Decision { allowed, mixed } = decide(&rule.patterns, path);
        match extent {
            Extent::Key => !allowed,
            Extent::All => !allowed || mixed,
            Extent::Any => !allowed && !mixed,
        }
    };
    rules.iter().find(refuses).map(|rule| rule.reason.as_str())
}

/// What takes keys out of a document.
struct Sieve<'a> {
    rules: &'a [Rule],
    no_secrets: bool,
    taken: Vec<(KeyPath, &'a str)>,
}

impl Sieve<'_> {
    fn sift(&mut self, table: &mut Map<String, Value>, path: &KeyPath) {
        table.retain(|key, value| {
            let below = path.child(key);
            let reason = match value {
                // A reference is one thing, although it is written as a table.
                Value::Object(inner) if secret::is_reference(inner) => {
                    let secrets = self.no_secrets.then_some("this layer may not refer to secrets");
                    against(self.rules, &below, Extent::All).or(secrets)
                }
                Value::Object(inner) if !inner.is_empty() => {
                    let reason = against(self.rules, &below, Extent::Any);
                    if reason.is_none() {
                        self.sift(inner, &below);
                        // What was refused leaves no empty table behind.
                        return !inner.is_empty();
                    }
                    reason
                }
                _ => against(self.rules, &below, Extent::Key),
            };
            self.taken.extend(reason.map(|reason| (below, reason)));
            reason.is_none()
        });
    }
}
