//! A playbook, wherever it is: a directory as it is, anything else fetched,
//! checked and kept on disk.
//!
//! To add a kind: a variant of `Address`, a file beside `archive` and `prefix`, an
//! arm here.

use reqwest::Client;
use std::path::Path;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::address::Address;
use super::error::FetchError;
use super::record::Record;
use super::store::{Kept, Store, Work};
use super::transfer::{Reach, SILENCE};
use super::{Playbook, archive, prefix};
use crate::config::{KeyPath, Merged};
use crate::configure::report::{PlaybookOutcome, PlaybookReport};
use crate::configure::settings::{ConfigurationSettings, Requirements};
use crate::identity::{Identity, Provenance};
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::scope::aws::LazyAws;
use crate::scope::http::Web;

/// What a playbook is obtained with.
#[derive(Debug)]
pub(super) struct Task<'a> {
    /// Where things are.
    pub(super) paths: &'a Paths,
    /// What is wanted.
    pub(super) settings: &'a ConfigurationSettings,
    /// The instance.
    pub(super) identity: &'a Identity,
    /// What files are fetched with.
    pub(super) reach: Reach<'a>,
}

/// A playbook that can be run.
#[derive(Debug)]
pub struct Obtained {
    /// The playbook.
    pub playbook: Playbook,
    /// What tells it from another one.
    pub digest: String,
    /// Where it came from.
    pub report: PlaybookReport,
    /// Why it is not the one that was asked for.
    pub degraded: Option<String>,
    /// What must live as long as the playbook, where it is not kept.
    pub scratch: Option<Work>,
}

/// What becomes of what is fetched.
#[derive(Debug, Clone, Copy)]
pub enum Keeping<'a> {
    /// It is kept, and what is older goes, but for the one of the last success.
    Kept {
        /// The digest of that one.
        good: Option<&'a str>,
    },
    /// It is for a plan: nothing that is kept changes.
    Gone,
}

impl Obtained {
    /// One that was fetched now.
    pub(super) fn fetched(kept: Kept) -> Result<Self, FetchError> {
        let playbook = Playbook { directory: kept.directory.clone() };
        Self::reused(kept, playbook, PlaybookOutcome::Fetched)
    }

    /// One that is kept.
    pub(super) fn reused(
        kept: Kept,
        playbook: Playbook,
        state: PlaybookOutcome,
    ) -> Result<Self, FetchError> {
        let record = kept.record;
        let report = PlaybookReport {
            source: record.source,
            state,
            version: record.object_version.or(record.etag),
            sha256: record.sha256,
            key: record.key,
            name: record.name,
            release: record.release,
            serial: record.serial,
            bytes: record.bytes,
            fetched_at: Some(record.fetched_at),
            error: None,
        };
        Ok(Self { playbook, digest: record.tree, report, degraded: None, scratch: None })
    }

    /// One that is kept, because the right one cannot be had.
    pub(super) fn instead(
        kept: Kept,
        playbook: Playbook,
        error: &FetchError,
    ) -> Result<Self, FetchError> {
        let mut obtained = Self::reused(kept, playbook, PlaybookOutcome::LastGood)?;
        let error = chain_text(error);
        obtained.degraded = Some(format!(
            "the playbook is the one that was fetched at {}: {error}",
            obtained.report.fetched_at.as_deref().unwrap_or_default()
        ));
        obtained.report.error = Some(error);
        Ok(obtained)
    }
}

/// Obtains the playbook that the settings name, if it is not a directory of this
/// host.
pub async fn obtain(
    paths: &Paths,
    client: &Client,
    web: &Web,
    identity: &Identity,
    settings: &ConfigurationSettings,
    keeping: Keeping<'_>,
) -> Result<Option<Obtained>, FetchError> {
    let parsed = Address::parse(&settings.playbook)?;
    let address = parsed.filled(identity)?;
    if !matches!(address, Address::Archive(..)) {
        let about_archives =
            [("sha256", settings.sha256.is_some()), ("signature", settings.signature.is_some())];
        if let Some((key, _)) = about_archives.into_iter().find(|(_, is_set)| *is_set) {
            return Err(FetchError::NotAnArchive { key, playbook: address.to_string() });
        }
    }
    if matches!(address, Address::Directory(_)) {
        return Ok(None);
    }
    let store = match keeping {
        Keeping::Kept { good } => Store::open(paths, good)?,
        Keeping::Gone => Store::for_plan(paths)?,
    };
    let aws = LazyAws::new(client.clone(), identity.region.clone(), SILENCE);
    let reach = Reach {
        web,
        aws: &aws,
        owner: parsed.source().and_then(|source| {
            source.owner(settings.bucket_owner.as_ref(), identity.account.as_deref())
        }),
        s3: OnceCell::new(),
        off_ec2: identity.provenance == Provenance::Host,
        deadline: Instant::now() + settings.fetch_timeout,
    };
    let task = Task { paths, settings, identity, reach };
    let mut obtained = match &address {
        Address::Directory(_) => return Ok(None),
        Address::Prefix { bucket, prefix } => prefix::obtain(&task, &store, bucket, prefix).await?,
        Address::Archive(source, packing) => {
            archive::obtain(&task, &store, source, *packing).await?
        }
    };
    obtained.scratch = store.into_scratch();
    Ok(Some(obtained))
}

/// The playbook of this digest among those that are kept, if it is whole and still
/// trusted. It may be older than what has been accepted since: it is what
/// succeeded on this instance.
pub fn kept(
    paths: &Paths,
    settings: &ConfigurationSettings,
    digest: &str,
) -> Result<Playbook, FetchError> {
    let trusted = |kept: &Kept| {
        let Record { key, sha256, .. } = &kept.record;
        let keys = &settings.trusted_keys;
        let signed = key.as_ref().is_some_and(|id| keys.iter().any(|key| key.id() == id));
        let by_rule = settings.require_signature || (sha256.is_some() && !keys.is_empty());
        signed || !by_rule
    };
    let found = Store::to_read(paths)?.kept().into_iter().find(|kept| kept.record.tree == digest);
    found
        .filter(trusted)
        .and_then(|kept| kept.intact())
        .ok_or_else(|| FetchError::NotKept(digest.to_owned()))
}

/// Refuses, where only what is signed may be run, what is not: a prefix, and
/// what a remote layer names on this host. A directory and a command that the
/// image or the operator names are on the host because they put them there.
pub fn lawful(settings: &ConfigurationSettings, merged: &Merged) -> Result<(), FetchError> {
    if !settings.require_signature {
        return Ok(());
    }
    let refused = |what: String| Err(FetchError::Unsigned { what });
    if settings.trusted_keys.is_empty() {
        return refused("there are no configuration.trusted_keys".to_owned());
    }
    let mut host_keys = vec!["exec", "ansible_playbook"];
    if settings.requirements == Requirements::Install {
        host_keys.push("requirements");
    }
    match Address::parse(&settings.playbook)? {
        Address::Archive(..) => {}
        Address::Prefix { .. } => {
            return refused(format!("'{}' is a prefix, which nobody signs", settings.playbook));
        }
        Address::Directory(_) => host_keys.push("playbook"),
    }
    for key in host_keys {
        let path = KeyPath::root().child("configuration").child(key);
        let origin = merged.root.get(&path).map(|node| node.origin());
        if let Some(origin) = origin.filter(|origin| origin.layer.is_remote()) {
            return refused(format!(
                "configuration.{key} comes from {origin}: only the image and local layers may \
                 say what is run from this host"
            ));
        }
    }
    Ok(())
}

/// Whether the setting names something that is fetched.
pub fn is_remote(setting: &str) -> bool {
    !matches!(Address::parse(setting), Ok(Address::Directory(_)))
}

/// The playbook in a directory, named relative to `base`, where it is relative.
pub fn below(setting: &str, base: &Path) -> String {
    if is_remote(setting) || Path::new(setting).is_absolute() {
        return setting.to_owned();
    }
    base.join(setting).display().to_string()
}
