//! What is known about a playbook that is kept on disk: where it came from and
//! what was checked. It lies beside the directory and is written last, so a
//! directory without one is not whole.

use serde::{Deserialize, Serialize};

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// One playbook that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The version of this format.
    pub(super) version: u32,
    /// Its turn: the one with the highest was run last.
    pub(super) turn: u64,
    /// Where it came from, placeholders filled.
    pub(super) source: String,
    /// The digest of the directory, which holds as long as nobody changes it.
    pub(super) tree: String,
    /// The archive's SHA-256; `None` of a prefix.
    pub(super) sha256: Option<String>,
    /// The archive's entity tag.
    pub(super) etag: Option<String>,
    /// The archive's version in a bucket that keeps versions.
    pub(super) object_version: Option<String>,
    /// What identifies a prefix's listing; `None` of an archive.
    pub(super) listing: Option<String>,
    /// The id of the key that signed it.
    pub(super) key: Option<String>,
    /// Its name, as the signature says.
    pub(super) name: Option<String>,
    /// Its version, as the signature says.
    pub(super) release: Option<String>,
    /// Its serial, as the signature says.
    pub(super) serial: Option<u64>,
    /// How many bytes were fetched.
    pub(super) bytes: u64,
    /// When it was fetched, RFC 3339.
    pub(super) fetched_at: String,
}
