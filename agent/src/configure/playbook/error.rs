//! Why a playbook from elsewhere cannot be had.

use std::io;
use std::path::PathBuf;

use super::PlaybookError;
use super::address::AddressError;
use super::name::BadName;
use super::serial::SerialError;
use super::signature::SignatureError;
use super::store::StoreError;
use super::transfer::TransferError;
use super::unpack::UnpackError;

/// A playbook that was not obtained.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The setting names none.
    #[error("failed to read configuration.playbook")]
    Address(#[from] AddressError),
    /// The setting belongs to archives, and this is none.
    #[error(
        "configuration.{key} is about one archive, and configuration.playbook names '{playbook}': \
         name an archive that ends in .tar.gz or .tar.zst, or take the setting away"
    )]
    NotAnArchive {
        /// The setting.
        key: &'static str,
        /// What `playbook` says.
        playbook: String,
    },
    /// Nothing says what the archive must be.
    #[error(
        "an archive needs configuration.sha256, or configuration.trusted_keys and a signature; \
         there is neither"
    )]
    Unverifiable,
    /// Only what is signed may be run, and this is not.
    #[error("configuration.require_signature is set, and {what}")]
    Unsigned {
        /// What is not signed.
        what: String,
    },
    /// A file did not come.
    #[error("failed to fetch '{what}'")]
    Transfer {
        /// The file.
        what: String,
        /// Why.
        #[source]
        source: TransferError,
    },
    /// The archive is another one.
    #[error("'{what}' has the SHA-256 {found}, and configuration.sha256 is {expected}")]
    Digest {
        /// The archive.
        what: String,
        /// What the configuration says.
        expected: String,
        /// What it has.
        found: String,
    },
    /// The signature does not hold.
    #[error("failed to verify the signature of '{what}'")]
    Signature {
        /// The archive.
        what: String,
        /// Why.
        #[source]
        source: SignatureError,
    },
    /// The archive is too old.
    #[error("failed to make sure that the archive is not an old one")]
    Serial(#[from] SerialError),
    /// The archive cannot be unpacked.
    #[error("failed to unpack the archive")]
    Unpack(#[from] UnpackError),
    /// A file on this host cannot be read or written.
    #[error("failed to use '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be kept.
    #[error("failed to use the directory of playbooks")]
    Store(#[from] StoreError),
    /// What came is no playbook.
    #[error("failed to use what was fetched")]
    Playbook(#[from] PlaybookError),
    /// What is to be run again is not there any more, or not trusted any more.
    #[error("the playbook with the digest {0} is not kept, not whole, or not trusted any more")]
    NotKept(String),
    /// There is nothing below the prefix.
    #[error("there is nothing below '{0}'")]
    Nothing(String),
    /// There are too many objects.
    #[error("the prefix holds more than {0} objects")]
    TooManyObjects(usize),
    /// The objects are too large.
    #[error("the prefix holds more than {} MiB", .0 >> 20)]
    TooManyBytes(u64),
    /// An object's key leads out or is otherwise unfit.
    #[error("the prefix holds an object with a key that is refused, '{key}'")]
    Key {
        /// The key.
        key: String,
        /// Why.
        #[source]
        source: BadName,
    },
    /// A file lies where others need a directory.
    #[error("the prefix holds '{0}' below another object, which is a file")]
    FileAndDirectory(String),
    /// Objects come and go.
    #[error("'{0}' changed each time while it was fetched; is it being published?")]
    Changing(String),
    /// The objects are not those of the manifest.
    #[error("'{name}' {how} the manifest.json beside it; is it being published?")]
    Manifest {
        /// The file.
        name: String,
        /// In what way.
        how: &'static str,
    },
    /// The manifest is none.
    #[error("failed to understand manifest.json, which must be {{\"files\": {{PATH: SHA-256}}}}")]
    NoManifest(#[source] serde_json::Error),
}

impl FetchError {
    /// Whether this is what a prefix looks like while it is published.
    pub(super) fn is_unfinished(&self) -> bool {
        match self {
            Self::Transfer { source, .. } => matches!(source, TransferError::Changed),
            Self::Changing(_) | Self::Manifest { .. } => true,
            _ => false,
        }
    }
}
