//! Messages on disk until they have arrived, oldest first.
//!
//! The directory belongs to root, and only root writes to it: `configure` must
//! not follow what the daemon's user could plant. The daemon, as the directory's
//! group, reads; what it has told it writes down in a directory of its own (see
//! `record`), beside which is the spool of what it has to tell itself. A file holds no secret: what a notifier refers to is resolved when
//! its message is sent.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::NotifySettings;
use super::message::{Event, Message};
use crate::platform::clock;
use crate::platform::fs::{Access, create_dir, read_capped, write_atomic};
use crate::platform::process::ProcessKey;

/// The most messages that are kept. The newest ones say what is a repetition,
/// what is a recovery, and how many an hour has seen.
const MOST: usize = 120;

/// The most bytes that all messages have together.
const MOST_BYTES: u64 = 512 << 10;

/// No message is larger.
const LARGEST: u64 = 128 << 10;

/// The time in which a notifier may send so many.
pub const HOUR: Duration = Duration::from_secs(3600);

/// What became of a message for one notifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It waits.
    Waiting,
    /// It arrived.
    Delivered,
    /// It was given up.
    Dropped,
    /// It was one too many in its hour.
    Held,
}

/// A message's way to one notifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// What became of it.
    pub fate: Fate,
    /// Since when, RFC 3339.
    pub at: String,
    /// How many messages were held back before this one.
    pub held_back: u32,
    /// When the receiver wants it, RFC 3339, where it asked to be left alone.
    pub not_before: Option<String>,
}

/// A message in the spool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spooled {
    /// The message's name.
    pub id: String,
    /// When it was put here, RFC 3339.
    pub queued_at: String,
    /// The process that is sending it; nobody else does while it lives.
    pub by: Option<ProcessKey>,
    /// Whom it is for.
    pub to: BTreeMap<String, Way>,
    /// What is told.
    pub message: Message,
}

impl Spooled {
    /// The message for those who want it, after all `earlier` ones; `None` where
    /// the last one said the same, or one of the same name was of what is coming.
    pub fn new(
        mut message: Message,
        notifiers: &BTreeMap<String, NotifySettings>,
        earlier: &[Self],
    ) -> Option<Self> {
        let own = |spooled: &&Self| spooled.message.is_of_same_instance(&message);
        let earlier: Vec<&Self> = earlier.iter().filter(own).collect();
        let mut before = earlier.iter().rev().map(|spooled| &spooled.message);
        let last = before.find(|message| message.event.is_of_boot());
        let told = match message.event.is_of_boot() {
            true => last.is_some_and(|last| last.repeats(&message)),
            // Something else may have been told since.
            false => earlier.iter().any(|old| old.message.id == message.id),
        };
        if told {
            return None;
        }
        if message.event == Event::Ready && last.is_some_and(|last| last.event.is_bad()) {
            message.event = Event::Recovered;
        }
        let queued_at = clock::now_text();
        let wanted = notifiers.iter().filter(|(_, notifier)| notifier.rules.want(message.event));
        let way = |(name, notifier): (&String, &NotifySettings)| {
            let (sent, held_back) = history(name, &earlier);
            let too_many = sent >= notifier.rules.most_per_hour;
            let fate = if too_many { Fate::Held } else { Fate::Waiting };
            let held_back = if too_many { 0 } else { held_back };
            (name.clone(), Way { fate, at: queued_at.clone(), held_back, not_before: None })
        };
        Some(Self {
            id: message.id.clone(),
            to: wanted.map(way).collect(),
            by: Some(ProcessKey::own()),
            queued_at,
            message,
        })
    }

    /// Notes what became of it.
    pub fn settle(&mut self, name: &str, fate: Fate) {
        if let Some(way) = self.to.get_mut(name) {
            way.fate = fate;
            way.at = clock::now_text();
        }
    }

    /// Whether it waits for this notifier.
    pub fn waits_for(&self, name: &str) -> bool {
        self.to.get(name).is_some_and(|way| way.fate == Fate::Waiting)
    }
}

/// How many messages for a notifier the last hour has seen, and how many were
/// held back since the last one that was not.
fn history(name: &str, earlier: &[&Spooled]) -> (u32, u32) {
    let (mut sent, mut held_back) = (0, 0);
    for spooled in earlier {
        match spooled.to.get(name).map(|way| way.fate) {
            None => {}
            Some(Fate::Held) => held_back += 1,
            Some(_) => {
                held_back = 0;
                sent += u32::from(is_recent(&spooled.queued_at));
            }
        }
    }
    (sent, held_back)
}

/// Whether a moment is less than an hour away. A clock that was set since makes
/// it a moment of the future, which counts too.
pub(super) fn is_recent(at: &str) -> bool {
    let Ok(at) = humantime::parse_rfc3339(at) else { return false };
    SystemTime::now().duration_since(at).is_ok_and(|age| age < HOUR) || at > SystemTime::now()
}

/// A message cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("failed to keep a message in '{}'", path.display())]
pub struct SpoolError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// The directory.
#[derive(Debug, Clone)]
pub struct Spool(PathBuf);

impl Spool {
    /// The spool in this directory, which need not be there yet.
    pub fn at(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    /// All messages, oldest first. What is damaged is none.
    pub fn list(&self) -> Vec<Spooled> {
        self.files().iter().filter_map(|path| read(path)).collect()
    }

    /// Adds a message and removes the oldest, and those of other instances: an
    /// image that was made from a running host holds them.
    pub fn add(&self, spooled: &Spooled) -> Result<PathBuf, SpoolError> {
        create_dir(&self.0, 0o750).map_err(|error| self.failed(error))?;
        let files = self.files();
        let last = files.last().and_then(|path| sequence(path)).unwrap_or_default();
        let mut bytes = 0;
        for (age, path) in files.iter().rev().enumerate() {
            bytes += fs::metadata(path).map_or(0, |metadata| metadata.len());
            let same = |found: &Spooled| found.message.is_of_same_instance(&spooled.message);
            // Where it is not known which instance this is, none is another one.
            let known = spooled.message.instance_id.is_some();
            let foreign = known && !read(path).as_ref().is_some_and(same);
            if age + 1 >= MOST || bytes > MOST_BYTES || foreign {
                // What cannot be removed now is removed next time.
                let _ = fs::remove_file(path);
            }
        }
        let word = spooled.message.event.outcome();
        let path = self.0.join(format!("{:010}-{word}.json", last.saturating_add(1)));
        self.save(&path, spooled)?;
        Ok(path)
    }

    /// Writes a message that has been added.
    pub fn save(&self, path: &Path, spooled: &Spooled) -> Result<(), SpoolError> {
        let write = || write_atomic(path, &serde_json::to_vec(spooled)?, Access::Group);
        write().map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> SpoolError {
        SpoolError { path: self.0.clone(), source }
    }

    /// The files of messages, oldest first.
    fn files(&self) -> Vec<PathBuf> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "messages that wait cannot be read");
                }
                return Vec::new();
            }
        };
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| sequence(path).is_some());
        files.sort();
        files
    }
}

fn read(path: &Path) -> Option<Spooled> {
    let bytes = read_capped(path, LARGEST).ok()??;
    serde_json::from_slice(&bytes).ok()
}

/// The number that a message's file begins with.
fn sequence(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    name.split_once('-')?.0.parse().ok()
}
