//! What can be configured about where configuration comes from. Only the image
//! and local layers may set it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::source::Source;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
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
        /// How long to wait for tags that `require` names.
        tags_wait: Duration = "30s";
        /// Whether http(s) sources may be on this host itself or on its link: loopback and link-local addresses.
        local_targets: bool = false;
        /// What all accounts share.
        global: OneScope;
        /// What one account shares.
        account: OneScope;
        /// What one service is told.
        service: OneScope;
    }

    /// One scope.
    OneScope {
        /// Its sources; later ones win. A text, or { url, format, into, owner }.
        sources: Vec<SourceSettings> = [];
        /// Whether a document that does not exist is a failure.
        required: bool = false;
        /// What happens when a source fails: "last-good" or "fail".
        on_bad: OnBad = "last-good";
        /// Tags that must be there, waited for up to `tags_wait`.
        require: Vec<String> = [];
        /// Tags without the prefix, and the keys that they become.
        import: BTreeMap<String, String> = {};
    }

    /// A source with more about it than its URL.
    SourceTable {
        /// The source.
        url: String;
        /// The format, where neither name nor content type tells: "toml", "yaml", "json".
        format: Option<String>;
        /// The key below which the document's values are put.
        into: Option<String>;
        /// The account that the bucket must belong to, of s3:// and http(s) sources.
        owner: Option<AccountId>;
    }
}

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
                Some(Self { url, format: None, into: None, owner: None })
            }
            Node::Table { .. } => {
                let SourceTable { url, format, into, owner } =
                    SourceTable::read(node, path, reader)?;
                check_owner(node, &url, path, reader);
                Some(Self { url, format, into, owner })
            }
        }
    }
}
