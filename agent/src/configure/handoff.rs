//! What `configure` hands to the daemon: the resolved configuration with its
//! origins, and who the instance is. It holds references to secrets, never
//! secrets, and is read by the daemon's group alone.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::report::SourceReport;
use crate::config::node::Node;
use crate::identity::Identity;
use crate::platform::fs::{self, Access};

/// The version of the hand-off's format.
pub const VERSION: u32 = 1;

/// A resolved configuration of the largest size, with every origin, is well
/// below this.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The resolved configuration, as it lies in `/run/gild/config.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handoff {
    /// The version of this format.
    pub version: u32,
    /// When it was resolved, RFC 3339.
    pub resolved_at: String,
    /// The SHA-256 of the values.
    pub digest: String,
    /// Who this instance is.
    pub identity: Identity,
    /// The values, each with its origin.
    pub config: Node,
    /// What came of each source.
    pub sources: Vec<SourceReport>,
}

/// A hand-off that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum HandoffError {
    /// It could not be written.
    #[error("failed to write the resolved configuration to '{path}'")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It could not be read.
    #[error("failed to read the resolved configuration from '{path}'")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("failed to understand the resolved configuration in '{path}'")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Handoff {
    /// Writes the hand-off, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), HandoffError> {
        let written = serde_json::to_vec(self)
            .map_err(io::Error::from)
            .and_then(|bytes| fs::write_atomic(path, &bytes, Access::Group));
        written.map_err(|source| HandoffError::Write { path: path.to_owned(), source })
    }

    /// Reads the hand-off; `None` where there is none yet.
    pub fn read(path: &Path) -> Result<Option<Self>, HandoffError> {
        let bytes = fs::read_capped(path, MAX_BYTES)
            .map_err(|source| HandoffError::Read { path: path.to_owned(), source })?;
        bytes
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|source| HandoffError::Parse { path: path.to_owned(), source })
    }
}
