//! What waits for one sink on disk, while its receiver cannot be reached: ticks, oldest
//! first, in segments that are removed once all they hold is delivered.
//!
//! Nothing is synced: what was written outlives a process that is killed, and after a power
//! failure the last half minute may be missing, of which the rest stays readable. A segment
//! belongs to the instance that wrote it.

/// Ticks as bytes.
mod codec;
/// Why a spool cannot be used.
mod error;
/// Opening what an earlier process left.
mod open;
/// How far it is delivered.
mod position;
/// What is read back.
mod read;
/// One file of it.
mod segment;
/// Values as bytes.
mod value;
/// Numbers as bytes.
mod varint;
/// The names of labels.
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use nix::fcntl::Flock;

use self::codec::Decoder;
pub use self::error::SpoolError;
pub use self::open::Opened;
use self::position::{Keeper, Position};
use self::segment::{Owner, Reader, Writer};
use super::drops::{Drops, Reason};
use super::sample::Tick;

/// Where a spool lies, whose it is, and how much it may hold.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its directory.
    pub directory: PathBuf,
    /// The instance that measures.
    pub instance: String,
    /// The most bytes of all its files.
    pub bytes: u64,
    /// How old a tick may become in it.
    pub age: Duration,
}

/// A segment is this part of the whole, for the oldest one goes where there is no room.
const SEGMENTS: u64 = 32;

/// What a segment is known to hold.
#[derive(Debug, Default)]
struct Segment {
    number: u64,
    bytes: u64,
    records: u32,
    samples: u64,
    first: Option<SystemTime>,
    damaged: bool,
    /// How many of its samples were read, or written when they were on their way.
    read: u64,
}

/// A tick that was read and is not yet delivered.
#[derive(Debug)]
struct Reading {
    /// Where it ends.
    end: Position,
    at: SystemTime,
}

/// The segment that is read.
struct Source {
    number: u64,
    records: u32,
    reader: Reader,
    decoder: Decoder,
}

/// How much a spool holds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Holds {
    /// Bytes on disk.
    pub bytes: u64,
    /// Ticks that are not delivered.
    pub ticks: u64,
    /// When the oldest of them was measured.
    pub oldest: Option<SystemTime>,
}

/// The ticks on disk of one sink.
pub struct Spool {
    place: Place,
    owner: Owner,
    /// Held as long as the spool is open.
    _lock: Flock<File>,
    /// What the steady times of this process count from.
    base: Instant,
    segments: VecDeque<Segment>,
    /// The number of the newest segment that there ever was.
    newest: u64,
    writer: Option<Writer>,
    source: Option<Source>,
    /// All segments up to this one are read.
    read: u64,
    /// So many records are passed over before the next one is read.
    skip: u32,
    reading: VecDeque<Reading>,
    keeper: Keeper,
    /// The last tick that was delivered, where it was read again.
    before: Option<Tick>,
    /// Why what waits could not be read.
    trouble: Option<io::Error>,
    /// Segments that are done with, and could not be removed.
    stuck: Vec<u64>,
}

impl Spool {
    /// How many ticks are there to be read.
    pub fn unread(&self) -> u64 {
        let of = |segment: &Segment| u64::from(self.unread_of(segment));
        let all: u64 = self.segments.iter().map(of).sum();
        all.saturating_sub(u64::from(self.skip))
    }

    fn unread_of(&self, segment: &Segment) -> u32 {
        match &self.source {
            Some(source) if source.number == segment.number => {
                segment.records.saturating_sub(source.records)
            }
            _ if segment.number <= self.read => 0,
            _ => segment.records,
        }
    }

    /// Appends a tick. With `taken` it is one that is being delivered already.
    pub fn append(
        &mut self,
        tick: &Tick,
        taken: bool,
        drops: &mut Drops,
    ) -> Result<(), SpoolError> {
        if let Err(source) = self.try_append(tick, drops) {
            // What the encoder knows is no longer what the segment says.
            self.writer = None;
            return Err(SpoolError::Write { path: self.place.directory.clone(), source });
        }
        if let Some(segment) = self.segments.back_mut().filter(|_| taken) {
            self.skip += 1;
            segment.read += tick.samples.len() as u64;
            let end = Position { segment: segment.number, records: segment.records };
            self.reading.push_back(Reading { end, at: tick.at });
        }
        Ok(())
    }

    fn try_append(&mut self, tick: &Tick, drops: &mut Drops) -> io::Result<()> {
        let limit = self.place.bytes / SEGMENTS;
        if self.writer.as_ref().is_some_and(|writer| writer.is_full(limit)) {
            self.writer = None;
        }
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.start_segment(tick.at)?,
        };
        let frame = writer.record(tick)?;
        let wanted = frame.len() as u64;
        if writer.bytes + wanted > self.place.bytes {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        while self.bytes() + wanted > self.place.bytes && self.segments.len() > 1 {
            self.drop_front(drops);
        }
        writer.write(&frame)?;
        if let Some(segment) = self.segments.back_mut() {
            segment.bytes = writer.bytes;
            segment.records += 1;
            segment.samples += tick.samples.len() as u64;
        }
        self.writer = Some(writer);
        Ok(())
    }

    fn start_segment(&mut self, first: SystemTime) -> io::Result<Writer> {
        // One in which nothing could be written does not stay.
        if let Some(empty) = self.segments.pop_back_if(|segment| segment.records == 0) {
            self.stuck.push(empty.number);
            self.remove_stuck();
        }
        let number = self.newest + 1;
        let writer = Writer::create(&self.path(number), &self.owner, self.base)?;
        self.newest = number;
        let bytes = writer.bytes;
        self.segments.push_back(Segment {
            number,
            bytes,
            first: Some(first),
            ..Segment::default()
        });
        Ok(writer)
    }

    /// Notes that the oldest tick that was read is delivered, or given up.
    pub fn settle(&mut self) -> Result<(), SpoolError> {
        let Some(Reading { end, .. }) = self.reading.pop_front() else { return Ok(()) };
        let noted = self.keeper.note(&self.place.directory.join(POSITION), end);
        self.tidy();
        noted.map_err(|source| SpoolError::Note { path: self.place.directory.clone(), source })
    }

    /// Looks whether something can be written there.
    pub fn look(&mut self) -> Result<(), SpoolError> {
        self.remove_stuck();
        let path = self.place.directory.join(LOOK);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(&[0; LOOK_BYTES]));
        let removed = fs::remove_file(path);
        let failed = |source| SpoolError::Write { path: self.place.directory.clone(), source };
        written.and(removed).map_err(failed)
    }

    /// How much it holds.
    pub fn holds(&self) -> Holds {
        let ticks = self.unread() + self.reading.len() as u64;
        let mut unread = self.segments.iter().filter(|segment| self.unread_of(segment) > 0);
        let first = unread.next().and_then(|segment| segment.first);
        let oldest = self.reading.front().map(|reading| reading.at).or(first);
        Holds { bytes: self.bytes(), ticks, oldest: oldest.filter(|_| ticks > 0) }
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    fn path(&self, number: u64) -> PathBuf {
        self.place.directory.join(open::file_name(number))
    }

    /// Drops the oldest segment. What of it was read is still to be delivered.
    fn drop_front(&mut self, drops: &mut Drops) {
        let Some(front) = self.segments.front() else { return };
        let lost = front.samples.saturating_sub(front.read);
        drops.add(Reason::SpoolFull, usize::try_from(lost).unwrap_or(usize::MAX));
        self.skip = self.skip.saturating_sub(self.unread_of(front));
        self.read = self.read.max(front.number);
        if self.source.as_ref().is_some_and(|source| source.number == front.number) {
            self.source = None;
        }
        self.remove_front();
    }

    /// Removes the segments that are read and delivered, and all of them where nothing is
    /// left.
    fn tidy(&mut self) {
        self.remove_stuck();
        let done = self.unread() == 0 && self.reading.is_empty();
        if done {
            (self.writer, self.source, self.skip, self.read) = (None, None, 0, self.newest);
        }
        let held = self.reading.front().map_or(u64::MAX, |reading| reading.end.segment);
        while self.segments.front().is_some_and(|s| s.number <= self.read && s.number < held) {
            self.remove_front();
        }
    }

    fn remove_front(&mut self) {
        let Some(front) = self.segments.pop_front() else { return };
        let path = self.path(front.number);
        match front.damaged {
            true => open::put_aside(&self.place.directory, &path),
            false => {
                self.stuck.push(front.number);
                self.remove_stuck();
            }
        }
    }

    /// Removes files that are done with. On a disk that can only be read for a while they stay
    /// until then.
    fn remove_stuck(&mut self) {
        let directory = &self.place.directory;
        self.stuck.retain(|number| {
            let removed = fs::remove_file(directory.join(open::file_name(*number)));
            removed.is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
        });
    }
}

/// The file that says how far the spool is delivered.
const POSITION: &str = "position";
/// The file that shows whether the disk can be used, and its size: that of a tick, about.
const LOOK: &str = "look";
const LOOK_BYTES: usize = 4096;

#[cfg(test)]
mod tests;
