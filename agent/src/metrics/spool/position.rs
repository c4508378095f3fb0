//! How far a spool has been delivered: written over in place after every tick that is, so
//! that a killed process sends at most what was under way once more.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use flate2::Crc;
use nix::fcntl::OFlag;

use crate::platform::fs::read_capped;

const SIZE: usize = 16;

/// A place in the records of all segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// The segment.
    pub(super) segment: u64,
    /// How many of its records are done with.
    pub(super) records: u32,
}

impl Position {
    fn bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&self.segment.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.records.to_le_bytes());
        let mut crc = Crc::new();
        crc.update(&bytes[..12]);
        bytes[12..].copy_from_slice(&crc.sum().to_le_bytes());
        bytes
    }

    /// The position in a file; nothing where there is none, or it is damaged.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let bytes: [u8; SIZE] = read_capped(path, SIZE as u64).ok()??.try_into().ok()?;
        let segment = u64::from_le_bytes(bytes[..8].try_into().ok()?);
        let records = u32::from_le_bytes(bytes[8..12].try_into().ok()?);
        let position = Self { segment, records };
        (position.bytes() == bytes).then_some(position)
    }
}

/// The file of a position, once it was needed.
#[derive(Debug, Default)]
pub(super) struct Keeper(Option<File>);

impl Keeper {
    /// Notes a position.
    pub(super) fn note(&mut self, path: &Path, position: Position) -> io::Result<()> {
        let file = match &mut self.0 {
            Some(file) => file,
            None => {
                let mut options = OpenOptions::new();
                let flags = OFlag::O_NOFOLLOW.bits();
                options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
                self.0.insert(options.open(path)?)
            }
        };
        file.write_all_at(&position.bytes(), 0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_written_over_and_a_damaged_one_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("position");
        assert_eq!(Position::read(&path), None);
        let mut keeper = Keeper::default();
        for records in [70_000, 3] {
            let position = Position { segment: 1 << 40, records };
            keeper.note(&path, position).unwrap();
            assert_eq!(Position::read(&path), Some(position));
        }
        let good = std::fs::read(&path).unwrap();
        for place in 0..good.len() {
            let mut bytes = good.clone();
            bytes[place] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(Position::read(&path), None, "{place}");
        }
    }
}
