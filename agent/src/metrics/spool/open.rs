//! What an earlier process has left: taken up where it is this instance's, and removed where
//! it was baked into the image by another.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::error::is_passing;
use super::position::{Keeper, Position};
use super::segment::{Owner, survey};
use super::{POSITION, Place, Segment, Spool, SpoolError};
use crate::metrics::drops::{Drops, Reason};
use crate::platform::fs::create_dir;

/// How the names of segments end.
const SUFFIX: &str = ".ticks";

/// How the names of damaged segments end.
const DAMAGED: &str = ".damaged";

/// How many damaged segments are kept.
const MOST_DAMAGED: usize = 2;

/// What came of opening a spool.
pub enum Opened {
    /// It is open.
    Spool(Box<Spool>),
    /// Another holds it, which may be the sink whose place this one takes.
    Taken,
}

impl Spool {
    /// Opens a spool, with what an earlier process has left there.
    pub fn open(place: Place, drops: &mut Drops) -> Result<Opened, SpoolError> {
        match Self::try_open(&place, drops) {
            Ok(Some(spool)) => Ok(Opened::Spool(Box::new(spool))),
            Ok(None) => Ok(Opened::Taken),
            Err(source) => Err(SpoolError::Open { path: place.directory, source }),
        }
    }

    fn try_open(place: &Place, drops: &mut Drops) -> io::Result<Option<Self>> {
        create_dir(&place.directory, 0o700)?;
        let file = lock_file(&place.directory.join("lock"))?;
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
            Err((_, error)) => return Err(error.into()),
        };
        let position = Position::read(&place.directory.join(POSITION)).unwrap_or_default();
        let owner = Owner { instance: place.instance.clone(), process: fastrand::u64(..) };
        let mut spool = Self {
            place: place.clone(),
            owner,
            _lock: lock,
            base: Instant::now(),
            segments: VecDeque::new(),
            newest: position.segment,
            writer: None,
            source: None,
            read: position.segment.saturating_sub(1),
            skip: 0,
            reading: VecDeque::new(),
            keeper: Keeper::default(),
            before: None,
            trouble: None,
            stuck: Vec::new(),
        };
        for (number, path) in segments(&place.directory)? {
            spool.take_up(number, &path, position, drops)?;
        }
        if spool.segments.front().is_some_and(|front| front.number == position.segment) {
            spool.skip = position.records;
        }
        while spool.bytes() > place.bytes && !spool.segments.is_empty() {
            spool.drop_front(drops);
        }
        spool.tidy();
        Ok(Some(spool))
    }

    fn take_up(
        &mut self,
        number: u64,
        path: &Path,
        position: Position,
        drops: &mut Drops,
    ) -> io::Result<()> {
        self.newest = self.newest.max(number);
        let done = if number == position.segment { position.records } else { 0 };
        let found = match survey(path, done) {
            Ok(Some(found)) => found,
            Err(error) if is_passing(&error) => return Err(error),
            _ => {
                drops.add(Reason::Damaged, 1);
                put_aside(&self.place.directory, path);
                return Ok(());
            }
        };
        let foreign = found.owner.instance != self.owner.instance;
        if foreign {
            let left = usize::try_from(found.samples).unwrap_or(usize::MAX);
            drops.add(Reason::Foreign, left);
        }
        if foreign || number < position.segment {
            self.stuck.push(number);
            self.remove_stuck();
            return Ok(());
        }
        // A part of a record is what its writer was about to say; more than that is damage.
        drops.add(Reason::Damaged, usize::from(found.torn || found.unreadable));
        self.segments.push_back(Segment {
            number,
            bytes: fs::metadata(path).map_or(0, |metadata| metadata.len()),
            records: found.records,
            samples: found.samples,
            first: found.first,
            damaged: found.unreadable,
            read: found.done,
        });
        Ok(())
    }
}

/// The file that is locked. On a disk that can only be read it may be there already, and then
/// what waits can be sent.
fn lock_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match options.write(true).create(true).truncate(false).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            File::open(path).map_err(|_| error)
        }
        other => other,
    }
}

/// The name of a segment's file.
pub(super) fn file_name(number: u64) -> String {
    format!("{number:016x}{SUFFIX}")
}

/// The segments of a directory, oldest first.
fn segments(directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = name.strip_suffix(SUFFIX).map(|digits| u64::from_str_radix(digits, 16));
        // What no writer names so is not its own.
        if let Some(Ok(number)) = number.filter(|number| {
            number
                .as_ref()
                .is_ok_and(|number| *number < u64::MAX >> 1 && file_name(*number) == name)
        }) {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Renames a damaged segment aside, for whoever wants to look into it. Few are kept.
pub(super) fn put_aside(directory: &Path, path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = directory.join(format!("{}{DAMAGED}", name.trim_end_matches(SUFFIX)));
    tracing::warn!(file = %aside.display(), "a part of a spool is damaged; it is put aside");
    if fs::rename(path, &aside).is_err() {
        let _ = fs::remove_file(path);
    }
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut kept: Vec<_> = entries.map(|entry| entry.path()).collect();
    kept.retain(|path| path.to_string_lossy().ends_with(DAMAGED));
    kept.sort_unstable();
    for oldest in kept.iter().rev().skip(MOST_DAMAGED) {
        let _ = fs::remove_file(oldest);
    }
}
