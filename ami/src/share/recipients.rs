//! With whom: from the command line, else from the account scope's document, by the keys that the
//! Packer template reads too.

use std::collections::BTreeSet;

use gild::config::document::{Document, DocumentError};
use gild::config::format::Format;
use serde_json::{Map, Value};

/// A recipient that is none.
#[derive(Debug, thiserror::Error)]
pub enum RecipientError {
    /// The document cannot be read.
    #[error("failed to understand the account scope's document")]
    Document(#[source] DocumentError),
    /// A value is not what its key holds.
    #[error(
        "'{key}' of the account scope holds {value}: it must be a list of account ids, each twelve digits in quotes"
    )]
    NoAccounts {
        /// The key.
        key: &'static str,
        /// What it holds.
        value: Value,
    },
    /// Nobody is named.
    #[error(
        "nobody is named: give --account or --organization, or name accounts in the account scope's table 'ami'"
    )]
    Nobody,
}

/// With whom images are shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Accounts that may start instances.
    pub accounts: BTreeSet<String>,
    /// Accounts that may make volumes of the snapshots.
    pub snapshot_accounts: BTreeSet<String>,
    /// Organisations, and units of them, by ARN.
    pub organizations: BTreeSet<String>,
}

impl Recipients {
    /// What the account scope's document names: its table `ami`, or the older keys beside it.
    pub fn of_scope(text: &str) -> Result<Self, RecipientError> {
        // JSON is YAML.
        let document =
            Document::parse(text.as_bytes(), Format::Yaml).map_err(RecipientError::Document)?;
        let root = &document.root;
        let accounts =
            first(root, &[("ami", "accounts"), ("", "ami_accounts"), ("", "share_accounts")])?;
        let snapshots = first(root, &[("ami", "snapshot_accounts"), ("", "snapshot_accounts")])?;
        let accounts = accounts.unwrap_or_default();
        let snapshot_accounts = snapshots.unwrap_or_else(|| accounts.clone());
        Ok(Self { accounts, snapshot_accounts, organizations: BTreeSet::new() })
    }

    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The first of these keys that is there.
fn first(
    root: &Map<String, Value>,
    keys: &[(&str, &'static str)],
) -> Result<Option<BTreeSet<String>>, RecipientError> {
    for (table, key) in keys {
        let holder = match *table {
            "" => Some(root),
            table => root.get(table).and_then(Value::as_object),
        };
        let Some(value) = holder.and_then(|holder| holder.get(*key)) else { continue };
        let wrong = || RecipientError::NoAccounts { key, value: value.clone() };
        let id = |value: &Value| value.as_str().filter(|id| is_account(id)).map(str::to_owned);
        let ids = value.as_array().ok_or_else(wrong)?.iter().map(id);
        return ids.collect::<Option<_>>().ok_or_else(wrong).map(Some);
    }
    Ok(None)
}

/// Whether this is an account's id.
pub(super) fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this is the ARN of an organisation or of one of its units.
pub(super) fn is_organization(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    let [scheme, partition, service, region, account, resource] = parts[..] else { return false };
    let kind = resource.split_once('/');
    scheme == "arn"
        && partition.starts_with("aws")
        && service == "organizations"
        && region.is_empty()
        && is_account(account)
        && kind
            .is_some_and(|(kind, rest)| ["organization", "ou"].contains(&kind) && !rest.is_empty())
}

/// Reads an account's id from the command line.
pub fn account(text: &str) -> Result<String, &'static str> {
    is_account(text).then(|| text.to_owned()).ok_or("must be an account's id, twelve digits")
}

/// Reads an organisation's ARN from the command line.
pub fn organization(text: &str) -> Result<String, &'static str> {
    let is_one = is_organization(text);
    is_one.then(|| text.to_owned()).ok_or("must be the ARN of an organisation or of a unit of one")
}
