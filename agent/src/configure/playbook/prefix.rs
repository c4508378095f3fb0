//! A prefix of a bucket that holds a playbook as many objects, which is the older
//! layout. Whoever publishes there writes one object after the other, so what is
//! there may be half of it.
//!
//! The prefix is listed before and after; each object must still be the one that
//! was listed; and where there is a `manifest.json`, every file must be in it and
//! as it says. Otherwise all of it is fetched anew, a few times. Only a manifest
//! shows that a publisher has come to an end; publish it last.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;

use super::error::FetchError;
use super::fetch::{Obtained, Task};
use super::listing::Listing;
use super::name::shown;
use super::record::{Record, VERSION};
use super::store::{Kept, Store};
use super::transfer::{self, TransferError, Wanted};
use super::tree::Tree;
use super::{MOST_ENTRIES, Playbook};
use crate::configure::report::PlaybookOutcome;
use crate::platform::clock;
use crate::scope::fetch::together;
use crate::scope::source::Source;

/// How many objects are fetched at the same time.
const SIDE_BY_SIDE: usize = 8;

/// How often everything is fetched, where it changes meanwhile.
const ROUNDS: u32 = 4;

/// How long to wait before the next round: uploads take a moment.
const PAUSE: Duration = Duration::from_secs(1);

/// The file that says what a playbook consists of.
const MANIFEST: &str = "manifest.json";

/// The largest manifest.
const LARGEST_MANIFEST: u64 = 8 << 20;

/// Every file of a playbook but the manifest, and its SHA-256.
#[derive(Debug, Deserialize)]
struct Manifest {
    files: BTreeMap<String, String>,
}

/// Obtains the playbook below a prefix.
pub(super) async fn obtain(
    task: &Task<'_>,
    store: &Store,
    bucket: &str,
    prefix: &str,
) -> Result<Obtained, FetchError> {
    let shown = format!("s3://{bucket}/{prefix}");
    let same = |kept: &Kept| kept.record.source == shown && kept.record.listing.is_some();
    let whole = |kept: Kept| kept.intact().map(|playbook| (kept, playbook));
    let last = store.kept().into_iter().filter(same).find_map(whole);
    let before = last.as_ref().and_then(|(kept, _)| kept.record.listing.as_deref());
    match (fresh(task, store, bucket, prefix, before).await, last) {
        (Ok(Some(kept)), _) => Obtained::fetched(kept),
        (Ok(None), Some((kept, playbook))) => {
            Obtained::reused(store.use_now(kept)?, playbook, PlaybookOutcome::Reused)
        }
        (Ok(None), None) => Err(FetchError::Nothing(shown)),
        (Err(error), Some((kept, playbook))) => {
            Obtained::instead(store.use_now(kept)?, playbook, &error)
        }
        (Err(error), None) => Err(error),
    }
}

/// Fetches everything; `None` where the listing is the one of `last`.
async fn fresh(
    task: &Task<'_>,
    store: &Store,
    bucket: &str,
    prefix: &str,
    last: Option<&str>,
) -> Result<Option<Kept>, FetchError> {
    let mut listing = Listing::ask(&task.reach, bucket, prefix).await?;
    if last == Some(listing.digest().as_str()) {
        return Ok(None);
    }
    let mut round = 1;
    loop {
        let work = store.work()?;
        let tree = work.path("tree");
        let fetched = whole(task, bucket, &listing, &tree).await;
        let now = Listing::ask(&task.reach, bucket, prefix).await?;
        let why = match fetched {
            Ok(()) if now == listing => {
                let record = record(&listing, format!("s3://{bucket}/{prefix}"), &tree)?;
                let name = record.tree.clone();
                return store.put(&tree, &name, record).map(Some).map_err(FetchError::from);
            }
            Ok(()) => FetchError::Changing(format!("s3://{bucket}/{prefix}")),
            Err(error) if error.is_unfinished() => error,
            Err(error) => return Err(error),
        };
        let ends = tokio::time::Instant::now() + PAUSE;
        if round == ROUNDS || ends >= task.reach.deadline {
            return Err(why);
        }
        tokio::time::sleep_until(ends).await;
        // What is there after the pause, not what was there before it.
        listing = Listing::ask(&task.reach, bucket, prefix).await?;
        round += 1;
    }
}

/// Everything that is listed, into a new directory, checked where there is a
/// manifest.
async fn whole(
    task: &Task<'_>,
    bucket: &str,
    listing: &Listing,
    into: &Path,
) -> Result<(), FetchError> {
    let mut tree = Tree::create(into, MOST_ENTRIES)
        .map_err(|source| FetchError::Read { path: into.to_owned(), source })?;
    for object in &listing.objects {
        tree.above(&object.name)
            .map_err(|_| FetchError::FileAndDirectory(shown(object.key.as_bytes())))?;
    }
    let next = AtomicUsize::new(0);
    let digests = Mutex::new(BTreeMap::new());
    let worker = async || {
        while let Some(object) = listing.objects.get(next.fetch_add(1, Ordering::Relaxed)) {
            let source = Source::S3 { bucket: bucket.to_owned(), key: object.key.clone() };
            let path = into.join(object.name.path());
            let failed = |error| FetchError::Transfer { what: source.to_string(), source: error };
            let wanted = Wanted::Only(&object.etag);
            let arrived = transfer::fetch(&task.reach, &source, wanted, object.size, &path).await;
            let arrived = match arrived {
                Ok(Some(arrived)) if arrived.bytes == object.size => arrived,
                Ok(_) | Err(TransferError::Absent | TransferError::TooLarge(_)) => {
                    return Err(failed(TransferError::Changed));
                }
                Err(error) => return Err(failed(error)),
            };
            fs::set_permissions(&path, Permissions::from_mode(0o644))
                .map_err(|source| FetchError::Read { path, source })?;
            if let Ok(mut digests) = digests.lock() {
                digests.insert(object.name.path(), arrived.sha256);
            }
        }
        Ok(())
    };
    let workers = (0..SIDE_BY_SIDE).map(|_| worker()).collect();
    together(workers).await.into_iter().collect::<Result<(), _>>()?;
    if listing.get(MANIFEST).is_none() {
        return Ok(());
    }
    let manifest = manifest(&into.join(MANIFEST))?;
    let mut digests = digests.into_inner().unwrap_or_default();
    digests.remove(Path::new(MANIFEST));
    for (name, expected) in &manifest.files {
        match digests.remove(Path::new(name)) {
            Some(found) if found.eq_ignore_ascii_case(expected) => {}
            Some(_) => {
                return Err(FetchError::Manifest {
                    name: shown(name.as_bytes()),
                    how: "is another file than",
                });
            }
            None => {
                return Err(FetchError::Manifest {
                    name: shown(name.as_bytes()),
                    how: "is missing, and is in",
                });
            }
        }
    }
    match digests.first_key_value() {
        None => Ok(()),
        Some((path, _)) => Err(FetchError::Manifest {
            name: shown(path.as_os_str().as_encoded_bytes()),
            how: "is not in",
        }),
    }
}

fn manifest(path: &Path) -> Result<Manifest, FetchError> {
    let failed = |source| FetchError::Read { path: path.to_owned(), source };
    let bytes = crate::platform::fs::read_capped(path, LARGEST_MANIFEST).map_err(failed)?;
    serde_json::from_slice(&bytes.unwrap_or_default()).map_err(FetchError::NoManifest)
}

/// What is remembered about a prefix that was fetched.
fn record(listing: &Listing, source: String, tree: &Path) -> Result<Record, FetchError> {
    let digest = Playbook { directory: tree.to_owned() }.digest()?;
    Ok(Record {
        version: VERSION,
        turn: 0,
        source,
        tree: digest,
        sha256: None,
        etag: None,
        object_version: None,
        listing: Some(listing.digest()),
        key: None,
        name: None,
        release: None,
        serial: None,
        bytes: listing.objects.iter().map(|object| object.size).sum(),
        fetched_at: clock::now_text(),
    })
}
