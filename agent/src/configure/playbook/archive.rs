//! One archive: fetched, checked, unpacked, kept; or the one that is kept already.
//!
//! Nothing is unpacked before its digest and its signature hold. With a digest in
//! the configuration the one on disk is the right one and nobody is asked; without
//! one, the source is asked whether it still has the same.

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use super::error::FetchError;
use super::fetch::{Obtained, Task};
use super::packing::Packing;
use super::record::{Record, VERSION};
use super::serial::Serials;
use super::signature::{self, Signed};
use super::store::{Kept, Store};
use super::transfer::{self, Arrived, TransferError, Wanted};
use super::unpack::{Limits, unpack};
use super::{LARGEST_ARCHIVE, MOST_BYTES, MOST_ENTRIES, Playbook, address};
use crate::configure::report::PlaybookOutcome;
use crate::platform::clock;
use crate::scope::source::Source;

/// The largest signature: four short lines.
const LARGEST_SIGNATURE: u64 = 8 << 10;

/// How often an archive and its signature are fetched anew, where the signature
/// becomes another one meanwhile.
const ROUNDS: u32 = 3;

/// Obtains the playbook in the archive at `source`.
pub(super) async fn obtain(
    task: &Task<'_>,
    store: &Store,
    source: &Source,
    packing: Packing,
) -> Result<Obtained, FetchError> {
    let settings = task.settings;
    let pinned = settings.sha256.as_ref().map(|digest| digest.as_str());
    if pinned.is_none() && settings.trusted_keys.is_empty() {
        return Err(FetchError::Unverifiable);
    }
    let serials = Serials::load(&store.serials())?;
    let fit: Vec<Kept> =
        store.kept().into_iter().filter(|kept| is_fit(kept, task, &serials)).collect();
    if let Some(pinned) = pinned {
        let kept = fit.iter().find(|kept| kept.record.sha256.as_deref() == Some(pinned));
        if let Some((kept, playbook)) = kept.and_then(whole) {
            return Obtained::reused(store.use_now(kept)?, playbook, PlaybookOutcome::Reused);
        }
    }
    let shown = source.to_string();
    let same = |kept: &&Kept| kept.record.source == shown && pinned.is_none();
    let last = fit.iter().filter(same).find_map(whole);
    match fresh(task, store, source, packing, serials, last.as_ref().map(|(kept, _)| kept)).await {
        Ok(Some(obtained)) => Ok(obtained),
        Ok(None) => match last {
            Some((kept, playbook)) => {
                Obtained::reused(store.use_now(kept)?, playbook, PlaybookOutcome::Reused)
            }
            None => Err(FetchError::Transfer { what: shown, source: TransferError::Changed }),
        },
        Err(error) => match last {
            Some((kept, playbook)) => Obtained::instead(store.use_now(kept)?, playbook, &error),
            None => Err(error),
        },
    }
}

fn whole(kept: &Kept) -> Option<(Kept, Playbook)> {
    kept.intact().map(|playbook| (kept.clone(), playbook))
}

/// Whether what is kept is what would be accepted now.
fn is_fit(kept: &Kept, task: &Task<'_>, serials: &Serials) -> bool {
    let record = &kept.record;
    let keys = &task.settings.trusted_keys;
    let signed = keys.is_empty()
        || record.key.as_ref().is_some_and(|id| keys.iter().any(|key| key.id() == id));
    let recent = keys.is_empty() || serials.check(record.name.as_deref(), record.serial).is_ok();
    record.sha256.is_some() && signed && recent
}

/// Fetches, checks and unpacks; `None` where the source still has `last`.
async fn fresh(
    task: &Task<'_>,
    store: &Store,
    source: &Source,
    packing: Packing,
    mut serials: Serials,
    last: Option<&Kept>,
) -> Result<Option<Obtained>, FetchError> {
    let work = store.work()?;
    let archive = work.path("archive");
    let etag = last.and_then(|last| last.record.etag.as_deref());
    let mut wanted = etag.map_or(Wanted::Any, Wanted::Unless);
    let mut before = String::new();
    let mut round = 1;
    let (arrived, signed) = loop {
        let failed = |error| FetchError::Transfer { what: source.to_string(), source: error };
        let arrived = transfer::fetch(&task.reach, source, wanted, LARGEST_ARCHIVE, &archive).await;
        let Some(arrived) = arrived.map_err(failed)? else { return Ok(None) };
        pinned(task, source, &arrived)?;
        if task.settings.trusted_keys.is_empty() {
            break (arrived, Signed::default());
        }
        let text = signature_text(task, source, &work.path("signature")).await?;
        match signature::verify(&archive, &text, &task.settings.trusted_keys) {
            Ok(signed) => break (arrived, signed),
            // Between the two answers somebody may have replaced both.
            Err(error) if round == ROUNDS || text == before => {
                return Err(FetchError::Signature { what: source.to_string(), source: error });
            }
            Err(_) => {}
        }
        before = text;
        wanted = Wanted::Any;
        round += 1;
    };
    if !task.settings.trusted_keys.is_empty() {
        serials.check(signed.name.as_deref(), signed.serial)?;
    }
    let tree = work.path("tree");
    unpacked(&archive, packing, &tree, task.reach.deadline.into_std()).await?;
    let playbook = Playbook { directory: tree.clone() };
    let digest = playbook.digest()?;
    // Before the switch: what a crash leaves behind is then the stricter rule.
    if !store.is_for_plan() {
        serials.accept(&signed)?;
    }
    let Arrived { etag, version, bytes, sha256 } = arrived;
    let record = Record {
        version: VERSION,
        turn: 0,
        source: source.to_string(),
        tree: digest,
        sha256: Some(sha256.clone()),
        etag,
        object_version: version,
        listing: None,
        key: Some(signed.key).filter(|key| !key.is_empty()),
        name: signed.name,
        release: signed.release,
        serial: signed.serial,
        bytes,
        fetched_at: clock::now_text(),
    };
    let kept = store.put(&tree, &sha256, record)?;
    Obtained::fetched(kept).map(Some)
}

/// Whether the archive is the one that the configuration names.
fn pinned(task: &Task<'_>, source: &Source, arrived: &Arrived) -> Result<(), FetchError> {
    match &task.settings.sha256 {
        Some(expected) if expected.as_str() != arrived.sha256 => Err(FetchError::Digest {
            what: source.to_string(),
            expected: expected.as_str().to_owned(),
            found: arrived.sha256.clone(),
        }),
        _ => Ok(()),
    }
}

/// The text of the signature, from where the settings say or from beside the
/// archive.
async fn signature_text(
    task: &Task<'_>,
    archive: &Source,
    to: &Path,
) -> Result<String, FetchError> {
    let source = match &task.settings.signature {
        Some(text) => address::signature(text, task.identity)?,
        None => match archive {
            Source::S3 { bucket, key } => {
                Source::S3 { bucket: bucket.clone(), key: format!("{key}.minisig") }
            }
            other => Source::Http(format!("{other}.minisig")),
        },
    };
    let what = || format!("the signature '{source}'");
    let path = match &source {
        Source::File(path) => task.paths.host(path),
        remote => {
            transfer::fetch(&task.reach, remote, Wanted::Any, LARGEST_SIGNATURE, to)
                .await
                .map_err(|source| FetchError::Transfer { what: what(), source })?;
            to.to_owned()
        }
    };
    let bytes = crate::platform::fs::read_capped(&path, LARGEST_SIGNATURE);
    let read = |error| FetchError::Read { path: path.clone(), source: error };
    let bytes = bytes.map_err(read)?.ok_or_else(|| read(std::io::ErrorKind::NotFound.into()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Unpacks on a thread of its own, so that a signal is still heard.
async fn unpacked(
    archive: &Path,
    packing: Packing,
    into: &Path,
    deadline: Instant,
) -> Result<(), FetchError> {
    let limits = Limits { entries: MOST_ENTRIES, bytes: MOST_BYTES, deadline: Some(deadline) };
    let read = |source| FetchError::Read { path: archive.to_owned(), source };
    let file = File::open(archive).map_err(read)?;
    let into = into.to_owned();
    let unpacking = tokio::task::spawn_blocking(move || unpack(packing.open(file), &into, &limits));
    unpacking.await.map_err(|error| read(error.into()))??;
    // Its room is worth more than it is: the directory is all that is run.
    fs::remove_file(archive).map_err(read)
}
