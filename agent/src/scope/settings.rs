//! What can be configured about where configuration comes from. Only the image
//! and local layers may set it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::config::types::Period;

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
        /// Its sources; later ones win. A text, or { url, format, into }.
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
}

impl Setting for SourceSettings {
    fn shape() -> Shape {
        Shape::TextOr(SourceTable::fields())
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        match node {
            Node::Leaf(_) => {
                String::read(node, path, reader).map(|url| Self { url, format: None, into: None })
            }
            Node::Table { .. } => SourceTable::read(node, path, reader).map(|table| Self {
                url: table.url,
                format: table.format,
                into: table.into,
            }),
        }
    }
}
