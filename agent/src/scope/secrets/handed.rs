//! The secrets of sinks and notifiers, handed to the daemon: `configure` reads them while
//! the instance's role still may, and root those of files, and leaves them in `/run` for
//! the daemon's user alone. Never on a disk: where `/run` is not memory, nothing is left.
//!
//! The file is an object, each value in base64, so that whoever looks for one secret copies
//! no other.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nix::sys::statfs::{FsType, TMPFS_MAGIC, statfs};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::Secrets;
use crate::config::SecretRef;
use crate::platform::error::chain_text;
use crate::platform::fs::{Access, read_capped, write_atomic};
use crate::platform::paths::Paths;

/// The largest file.
const MAX_BYTES: u64 = 1024 * 1024;

/// What statfs(2) calls a file system in memory that is never swapped.
const RAMFS_MAGIC: u32 = 0x8584_58f6;

/// Secrets that could not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// They could not be written.
    #[error("failed to write secrets to '{path}'")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What was handed over earlier could not be removed.
    #[error("failed to remove the secrets in '{path}'")]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Secrets {
    /// Leaves what the references stand for where the daemon finds it, and nothing else.
    /// What cannot be had now is left to the daemon.
    pub async fn hand_over(&self, references: &[SecretRef]) -> Result<(), HandOverError> {
        let path = self.paths.handed_secrets();
        if references.is_empty() {
            return match std::fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    Err(HandOverError::Remove { path, source })
                }
                _ => Ok(()),
            };
        }
        if !is_memory(self.paths.run()) {
            let run = self.paths.run().display();
            tracing::info!("'{run}' is not in memory, so no secret is handed to the daemon");
            return Ok(());
        }
        let mut values = HashMap::new();
        for (reference, result) in self.every(references).await {
            match result {
                Ok(value) => drop(values.insert(reference, value)),
                Err(error) => {
                    tracing::warn!("a secret is left to the daemon: {}", chain_text(&error));
                }
            }
        }
        write(&self.paths, &values).map_err(|source| HandOverError::Write { path, source })
    }
}

fn write(paths: &Paths, values: &HashMap<SecretRef, SecretString>) -> io::Result<()> {
    let encoded: BTreeMap<String, Zeroizing<String>> = values
        .iter()
        .map(|(reference, value)| {
            (reference.to_string(), Zeroizing::new(STANDARD.encode(value.expose_secret())))
        })
        .collect();
    // With room for all of it, because what grows leaves copies behind. JSON makes at most
    // six letters of one.
    let room = encoded.iter().map(|(name, value)| 6 * name.len() + value.len() + 8).sum::<usize>();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 8));
    let texts: BTreeMap<&str, &str> =
        encoded.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    serde_json::to_writer(&mut *bytes, &texts)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("they are larger than {MAX_BYTES} bytes"),
        ));
    }
    write_atomic(&paths.handed_secrets(), &bytes, Access::User(reader(paths)))
}

/// Whose the file is: the daemon's user, who owns the directory that the daemon may write
/// to. Where there is none, whoever hands over is the daemon too.
fn reader(paths: &Paths) -> u32 {
    let socket = paths.own_socket();
    let directory = socket.parent().and_then(|directory| std::fs::metadata(directory).ok());
    directory.map_or_else(|| nix::unistd::geteuid().as_raw(), |directory| directory.uid())
}

/// The value that was handed over for a reference.
pub(super) fn read(paths: &Paths, reference: &SecretRef) -> Option<Zeroizing<String>> {
    let path = paths.handed_secrets();
    let bytes = match read_capped(&path, MAX_BYTES) {
        Ok(bytes) => Zeroizing::new(bytes?),
        Err(error) => {
            tracing::warn!(%error, "the secrets in '{}' cannot be read", path.display());
            return None;
        }
    };
    let texts: BTreeMap<String, &str> = serde_json::from_slice(&bytes).ok()?;
    let value = Zeroizing::new(STANDARD.decode(texts.get(&reference.to_string())?).ok()?);
    Some(Zeroizing::new(std::str::from_utf8(&value).ok()?.to_owned()))
}

/// Whether a directory is in memory.
fn is_memory(directory: &Path) -> bool {
    // What statfs(2) calls a type has another width on each architecture.
    let is = |kind: FsType| kind == TMPFS_MAGIC || kind == FsType(RAMFS_MAGIC as _);
    statfs(directory).is_ok_and(|found| is(found.filesystem_type()))
}
