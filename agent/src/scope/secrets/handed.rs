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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::platform::http;
    use crate::platform::redact::Redactor;

    /// A root whose `/run` is in memory, as `/dev/shm` is everywhere.
    fn root() -> (tempfile::TempDir, Paths) {
        let root = tempfile::tempdir_in("/dev/shm").unwrap();
        let paths = Paths::installed(root.path());
        std::fs::create_dir_all(paths.run()).unwrap();
        (root, paths)
    }

    fn secrets(paths: &Paths) -> Secrets {
        let client = http::client().unwrap();
        Secrets::new(paths, &client, None, &Redactor::default(), Duration::from_secs(1))
    }

    fn file(path: &str) -> SecretRef {
        SecretRef::File(path.to_owned())
    }

    #[test]
    fn what_is_written_is_read_whatever_it_holds_and_nothing_else_is() {
        let (_root, paths) = root();
        let odd = file("/with \"quotes\" and \\");
        let field = SecretRef::SecretsManager { id: "x".into(), key: Some("y".into()) };
        let given = [(odd.clone(), "p\u{f6} \"\n\\"), (field.clone(), ""), (file("/z"), "z")];
        let values = given.map(|(name, value)| (name, SecretString::from(value)));
        write(&paths, &values.into_iter().collect()).unwrap();
        assert_eq!(*read(&paths, &odd).unwrap(), "p\u{f6} \"\n\\");
        assert_eq!(*read(&paths, &field).unwrap(), "");
        assert_eq!(read(&paths, &SecretRef::Ssm("/z".into())), None);
        for damaged in ["", "{", "[]", r#"{"file:/z": "?"}"#, r#"{"file:/z": 1}"#] {
            std::fs::remove_file(paths.handed_secrets()).unwrap();
            std::fs::write(paths.handed_secrets(), damaged).unwrap();
            assert_eq!(read(&paths, &file("/z")), None, "{damaged}");
        }
    }

    #[tokio::test]
    async fn only_what_is_out_of_reach_is_stood_in_for_and_only_for_whoever_may_use_it() {
        let (root, paths) = root();
        std::fs::write(root.path().join("pw"), "old").unwrap();
        let reference = SecretRef::Ssm("/pw".into());
        let values = [(reference.clone(), "old"), (file("/pw"), "old")];
        let values = values.map(|(name, value)| (name, SecretString::from(value)));
        write(&paths, &values.into_iter().collect()).unwrap();
        // Without a region nobody can be asked.
        assert!(secrets(&paths).resolve(&reference).await.is_err());
        let daemon = secrets(&paths).or_handed();
        assert_eq!(daemon.resolve(&reference).await.unwrap().expose_secret(), "old");
        assert_eq!(daemon.redactor.text("<old>"), "<old>", "too short to be masked");
        std::fs::write(root.path().join("pw"), "new").unwrap();
        assert_eq!(daemon.resolve(&file("/pw")).await.unwrap().expose_secret(), "new");
        std::fs::remove_file(root.path().join("pw")).unwrap();
        assert!(daemon.resolve(&file("/pw")).await.is_err(), "what is gone is gone");
    }

    #[tokio::test]
    async fn what_would_be_too_much_is_not_handed_over() {
        let (_root, paths) = root();
        let large = SecretString::from("x".repeat(60 * 1024));
        let values = (0..20).map(|number| (file(&format!("/{number}")), large.clone()));
        let error = write(&paths, &values.collect()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(!paths.handed_secrets().exists());
    }
}
