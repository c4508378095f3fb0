//! What can be configured about where configuration comes from. Only the image
//! and local layers may set it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::source::Source;
use crate::config::LayerName;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::config::trust::{self, Pattern, Rights};
use crate::config::types::{AccountId, Period};

crate::choices! {
    /// What happens when a scope cannot be had.
    OnBad {
        /// Its last valid copy is used, and the boot is degraded.
        "last-good" => LastGood,
        /// The boot fails.
        "fail" => Fail,
    }
}

crate::settings! {
    /// Where configuration comes from.
    ScopeSettings {
        /// The time that all sources have together.
        deadline: Duration = "60s";
        /// The time that one attempt at one source has.
        attempt_timeout: Duration = "5s";
        /// How often the daemon looks whether anything has changed. Each instance at a time of its own.
        refresh: Duration as Period = "5m";
        /// Whether an http(s) source may be at a loopback or link-local address. Off, so that
        /// neither a tag in a URL nor a name server can point a question at this host.
        local_targets: bool = false;
        /// How long to wait for tags that `require` names.
        tags_wait: Duration = "30s";
        /// What all accounts share.
        global: OneScope;
        /// What one account shares.
        account: OneScope;
        /// What one service is told.
        service: OneScope as ServiceScope;
    }

    /// One scope.
    OneScope {
        /// Its sources; later ones win. A text, or { url, format, into, owner, required }.
        sources: Vec<SourceSettings> = [];
        /// Whether it is a failure that none of its sources has a document.
        required: bool = false;
        /// What happens when a source fails: "last-good" or "fail".
        on_bad: OnBad = "last-good";
        /// Tags that must be there, waited for up to `tags_wait`.
        require: Vec<String> = [];
        /// Tags without the prefix, and the keys that they become.
        import: BTreeMap<String, String> = {};
        /// What this layer may set, as patterns of keys; the last one that covers a
        /// key decides, and `!` takes away. No remote layer may ever set `scope` or
        /// Ansible's own variables, nor the service layer references to secrets.
        may_set: Vec<Pattern> = (trust::ALL);
        /// Whether an answer with fewer than half of the keys of the last valid copy
        /// is accepted.
        accept_shrink: bool = false;
    }

    /// A source with more about it than its URL.
    SourceTable {
        /// The source.
        url: String;
        /// The format, where neither name nor content type tells: "toml", "yaml", "json".
        format: Option<String>;
        /// The key below which the document's values are put.
        into: Option<String>;
        /// The account that the bucket must belong to: of s3:// and http(s) sources. Where a
        /// bucket's name holds {account}, it is the instance's own unless this says another.
        owner: Option<AccountId>;
        /// Whether it is a failure that there is no such document, whatever other sources
        /// the scope has: where a placeholder names it, a typo would else leave it out.
        required: bool = false;
    }
}

impl ScopeSettings {
    /// The scope of a layer, where the layer has one.
    pub fn of(&self, layer: LayerName) -> Option<&OneScope> {
        match layer {
            LayerName::Global => Some(&self.global),
            LayerName::Account => Some(&self.account),
            LayerName::Service => Some(&self.service),
            LayerName::Builtin | LayerName::Image | LayerName::Local => None,
        }
    }

    /// What each layer may set.
    pub fn rights(&self) -> Rights {
        Rights {
            global: self.global.may_set.clone(),
            account: self.account.may_set.clone(),
            service: self.service.may_set.clone(),
        }
    }
}

/// How the scope of the service layer is read: many people may tag, so its
/// `may_set` has a default of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceScope(OneScope);

impl From<ServiceScope> for OneScope {
    fn from(scope: ServiceScope) -> Self {
        scope.0
    }
}

impl Setting for ServiceScope {
    fn shape() -> Shape {
        let mut fields = OneScope::fields();
        for field in fields.iter_mut().filter(|field| field.key == MAY_SET) {
            field.default = Some(trust::SERVICE.into());
        }
        Shape::Table(fields)
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let mut node = node.clone();
        if let Node::Table { origin, entries } = &mut node {
            let default = Node::from_value(&trust::SERVICE.into(), origin);
            entries.entry(MAY_SET.to_owned()).or_insert(default);
        }
        OneScope::read(&node, path, reader).map(Self)
    }

    fn absent(table: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let empty = Node::Table { origin: table.origin().clone(), entries: BTreeMap::new() };
        Self::read(&empty, path, reader)
    }
}

/// The key of what a layer may set.
const MAY_SET: &str = "may_set";

/// A source: a text, or a table with more about it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSettings {
    /// The source, its placeholders not yet filled.
    pub url: String,
    /// The format, where it was said.
    pub format: Option<String>,
    /// The key below which the document's values are put.
    pub into: Option<String>,
    /// The account that the bucket must belong to.
    pub owner: Option<AccountId>,
    /// Whether there must be a document.
    pub required: bool,
}

/// Notes an owner where nobody could be asked whether it is the owner.
fn check_owner(table: &Node, url: &str, path: &KeyPath, reader: &mut Reader) {
    let Some(owner) = table.get(&KeyPath::root().child("owner")) else { return };
    // What is not a source is named when it is asked for.
    if let Ok(source) = Source::parse(url)
        && !matches!(source, Source::S3 { .. } | Source::Http(_))
    {
        let message =
            format!("must be left out: only s3:// and http(s) sources have one, not {url}");
        reader.problem(owner, &path.child("owner"), &message);
    }
}

impl Setting for SourceSettings {
    fn shape() -> Shape {
        Shape::TextOr(SourceTable::fields())
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        match node {
            Node::Leaf(_) => {
                let url = String::read(node, path, reader)?;
                Some(Self { url, format: None, into: None, owner: None, required: false })
            }
            Node::Table { .. } => {
                let SourceTable { url, format, into, owner, required } =
                    SourceTable::read(node, path, reader)?;
                check_owner(node, &url, path, reader);
                Some(Self { url, format, into, owner, required })
            }
        }
    }
}
