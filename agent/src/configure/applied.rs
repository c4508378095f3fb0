//! The configuration and the playbook of this instance's last success: what a
//! plan compares with, and what a failed step is rolled back to. It is kept on
//! disk for root alone and holds references to secrets, never secrets.
//!
//! It holds only what the step is made of. Tables that take effect without a step
//! are left out, and with them the addresses of notifiers, which may be secret.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::state::StepKey;
use crate::config::node::Node;
use crate::platform::fs::{Access, create_dir, read_capped, write_atomic};
use crate::status::fresh::LIVE;

/// The version of the format.
const VERSION: u32 = 1;

/// A configuration of the largest size is well below this.
const LARGEST: u64 = 16 << 20;

/// It cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum AppliedError {
    /// It cannot be written.
    #[error("failed to keep what was applied in '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be read.
    #[error("failed to read what was applied last from '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What the last step that succeeded was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The version of this format.
    version: u32,
    /// What identifies it.
    #[serde(flatten)]
    pub key: StepKey,
    /// When it succeeded, RFC 3339.
    pub at: String,
    /// The values, each with its origin.
    pub config: Node,
}

impl Applied {
    /// What a step that succeeded now was made of.
    pub fn now(key: StepKey, at: String, config: &Node) -> Self {
        Self { version: VERSION, key, at, config: of_step(config) }
    }

    /// Keeps it in the place of the one before.
    pub fn save(&self, path: &Path) -> Result<(), AppliedError> {
        let write = || {
            if let Some(parent) = path.parent() {
                create_dir(parent, 0o755)?;
            }
            write_atomic(path, &serde_json::to_vec(self)?, Access::Owner)
        };
        write().map_err(|source| AppliedError::Write { path: path.to_owned(), source })
    }

    /// Reads it; `None` where nothing has succeeded yet on this instance.
    pub fn load(path: &Path, instance_id: &str) -> Result<Option<Self>, AppliedError> {
        let read = || match read_capped(path, LARGEST)? {
            None => Ok(None),
            Some(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::from),
        };
        let found: Option<Self> =
            read().map_err(|source| AppliedError::Read { path: path.to_owned(), source })?;
        let own = |found: &Self| found.version == VERSION && found.key.instance_id == instance_id;
        Ok(found.filter(own))
    }
}

/// The part of a configuration that a step is made of.
pub fn of_step(config: &Node) -> Node {
    match config {
        Node::Table { origin, entries } => {
            let kept = entries.iter().filter(|(name, _)| !LIVE.contains(&name.as_str()));
            let entries = kept.map(|(name, node)| (name.clone(), node.clone())).collect();
            Node::Table { origin: origin.clone(), entries }
        }
        Node::Leaf(_) => config.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;
    use crate::config::builtin;
    use crate::config::path::KeyPath;

    fn key(instance_id: &str) -> StepKey {
        StepKey {
            instance_id: instance_id.to_owned(),
            boot_id: "b".to_owned(),
            digest: "d".to_owned(),
            playbook_digest: None,
        }
    }

    #[test]
    fn what_the_step_is_made_of_is_kept_for_its_owner_and_its_instance_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gild/applied.json");
        assert_eq!(Applied::load(&path, "i-1").unwrap(), None);
        let config = json!({
            "vars": {"x": {"ssm": "/secret"}, "empty": {}},
            "notify": {"chat": {"url": "https://chat/secret"}},
            "sink": {"a": {"url": "b"}},
        });
        let config = Node::from_value(&config, &builtin::layer().origin(&KeyPath::root()));
        let applied = Applied::now(key("i-1"), "T".to_owned(), &config);
        applied.save(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let found = Applied::load(&path, "i-1").unwrap().unwrap();
        assert_eq!(found, applied);
        let expected = json!({"vars": {"x": {"ssm": "/secret"}, "empty": {}}});
        assert_eq!(found.config.to_value(), expected);
        // An image that was made of this host is not this host.
        assert_eq!(Applied::load(&path, "i-2").unwrap(), None);
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("applied.json");
        for damaged in ["", "{", "[]", "{\"version\":1}"] {
            std::fs::write(&path, damaged).unwrap();
            assert!(matches!(Applied::load(&path, "i-1"), Err(AppliedError::Read { .. })));
        }
    }
}
