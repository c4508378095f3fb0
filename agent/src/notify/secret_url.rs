//! URLs that are secrets: whoever knows the URL of a webhook can post there.
//! Written plainly or as a reference, it is masked in every text that leaves the
//! process.

use std::fmt;

use reqwest::Url;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::deliver::Supplies;
use super::error::SendError;
use crate::config::SecretRef;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::platform::http::plain_url;
use crate::platform::redact::Redactor;

/// Shorter parts of a URL are words, longer ones may be tokens.
const SHORTEST_TOKEN: usize = 16;

crate::settings! {
    /// A reference to a URL.
    ReferenceTable {
        /// A parameter in SSM Parameter Store.
        ssm: Option<String>;
        /// A secret in Secrets Manager.
        secretsmanager: Option<String>;
        /// The field of a secret that is a JSON object.
        key: Option<String>;
        /// A file.
        file: Option<String>;
    }
}

/// A URL that is a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretUrl {
    /// Where it is kept.
    Reference(SecretRef),
    /// As it stands in the configuration.
    Plain(Url),
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretUrl::Reference(reference) => write!(formatter, "SecretUrl({reference})"),
            SecretUrl::Plain(_) => formatter.write_str("SecretUrl(…)"),
        }
    }
}

impl SecretUrl {
    /// Registers the URL where it is written plainly.
    pub fn mask(&self, redactor: &Redactor) {
        if let SecretUrl::Plain(url) = self {
            mask(url, redactor);
        }
    }

    /// Where it is kept.
    pub(super) fn reference(&self) -> Option<SecretRef> {
        match self {
            SecretUrl::Reference(reference) => Some(reference.clone()),
            SecretUrl::Plain(_) => None,
        }
    }

    /// The URL.
    pub(super) async fn resolve(&self, supplies: &Supplies) -> Result<Url, SendError> {
        let url = match self {
            SecretUrl::Plain(url) => url.clone(),
            SecretUrl::Reference(reference) => {
                let text = supplies.secrets.resolve(reference).await?;
                let url = plain_url(text.expose_secret().trim());
                url.ok_or_else(|| SendError::NoUrl(reference.to_string()))?
            }
        };
        mask(&url, &supplies.redactor);
        Ok(url)
    }
}

/// Registers a URL, and the parts of it that may be tokens.
pub(super) fn mask(url: &Url, redactor: &Redactor) {
    redactor.add(url.as_str());
    let segments = url.path_segments().into_iter().flatten().map(str::to_owned);
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    for part in segments.chain(values).filter(|part| part.len() >= SHORTEST_TOKEN) {
        redactor.add(&part);
    }
}

impl Setting for SecretUrl {
    fn shape() -> Shape {
        Shape::TextOr(ReferenceTable::fields())
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let read = match node.to_value() {
            Value::String(text) => plain_url(&text).map(SecretUrl::Plain),
            Value::Object(table) => SecretRef::from_table(&table).map(SecretUrl::Reference),
            _ => None,
        };
        if read.is_none() {
            let message = "must be a URL that begins with https:// or http://, without user or \
                           password, or a reference to one such as { ssm = \"/path\" }";
            reader.hidden_problem(node, path, message);
        }
        read
    }
}
