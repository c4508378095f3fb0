//! One file of a spool: a head that says whose it is, and records, each with its length and
//! its checksum. A file that is written is only ever appended to, so whatever a killed
//! process leaves is whole records and at most a part of one more.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Instant, SystemTime};

use flate2::Crc;
use nix::fcntl::OFlag;

use super::codec::{self, Encoder};
use super::varint::Bytes;
use crate::metrics::sample::Tick;

/// What every segment begins with; the last byte is the version.
const MAGIC: &[u8; 8] = b"gildspl\x01";

/// The longest instance id, which is the only text of a head.
const LONGEST_ID: usize = 256;

/// The bytes before a record: its length and its checksum.
const FRAME: usize = 8;

/// No record is larger.
const LARGEST: usize = 8 << 20;

/// Whose a segment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// The instance that measured.
    pub(super) instance: String,
    /// The process that wrote, by a number that it drew.
    pub(super) process: u64,
}

impl Owner {
    fn head(&self) -> Vec<u8> {
        let mut head = MAGIC.to_vec();
        head.extend(self.process.to_le_bytes());
        let id = &self.instance.as_bytes()[..self.instance.len().min(LONGEST_ID)];
        super::varint::put_bytes(&mut head, id);
        let sum = checksum(&head);
        head.extend(sum.to_le_bytes());
        head
    }

    /// Reads a head; its length too.
    fn read(head: &[u8]) -> Option<(Self, u64)> {
        let mut bytes = Bytes(head);
        if bytes.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let process = u64::from_le_bytes(bytes.take(8)?.try_into().ok()?);
        let instance = bytes.text()?.to_owned();
        let (summed, _) = head.split_at_checked(head.len() - bytes.0.len())?;
        let sum = u32::from_le_bytes(bytes.take(4)?.try_into().ok()?);
        let length = (head.len() - bytes.0.len()) as u64;
        (sum == checksum(summed)).then_some((Self { instance, process }, length))
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Appends ticks to a segment.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    encoder: Encoder,
    pub(super) bytes: u64,
    /// The largest record: the one that names all series.
    largest: u64,
}

impl Writer {
    /// Starts a segment; steady times count from `base`.
    pub(super) fn create(path: &Path, owner: &Owner, base: Instant) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create_new(true).mode(0o600).open(path)?;
        let head = owner.head();
        if let Err(error) = file.write_all(&head) {
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        let bytes = head.len() as u64;
        Ok(Self { file, encoder: Encoder::new(base), bytes, largest: 0 })
    }

    /// The record of a tick, with what stands before it. It has to be written, or the
    /// segment ends here.
    pub(super) fn record(&mut self, tick: &Tick) -> io::Result<Vec<u8>> {
        let mut frame = vec![0; FRAME];
        self.encoder.put(&mut frame, tick);
        let record = &frame[FRAME..];
        if record.len() > LARGEST {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let (length, sum) = (record.len() as u32, checksum(record));
        frame[..4].copy_from_slice(&length.to_le_bytes());
        frame[4..FRAME].copy_from_slice(&sum.to_le_bytes());
        Ok(frame)
    }

    /// Writes a record, whole or not at all.
    pub(super) fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(frame) {
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += frame.len() as u64;
        self.largest = self.largest.max(frame.len() as u64);
        Ok(())
    }

    /// Whether the segment is large enough. Where the names of all series take much, it is
    /// many times as large as they are.
    pub(super) fn is_full(&self, limit: u64) -> bool {
        self.bytes >= limit.max(self.largest.saturating_mul(2))
    }
}

/// What the next bytes of a segment are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A record.
    Record(Vec<u8>),
    /// A record whose checksum is wrong; how many samples it says it has.
    Damaged(usize),
    /// A part of a record: its writer was ended, or the disk was full.
    Torn,
    /// Nothing that could be a record.
    Unreadable,
    /// Nothing.
    End,
}

/// Reads a segment, one record at a time.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    offset: u64,
    pub(super) owner: Owner,
}

impl Reader {
    /// Opens a segment; `None` where its head is damaged.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        // Neither a link nor a pipe may stand in the place of a segment.
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut head = Vec::with_capacity(512);
        (&file).take(512).read_to_end(&mut head)?;
        Ok(Owner::read(&head).map(|(owner, offset)| Self { file, offset, owner }))
    }

    /// Reads what comes next. With `all` false only the beginning of a record is read, and
    /// no checksum is looked at.
    pub(super) fn next(&mut self, all: bool) -> io::Result<Next> {
        let mut frame = [0; FRAME];
        let left = self.file.metadata()?.len().saturating_sub(self.offset);
        if left < FRAME as u64 {
            return Ok(if left == 0 { Next::End } else { Next::Torn });
        }
        self.file.read_exact_at(&mut frame, self.offset)?;
        let [length, sum] = [&frame[..4], &frame[4..]]
            .map(|bytes| bytes.try_into().map(u32::from_le_bytes).unwrap_or_default());
        if length == 0 || length as usize > LARGEST {
            return Ok(Next::Unreadable);
        }
        if left < FRAME as u64 + u64::from(length) {
            return Ok(Next::Torn);
        }
        let wanted = if all { length as usize } else { 40.min(length as usize) };
        let mut record = vec![0; wanted];
        self.file.read_exact_at(&mut record, self.offset + FRAME as u64)?;
        self.offset += FRAME as u64 + u64::from(length);
        if all && checksum(&record) != sum {
            return Ok(Next::Damaged(codec::samples(&record)));
        }
        Ok(Next::Record(record))
    }
}

/// What a segment holds.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) owner: Owner,
    pub(super) records: u32,
    pub(super) samples: u64,
    /// How many of them stand in the records that are done with.
    pub(super) done: u64,
    pub(super) first: Option<SystemTime>,
    /// Whether it ends with a part of a record.
    pub(super) torn: bool,
    /// Whether it ends with what cannot be read.
    pub(super) unreadable: bool,
}

/// Looks through a segment, of which so many records are done with; `None` where its head is
/// damaged.
pub(super) fn survey(path: &Path, done: u32) -> io::Result<Option<Survey>> {
    let Some(mut reader) = Reader::open(path)? else { return Ok(None) };
    let owner = reader.owner.clone();
    let mut found = Survey {
        owner,
        records: 0,
        samples: 0,
        done: 0,
        first: None,
        torn: false,
        unreadable: false,
    };
    loop {
        match reader.next(false)? {
            Next::Record(record) => {
                if found.records == 0 {
                    found.first = codec::first_at(&record);
                }
                found.records += 1;
                found.samples += codec::samples(&record) as u64;
                if found.records <= done {
                    found.done = found.samples;
                }
                continue;
            }
            Next::Torn => found.torn = true,
            Next::Unreadable | Next::Damaged(_) => found.unreadable = true,
            Next::End => {}
        }
        return Ok(Some(found));
    }
}
