//! What the daemon has told: its own notes on messages that it may only read.
//! One file, written whole after each message, in the daemon's own directory.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::spool::{Fate, Spooled, is_recent};
use crate::platform::clock;
use crate::platform::fs::{Access, create_dir, read_capped, write_atomic};

/// No record is larger.
const LARGEST: u64 = 1 << 20;

/// How many messages the record is about before any is forgotten: more than the
/// spool holds, so that one that cannot be read for a moment is not told again.
const MOST: usize = 500;

/// What became of one message for one notifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    fate: Fate,
    at: String,
}

/// Notes by message and notifier.
type Notes = BTreeMap<String, BTreeMap<String, Note>>;

/// What the daemon has told.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    notes: Notes,
}

impl Record {
    /// Reads the record. Without one, nothing has been told.
    pub fn load(path: &Path) -> Self {
        let notes = match read_capped(path, LARGEST) {
            Ok(None) => Notes::new(),
            Ok(Some(bytes)) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, "what has been told is not known any more");
                Notes::new()
            }),
            Err(error) => {
                tracing::warn!(%error, "what has been told cannot be read");
                Notes::new()
            }
        };
        Self { path: path.to_owned(), notes }
    }

    /// Whether the message needs no more work for this notifier.
    pub fn is_settled(&self, id: &str, name: &str) -> bool {
        self.notes.get(id).is_some_and(|notes| notes.contains_key(name))
    }

    /// Notes what became of a message. The note holds in this process even where
    /// it cannot be written.
    pub fn settle(&mut self, id: &str, name: &str, fate: Fate) -> io::Result<()> {
        let note = Note { fate, at: clock::now_text() };
        self.notes.entry(id.to_owned()).or_default().insert(name.to_owned(), note);
        if let Some(directory) = self.path.parent() {
            create_dir(directory, 0o750)?;
        }
        write_atomic(&self.path, &serde_json::to_vec(&self.notes)?, Access::Owner)
    }

    /// Forgets messages that are not in the spool any more, where there are many.
    pub fn keep(&mut self, spooled: &[Spooled]) {
        if self.notes.len() <= MOST {
            return;
        }
        self.notes.retain(|id, _| spooled.iter().any(|spooled| spooled.id == *id));
    }

    /// When messages arrived at a notifier within the last hour.
    pub fn recent(&self, name: &str) -> impl Iterator<Item = &str> {
        let notes = self.notes.values().filter_map(move |notes| notes.get(name));
        let arrived = notes.filter(|note| note.fate == Fate::Delivered && is_recent(&note.at));
        arrived.map(|note| note.at.as_str())
    }
}
