//! The highest serial of each playbook that was accepted. An archive that was
//! signed long ago is still signed; its serial tells that it is an old one.
//!
//! The file outlives the playbooks themselves and is baked into images with them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::signature::Signed;
use crate::platform::fs::{Access, read_capped, write_atomic};

/// No file of serials is larger.
const LARGEST: u64 = 64 << 10;

/// An archive is too old, or nobody can tell.
#[derive(Debug, thiserror::Error)]
pub enum SerialError {
    /// A newer one was accepted before.
    #[error(
        "its serial {serial} is older than {last}, which was accepted before: sign it anew with a higher one"
    )]
    Older {
        /// Its serial.
        serial: u64,
        /// The highest that was accepted.
        last: u64,
    },
    /// It has none, and others had one.
    #[error("its signature says no serial, and one with a serial was accepted before")]
    Missing,
    /// What was accepted cannot be read or written.
    #[error("failed to remember serials in '{}'", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The serials that were accepted, by the playbook's name.
#[derive(Debug)]
pub(super) struct Serials {
    path: PathBuf,
    highest: BTreeMap<String, u64>,
}

impl Serials {
    /// Reads the file. One that cannot be read is an error: without it, every
    /// old archive would be a new one.
    pub(super) fn load(path: &Path) -> Result<Self, SerialError> {
        let read = || match read_capped(path, LARGEST)? {
            None => Ok(BTreeMap::new()),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
        };
        let highest = read().map_err(|source| SerialError::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), highest })
    }

    /// Whether an archive of this name and serial is not too old.
    pub(super) fn check(&self, name: Option<&str>, serial: Option<u64>) -> Result<(), SerialError> {
        let last = self.highest.get(name.unwrap_or_default()).copied();
        match (serial, last) {
            (Some(serial), Some(last)) if serial < last => Err(SerialError::Older { serial, last }),
            (Some(_), _) => Ok(()),
            (None, _) if self.highest.is_empty() => Ok(()),
            (None, _) => Err(SerialError::Missing),
        }
    }

    /// Remembers the serial of an archive that was checked.
    pub(super) fn accept(&mut self, signed: &Signed) -> Result<(), SerialError> {
        let Some(serial) = signed.serial else { return Ok(()) };
        let name = signed.name.clone().unwrap_or_default();
        if self.highest.get(&name) == Some(&serial) {
            return Ok(());
        }
        self.highest.insert(name, serial);
        serde_json::to_vec(&self.highest)
            .map_err(io::Error::from)
            .and_then(|bytes| write_atomic(&self.path, &bytes, Access::Owner))
            .map_err(|source| SerialError::Io { path: self.path.clone(), source })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_older_serial_and_none_at_all_are_refused_after_a_newer_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("serials.json");
        let mut serials = Serials::load(&path).unwrap();
        assert!(serials.check(None, None).is_ok());
        let name = Some("web".to_owned());
        serials.accept(&Signed { name, serial: Some(7), ..Signed::default() }).unwrap();
        let serials = Serials::load(&path).unwrap();
        for (name, serial, fine) in [
            (Some("web"), Some(7), true),
            (Some("web"), Some(8), true),
            (Some("web"), Some(6), false),
            (Some("db"), Some(1), true),
            (Some("web"), None, false),
            (None, None, false),
        ] {
            assert_eq!(serials.check(name, serial).is_ok(), fine, "{name:?} {serial:?}");
        }
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(Serials::load(&path), Err(SerialError::Io { .. })));
    }
}
