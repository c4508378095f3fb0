//! The last valid copy of each remote document, for the day on which its
//! source does not answer, and for conditional questions on every other day.
//!
//! A copy belongs to an account, not to an instance, so that an image can be
//! baked with one; copies of tags belong to their instance. A file that cannot
//! be read for whatever reason counts as absent: a copy is a help, never a
//! condition.
//!
//! Only a boot writes copies. Whoever else resolves, such as the daemon when it
//! looks again, reads them and remembers in memory what is newer.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::text::{Kind, Text};
use crate::config::{KeyPath, Layer, LayerName};
use crate::platform::fs::{Access, create_dir, read_capped, write_atomic};
use crate::platform::hex::hex;
use crate::platform::{clock, paths::Paths};

/// The version of the files' format.
const VERSION: u32 = 1;

/// The largest file: a document, escaped as JSON, and what is said about it.
const MAX_FILE: u64 = 8 * 1024 * 1024;

/// What becomes of new copies.
#[derive(Debug, Clone)]
pub enum Copies {
    /// They are written to disk.
    Kept,
    /// They stand in memory before those on disk, which are left alone.
    Remembered(Memory),
}

/// Newer copies than those on disk. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>);

impl Memory {
    fn get(&self, path: &Path) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn put(&self, path: PathBuf, bytes: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path, bytes);
    }
}

/// Where the copies are, and whose they are.
#[derive(Debug, Clone)]
pub struct LastGood {
    directory: PathBuf,
    account: Option<String>,
    copies: Copies,
    reader: Option<Reader>,
}

/// Who read a source: a role that has lost the right to read it since, because the instance
/// has been given another one, is no failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// The instance. An image may carry the copies of the one that it was made from.
    pub instance: String,
    /// The role that it had.
    pub role: String,
}

/// What a copy is a copy of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The layer.
    pub layer: LayerName,
    /// The source, its placeholders filled.
    pub source: String,
    /// The instance, for what is its alone.
    pub instance: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    version: u32,
    account: Option<String>,
    layer: LayerName,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    fetched_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reader: Option<Reader>,
    texts: Vec<StoredText>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredText {
    name: String,
    version: Option<String>,
    etag: Option<String>,
    format: String,
    body: String,
}

/// A valid copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Copy {
    /// When it was fetched.
    pub fetched_at: String,
    /// Who read it last, where that is known.
    pub reader: Option<Reader>,
    /// What came then.
    pub texts: Vec<Text>,
}

impl Copy {
    /// The entity tag that makes a question conditional; only a copy of one
    /// document has one.
    pub fn etag(&self) -> Option<&str> {
        match self.texts.as_slice() {
            [text] => text.etag.as_deref(),
            _ => None,
        }
    }
}

impl LastGood {
    /// The copies of an account's documents.
    pub fn new(paths: &Paths, account: Option<String>, copies: &Copies) -> Self {
        Self { directory: paths.last_good(), account, copies: copies.clone(), reader: None }
    }

    /// The same, and who reads sources now.
    pub fn read_by(self, reader: Option<Reader>) -> Self {
        Self { reader, ..self }
    }

    /// Whether what this copy is of was last read by somebody else than who reads now.
    pub(super) fn changes_hands(&self, copy: &Copy) -> bool {
        self.reader.is_some() && self.reader != copy.reader
    }

    /// The role that read this copy's source on this very instance, and the other one that
    /// the instance has now.
    pub(super) fn replaced_role<'a>(&'a self, copy: &'a Copy) -> Option<(&'a str, &'a str)> {
        let (then, now) = (copy.reader.as_ref()?, self.reader.as_ref()?);
        let replaced = then.instance == now.instance && then.role != now.role;
        replaced.then_some((&then.role, &now.role))
    }

    /// The copy of a source's documents, where there is a valid one.
    pub fn load(&self, subject: &Subject, into: Option<&KeyPath>) -> Option<Copy> {
        let path = self.path(subject);
        let newer = match &self.copies {
            Copies::Kept => None,
            Copies::Remembered(memory) => memory.get(&path),
        };
        let bytes = match newer {
            Some(bytes) => bytes,
            None => read_capped(&path, MAX_FILE).ok()??,
        };
        let file: File = serde_json::from_slice(&bytes).ok()?;
        let same = file.version == VERSION
            && file.account == self.account
            && file.layer == subject.layer
            && file.source == subject.source
            && file.instance == subject.instance;
        if !same {
            return None;
        }
        let texts: Vec<Text> =
            file.texts.into_iter().map(StoredText::text).collect::<Option<_>>()?;
        let whole = !texts.is_empty() && texts.iter().all(|text| text.parse(into).is_ok());
        whole.then_some(Copy { fetched_at: file.fetched_at, reader: file.reader, texts })
    }

    /// Keeps a copy. What is empty replaces nothing.
    pub fn keep(&self, subject: &Subject, texts: &[Text], layers: &[Layer]) -> io::Result<()> {
        if layers.iter().all(|layer| layer.document.is_empty()) {
            return Ok(());
        }
        // What is not text did not parse, and is not here.
        let Some(stored) = texts.iter().map(StoredText::of).collect::<Option<Vec<_>>>() else {
            return Ok(());
        };
        let file = File {
            version: VERSION,
            account: self.account.clone(),
            layer: subject.layer,
            source: subject.source.clone(),
            instance: subject.instance.clone(),
            fetched_at: clock::now_text(),
            reader: self.reader.clone(),
            texts: stored,
        };
        let bytes = serde_json::to_vec(&file).map_err(io::Error::other)?;
        match &self.copies {
            Copies::Kept => {
                create_dir(&self.directory, 0o750)?;
                write_atomic(&self.path(subject), &bytes, Access::Group)
            }
            Copies::Remembered(memory) => {
                memory.put(self.path(subject), bytes);
                Ok(())
            }
        }
    }

    fn path(&self, subject: &Subject) -> PathBuf {
        let instance = subject.instance.as_deref().unwrap_or_default();
        let subject = format!("{}\n{}\n{instance}", subject.layer, subject.source);
        let name = hex(&Sha256::digest(subject)[..16]);
        self.directory.join(format!("{name}.json"))
    }
}

impl StoredText {
    fn of(text: &Text) -> Option<Self> {
        Some(Self {
            name: text.name.clone(),
            version: text.version.clone(),
            etag: text.etag.clone(),
            format: text.kind.label().to_owned(),
            body: String::from_utf8(text.body.clone()).ok()?,
        })
    }

    fn text(self) -> Option<Text> {
        Some(Text {
            kind: Kind::from_label(&self.format)?,
            name: self.name,
            version: self.version,
            etag: self.etag,
            body: self.body.into_bytes(),
        })
    }
}

#[cfg(test)]
mod tests;
