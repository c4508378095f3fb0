//! The playbooks that are kept on disk, each in a directory named by its digest
//! with a record beside it: the one that runs, the one before, and the one of the
//! last success, which a failed step is rolled back to.
//!
//! A playbook is prepared in a directory of another name and put in its place by
//! one rename; its record comes last. Whatever a crash leaves is removed the next
//! time. Content is not synced to disk one file at a time: the record holds the
//! directory's digest, so what the power cut short is found out and fetched again.
//!
//! A plan reads what is kept and changes none of it: what it fetches lies in a
//! directory of its own, which is gone when the plan is made.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::Playbook;
use super::record::{Record, VERSION};
use crate::platform::fs::{Access, create_dir, read_capped, write_atomic};
use crate::platform::paths::Paths;

/// How many playbooks are kept whatever came of them: the one that runs and the one
/// before.
const KEPT: usize = 2;

/// No record is larger.
const LARGEST: u64 = 64 << 10;

/// What begins the name of what is being prepared or thrown away.
const TEMPORARY: &str = ".work-";

/// The directory of playbooks cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be prepared or written to.
    #[error("failed to keep a playbook in '{}'", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others may write to it.
    #[error("'{}' must be a directory that only its owner, the user of gild, can write to", .0.display())]
    Foreign(PathBuf),
}

/// The playbooks that are kept. The caller holds the lock of the step, so nobody
/// else changes them.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    /// The digest of the one of the last success.
    good: Option<String>,
    /// Where everything lies that a plan fetches.
    scratch: Option<Work>,
}

/// One that is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// Its directory.
    pub(super) directory: PathBuf,
    /// What is known about it.
    pub(super) record: Record,
}

impl Kept {
    /// The playbook, if it is still what it was when it was unpacked.
    pub(super) fn intact(&self) -> Option<Playbook> {
        let playbook = Playbook { directory: self.directory.clone() };
        let same = playbook.digest().is_ok_and(|digest| digest == self.record.tree);
        same.then_some(playbook)
    }
}

/// A directory in which a playbook is prepared. Dropping it removes it.
#[derive(Debug)]
pub struct Work(PathBuf);

impl Work {
    /// A path in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A new directory of this path.
    fn create(path: PathBuf) -> Result<Self, StoreError> {
        // Not recursive: it must be this process that makes it.
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self(path)),
            Err(source) => Err(StoreError::Io { path, source }),
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // What stays is removed the next time.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Store {
    /// Opens the directory, and removes what a crash has left there. The playbook of
    /// the digest `good` stays, however many are fetched after it.
    pub(super) fn open(paths: &Paths, good: Option<&str>) -> Result<Self, StoreError> {
        let store = Self { good: good.map(str::to_owned), ..Self::at(paths) };
        let failed = |source| StoreError::Io { path: store.directory.clone(), source };
        create_dir(&store.directory, 0o700).map_err(failed)?;
        store.check()?;
        let kept: Vec<_> = store.kept().into_iter().map(|kept| kept.directory).collect();
        store.sweep(&kept).map_err(failed)?;
        Ok(store)
    }

    /// Opens the directory, if it is there, to read from it alone.
    pub(super) fn to_read(paths: &Paths) -> Result<Self, StoreError> {
        let store = Self::at(paths);
        if fs::symlink_metadata(&store.directory).is_ok() {
            store.check()?;
        }
        Ok(store)
    }

    /// As `to_read`, with a place for what a plan fetches.
    pub(super) fn for_plan(paths: &Paths) -> Result<Self, StoreError> {
        let name = format!("gild-plan-{:016x}", fastrand::u64(..));
        let scratch = Some(Work::create(std::env::temp_dir().join(name))?);
        Ok(Self { scratch, ..Self::to_read(paths)? })
    }

    fn at(paths: &Paths) -> Self {
        Self { directory: paths.state().join("playbooks"), good: None, scratch: None }
    }

    fn check(&self) -> Result<(), StoreError> {
        let about = fs::symlink_metadata(&self.directory)
            .map_err(|source| StoreError::Io { path: self.directory.clone(), source })?;
        let own = nix::unistd::geteuid().as_raw();
        if !about.is_dir() || about.uid() != own || about.mode() & 0o022 != 0 {
            return Err(StoreError::Foreign(self.directory.clone()));
        }
        Ok(())
    }

    /// Whether nothing that is kept may change.
    pub(super) fn is_for_plan(&self) -> bool {
        self.scratch.is_some()
    }

    /// What must live as long as what was fetched for a plan.
    pub(super) fn into_scratch(self) -> Option<Work> {
        self.scratch
    }

    /// The file of the serials that were accepted.
    pub(super) fn serials(&self) -> PathBuf {
        self.directory.join("serials.json")
    }

    /// What is kept, the last one first. What has no valid record or no
    /// directory is not.
    pub(super) fn kept(&self) -> Vec<Kept> {
        let Ok(entries) = fs::read_dir(&self.directory) else { return Vec::new() };
        let one = |path: PathBuf| {
            let about = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_dir)?;
            let bytes = read_capped(&record_of(&path)?, LARGEST).ok()??;
            let record: Record = serde_json::from_slice(&bytes).ok()?;
            let own = about.uid() == nix::unistd::geteuid().as_raw();
            (own && record.version == VERSION).then_some(Kept { directory: path, record })
        };
        let mut kept: Vec<_> = entries.flatten().filter_map(|entry| one(entry.path())).collect();
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.record.turn));
        kept
    }

    /// A new directory to prepare a playbook in.
    pub(super) fn work(&self) -> Result<Work, StoreError> {
        Work::create(self.temporary())
    }

    /// Puts a prepared directory in its place, and its record beside it.
    pub(super) fn put(&self, tree: &Path, name: &str, record: Record) -> Result<Kept, StoreError> {
        if let Some(scratch) = &self.scratch {
            let directory = scratch.path(name);
            fs::rename(tree, &directory)
                .map_err(|source| StoreError::Io { path: directory.clone(), source })?;
            return Ok(Kept { directory, record });
        }
        let directory = self.directory.join(name);
        let put = || {
            // One of the same name that is not intact, or this would not be here.
            if fs::symlink_metadata(&directory).is_ok() {
                let gone = self.temporary();
                fs::rename(&directory, &gone)?;
                fs::remove_dir_all(&gone)?;
            }
            fs::rename(tree, &directory)
        };
        put().map_err(|source| StoreError::Io { path: directory.clone(), source })?;
        self.use_now(Kept { directory, record })
    }

    /// Marks one as the one that runs now, and removes what is older than the
    /// one before and not the last good one.
    pub(super) fn use_now(&self, mut kept: Kept) -> Result<Kept, StoreError> {
        if self.is_for_plan() {
            return Ok(kept);
        }
        let failed = |source| StoreError::Io { path: kept.directory.clone(), source };
        let others: Vec<_> =
            self.kept().into_iter().filter(|other| other.directory != kept.directory).collect();
        let last = others.first().map_or(0, |other| other.record.turn);
        if kept.record.turn <= last {
            kept.record.turn = last.saturating_add(1);
        }
        let bytes = serde_json::to_vec(&kept.record).map_err(|error| failed(error.into()))?;
        let path = record_of(&kept.directory).unwrap_or_default();
        // A boot that changes nothing writes nothing.
        if read_capped(&path, LARGEST).ok().flatten().as_ref() != Some(&bytes) {
            write_atomic(&path, &bytes, Access::Owner).map_err(failed)?;
        }
        let mut stay = vec![kept.directory.clone()];
        let good = |kept: &Kept| self.good.as_ref() == Some(&kept.record.tree);
        let others = others.into_iter().enumerate();
        let others = others.filter(|(place, other)| *place < KEPT - 1 || good(other));
        stay.extend(others.map(|(_, other)| other.directory));
        self.sweep(&stay).map_err(failed)?;
        Ok(kept)
    }

    /// Removes everything but these directories, their records and the serials:
    /// older playbooks, and what was being prepared.
    fn sweep(&self, stay: &[PathBuf]) -> io::Result<()> {
        let records: Vec<_> = stay.iter().filter_map(|directory| record_of(directory)).collect();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if stay.contains(&path) || records.contains(&path) || path == self.serials() {
                continue;
            }
            let about = fs::symlink_metadata(&path)?;
            let gone =
                if about.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            gone?;
        }
        Ok(())
    }

    fn temporary(&self) -> PathBuf {
        let directory = self.scratch.as_ref().map_or(&self.directory, |scratch| &scratch.0);
        directory.join(format!("{TEMPORARY}{:016x}", fastrand::u64(..)))
    }
}

/// The file of a directory's record.
fn record_of(directory: &Path) -> Option<PathBuf> {
    let name = directory.file_name()?.to_str()?;
    (!name.starts_with('.')).then(|| directory.with_file_name(format!("{name}.json")))
}

#[cfg(test)]
mod tests;
