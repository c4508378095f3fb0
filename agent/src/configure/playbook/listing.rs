//! What lies below a prefix of a bucket: the keys with their entity tags and
//! sizes, and one digest of all that, which is another one as soon as anything
//! is added, changed or removed.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::error::FetchError;
use super::name::{Name, shown};
use super::transfer::{Reach, SILENCE, TransferError};
use crate::platform::aws::AwsError;
use crate::platform::hex::hex;
use crate::scope::error::SourceError;

/// The most objects of a playbook.
const MOST_OBJECTS: usize = 20_000;

/// The most bytes of all objects of a playbook.
const MOST_BYTES: u64 = 256 << 20;

/// The most pages of a listing: hidden objects count there too.
const MOST_PAGES: usize = 100;

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    /// Its name below the prefix.
    pub(super) name: Name,
    /// Its key.
    pub(super) key: String,
    /// Its entity tag.
    pub(super) etag: String,
    /// How long it is.
    pub(super) size: u64,
}

/// All objects of a playbook, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// The objects.
    pub(super) objects: Vec<Object>,
}

impl Listing {
    /// Asks for everything below a prefix.
    pub(super) async fn ask(
        reach: &Reach<'_>,
        bucket: &str,
        prefix: &str,
    ) -> Result<Self, FetchError> {
        let shown_prefix = format!("s3://{bucket}/{prefix}");
        let failed = |source| FetchError::Transfer { what: shown_prefix.clone(), source };
        let mut objects = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let (found, more) = tried(reach, bucket, prefix, next).await.map_err(failed)?;
            for (key, etag, size) in found {
                objects.extend(object(key, etag, size, prefix)?);
            }
            if objects.len() > MOST_OBJECTS {
                return Err(FetchError::TooManyObjects(MOST_OBJECTS));
            }
            next = more;
            if next.is_none() {
                return Self::of(objects, &shown_prefix);
            }
        }
        Err(FetchError::TooManyObjects(MOST_OBJECTS))
    }

    /// The listing of these objects, if they can be a playbook.
    fn of(mut objects: Vec<Object>, prefix: &str) -> Result<Self, FetchError> {
        if objects.is_empty() {
            return Err(FetchError::Nothing(prefix.to_owned()));
        }
        let bytes = objects.iter().fold(0u64, |sum, object| sum.saturating_add(object.size));
        if bytes > MOST_BYTES {
            return Err(FetchError::TooManyBytes(MOST_BYTES));
        }
        objects.sort();
        let mut files = BTreeSet::new();
        for object in &objects {
            files.insert(object.name.path());
        }
        let both = |object: &&Object| object.name.parents().iter().any(|up| files.contains(up));
        match objects.iter().find(both) {
            Some(object) => Err(FetchError::FileAndDirectory(shown(object.key.as_bytes()))),
            None => Ok(Self { objects }),
        }
    }

    /// What identifies this listing.
    pub(super) fn digest(&self) -> String {
        let mut whole = Sha256::new();
        for object in &self.objects {
            for part in [&object.key, &object.etag] {
                whole.update((part.len() as u64).to_be_bytes());
                whole.update(part);
            }
            whole.update(object.size.to_be_bytes());
        }
        hex(&whole.finalize())
    }

    /// The object of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.name.path() == Path::new(name))
    }
}

/// An object of the playbook; `None` for what older scripts leave out as well,
/// which is everything hidden, and for the markers of directories.
fn object(
    key: String,
    etag: String,
    size: u64,
    prefix: &str,
) -> Result<Option<Object>, FetchError> {
    let below = key.strip_prefix(prefix).unwrap_or(&key);
    if below.is_empty() {
        return Ok(None);
    }
    let marker = below.ends_with('/') && size == 0;
    let name = Name::of_key(if marker { &below[..below.len() - 1] } else { below })
        .map_err(|source| FetchError::Key { key: shown(key.as_bytes()), source })?;
    let left_out = marker || name.is_hidden();
    Ok((!left_out).then_some(Object { name, key, etag, size }))
}

/// Key, entity tag and size of each object of a page, and where the next begins.
type Page = (Vec<(String, String, u64)>, Option<String>);

/// One page, tried again as files are.
async fn tried(
    reach: &Reach<'_>,
    bucket: &str,
    prefix: &str,
    next: Option<String>,
) -> Result<Page, TransferError> {
    let asked = async || {
        let answer = timeout(SILENCE, page(reach, bucket, prefix, next.clone())).await;
        answer.unwrap_or(Err(SourceError::Timeout(SILENCE).into()))
    };
    reach.tried(asked).await
}

async fn page(
    reach: &Reach<'_>,
    bucket: &str,
    prefix: &str,
    next: Option<String>,
) -> Result<Page, TransferError> {
    let request = reach.s3().await?.list_objects_v2().bucket(bucket).prefix(prefix);
    let request = request.set_expected_bucket_owner(reach.owner.clone());
    let answer = request.set_continuation_token(next).send().await.map_err(AwsError::from);
    let page = answer.map_err(|error| reach.refused("ListObjectsV2", error))?;
    let one = |object: &aws_sdk_s3::types::Object| {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let size = object.size().unwrap_or_default().try_into().unwrap_or(u64::MAX);
        (text(object.key()), text(object.e_tag()), size)
    };
    let next = page.next_continuation_token().filter(|_| page.is_truncated() == Some(true));
    Ok((page.contents().iter().map(one).collect(), next.map(str::to_owned)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn listing(keys: &[(&str, u64)]) -> Result<Listing, FetchError> {
        let mut objects = Vec::new();
        for (key, size) in keys {
            objects.extend(object(format!("p/{key}"), "\"e\"".to_owned(), *size, "p/")?);
        }
        Listing::of(objects, "s3://b/p/")
    }

    #[test]
    fn hidden_objects_and_markers_are_left_out() {
        let keys = [("", 0), ("main.yml", 1), (".git/x", 1), ("a/.b", 1), ("a/", 0), ("a/c", 1)];
        let listing = listing(&keys).unwrap();
        let keys: Vec<_> = listing.objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, ["p/a/c", "p/main.yml"]);
        assert!(listing.get("a/c").is_some());
    }

    #[test]
    fn hostile_keys_are_refused() {
        for key in ["../x", "/etc/x", "a//b", "a/../b", "./a", "a\n", "x/", "..", "a/.."] {
            let error = listing(&[("main.yml", 1), (key, 1)]).unwrap_err();
            assert!(matches!(error, FetchError::Key { .. }), "{key}: {error}");
        }
        let both = listing(&[("a", 1), ("a/b", 1)]).unwrap_err();
        assert!(matches!(both, FetchError::FileAndDirectory(_)));
        assert!(matches!(listing(&[(".x", 1)]), Err(FetchError::Nothing(_))));
        let large = listing(&[("a", u64::MAX), ("b", u64::MAX)]);
        assert!(matches!(large, Err(FetchError::TooManyBytes(_))));
    }

    #[test]
    fn any_change_is_another_digest() {
        let digest = |keys: &[(&str, u64)]| listing(keys).unwrap().digest();
        let before = digest(&[("a", 1), ("b", 2)]);
        assert_eq!(before, digest(&[("b", 2), ("a", 1)]));
        for other in [&[("a", 1)][..], &[("a", 1), ("b", 3)], &[("a", 1), ("c", 2)]] {
            assert_ne!(before, digest(other));
        }
    }
}
