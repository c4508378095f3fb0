//! What an image says of itself: `/usr/lib/gild/image.toml`, written when it is baked and
//! shown on every instance that is started from it.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::metrics::sample::{Sample, label};
use crate::platform::clock;
use crate::platform::fs::{Access, create_dir, read_capped, write_atomic};
use crate::platform::paths::Paths;

/// The largest record that is read.
const MAX_BYTES: u64 = 16 * 1024;

/// The longest text of a record, in characters.
const LONGEST: usize = 200;

/// What is known of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it is an image of, such as a service's name.
    #[serde(default)]
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// The image that it was made from.
    #[serde(default)]
    pub base: String,
    /// The commit that it was made from.
    #[serde(default)]
    pub revision: String,
    /// The playbook's identity.
    #[serde(default)]
    pub playbook: String,
    /// When it was baked, RFC 3339.
    #[serde(default)]
    pub baked_at: String,
    /// The version of gild that baked it.
    #[serde(default)]
    pub gild: String,
    /// Whether it carries the documents that were fetched for it.
    #[serde(default)]
    pub seeded: bool,
}

/// A record that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It cannot be read.
    #[error("failed to read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not such a record.
    #[error("failed to understand '{}'", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: toml::de::Error,
    },
    /// It cannot be written.
    #[error("failed to write '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A text does not fit.
    #[error(
        "'{text}' cannot be the {what} of an image; it must be one line of at most {LONGEST} \
         characters"
    )]
    Text {
        /// What it was to be.
        what: &'static str,
        /// The text, cut.
        text: String,
    },
}

impl Record {
    /// The record of an image that was made now.
    pub fn now(self) -> Result<Self, RecordError> {
        for (what, text) in [
            ("name", &self.name),
            ("version", &self.version),
            ("base", &self.base),
            ("revision", &self.revision),
        ] {
            if text.chars().any(char::is_control) || text.chars().count() > LONGEST {
                let text = text.escape_debug().take(LONGEST).collect();
                return Err(RecordError::Text { what, text });
            }
        }
        let gild = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Self { baked_at: clock::now_text(), gild, ..self })
    }

    /// The record of the image that this host was started from, where it has one.
    pub fn load(paths: &Paths) -> Result<Option<Self>, RecordError> {
        let path = paths.image_record();
        let read = |source| RecordError::Read { path: path.clone(), source };
        let Some(bytes) = read_capped(&path, MAX_BYTES).map_err(read)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        toml::from_str(&text).map(Some).map_err(|source| RecordError::Parse { path, source })
    }

    /// Leaves the record in the image.
    pub fn save(&self, paths: &Paths) -> Result<(), RecordError> {
        let path = paths.image_record();
        let write = |source| RecordError::Write { path: path.clone(), source };
        create_dir(path.parent().unwrap_or(Path::new("/")), 0o755).map_err(write)?;
        let text = toml::to_string(self).map_err(io::Error::other).map_err(write)?;
        write_atomic(&path, text.as_bytes(), Access::All).map_err(write)
    }

    /// Removes the record of what this host was.
    pub fn forget(paths: &Paths) -> Result<(), RecordError> {
        let path = paths.image_record();
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(RecordError::Write { path, source })
            }
            _ => Ok(()),
        }
    }

    /// The image as a series whose labels say what it is.
    pub fn sample(&self) -> Sample {
        let labels = vec![
            label("name", self.name.as_str()),
            label("version", self.version.as_str()),
            label("base", self.base.as_str()),
            label("revision", self.revision.as_str()),
        ];
        Sample::gauge("gild_image_info", labels, 1.0)
    }

    /// Name and version as people say them.
    pub fn title(&self) -> String {
        let parts = [&self.name, &self.version].map(String::as_str);
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { "without a name".to_owned() } else { parts.join(" ") }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was_and_its_absence_is_no_error() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::installed(root.path());
        assert_eq!(Record::load(&paths).unwrap(), None);
        let record = Record { name: "mysql".into(), version: "1.2.3".into(), ..Record::default() };
        let record = record.now().unwrap();
        record.save(&paths).unwrap();
        assert_eq!(Record::load(&paths).unwrap(), Some(record.clone()));
        assert_eq!(record.title(), "mysql 1.2.3");
        assert_eq!(record.gild, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn what_others_wrote_is_read_as_far_as_it_is_known() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::installed(root.path());
        std::fs::create_dir_all(root.path().join("usr/lib/gild")).unwrap();
        let write = |text: &str| std::fs::write(paths.image_record(), text).unwrap();
        write("name = 'a'\nnew = [1]\n");
        assert_eq!(Record::load(&paths).unwrap().unwrap().name, "a");
        for broken in ["name = 1", "name", "\u{0}"] {
            write(broken);
            let error = Record::load(&paths).unwrap_err().to_string();
            assert!(error.contains("image.toml"), "{error}");
        }
        write(&format!("name = '{}'", "x".repeat(20_000)));
        assert!(Record::load(&paths).is_err());
    }

    #[test]
    fn a_text_that_is_no_line_is_refused() {
        let record = Record { base: "a\nb".into(), ..Record::default() };
        let error = record.now().unwrap_err().to_string();
        assert!(error.contains("'a\\nb' cannot be the base"), "{error}");
    }
}
