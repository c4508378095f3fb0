//! Reading a spool back, oldest tick first, one record at a time. What cannot be read is
//! passed over, for what comes after it is as good as ever.

use std::io;

use super::codec::{self, Decoder};
use super::error::is_passing;
use super::position::Position;
use super::segment::{Next, Reader};
use super::{Reading, Source, Spool, SpoolError, open};
use crate::metrics::drops::{Drops, Reason};
use crate::metrics::sample::Tick;

/// Where a record ends, its tick if that can be told, and how many samples it has.
type Record = (Position, Option<Tick>, usize);

impl Spool {
    /// Reads the oldest tick that was not read. What cannot be read, or is too old, is
    /// counted and passed over; what cannot be read now stays, and `unread` says so.
    pub fn next(&mut self, drops: &mut Drops) -> Option<Tick> {
        while self.unread() > 0 {
            let (end, tick, samples) = match self.next_record(drops) {
                Ok(Some(record)) => record,
                Ok(None) => continue,
                Err(error) => {
                    self.trouble = Some(error);
                    return None;
                }
            };
            let passed = self.skip > 0;
            self.skip = self.skip.saturating_sub(1);
            if let Some(segment) = self.segments.iter_mut().find(|s| s.number == end.segment) {
                segment.damaged |= tick.is_none();
                segment.read += if passed { 0 } else { samples as u64 };
            }
            match tick {
                _ if passed => self.before = tick,
                None => drops.add(Reason::Damaged, samples),
                Some(tick) if tick.steady.elapsed() > self.place.age => {
                    drops.add(Reason::TooOld, samples);
                }
                Some(tick) => {
                    self.reading.push_back(Reading { end, at: tick.at });
                    return Some(tick);
                }
            }
        }
        self.tidy();
        None
    }

    /// The next record. Nothing where a segment is at its end.
    fn next_record(&mut self, drops: &mut Drops) -> io::Result<Option<Record>> {
        let source = match &mut self.source {
            Some(source) => source,
            None => match self.open_source(drops)? {
                Some(source) => self.source.insert(source),
                None => return Ok(None),
            },
        };
        let known = self.segments.iter().find(|segment| segment.number == source.number);
        if known.is_none_or(|segment| source.records >= segment.records) {
            self.read = source.number;
            self.source = None;
            return Ok(None);
        }
        let next = source.reader.next(true);
        source.records += 1;
        let end = Position { segment: source.number, records: source.records };
        Ok(Some(match next {
            Ok(Next::Record(record)) => (end, source.decoder.get(&record), codec::samples(&record)),
            Ok(Next::Damaged(samples)) => {
                source.decoder.lost = true;
                // What it says of itself may be what is damaged.
                (end, None, samples.max(1))
            }
            _ => {
                // Nothing after it can be found.
                source.records = u32::MAX;
                (end, None, 1)
            }
        }))
    }

    /// Why what waits could not be read, once.
    pub fn take_trouble(&mut self) -> Option<SpoolError> {
        let source = self.trouble.take()?;
        Some(SpoolError::Read { path: self.place.directory.clone(), source })
    }

    /// Opens the segment that comes next.
    fn open_source(&mut self, drops: &mut Drops) -> io::Result<Option<Source>> {
        let next = self.segments.iter_mut().find(|segment| segment.number > self.read);
        let Some(known) = next else { return Ok(None) };
        let number = known.number;
        let path = self.place.directory.join(open::file_name(number));
        match Reader::open(&path) {
            Ok(Some(reader)) => {
                let own = reader.owner.process == self.owner.process;
                let decoder = Decoder::new(own.then_some(self.base));
                return Ok(Some(Source { number, records: 0, reader, decoder }));
            }
            Err(error) if is_passing(&error) => return Err(error),
            _ => {}
        }
        // It was there when the spool was opened.
        let lost = known.samples.saturating_sub(known.read).max(1);
        drops.add(Reason::Damaged, usize::try_from(lost).unwrap_or(usize::MAX));
        self.skip = self.skip.saturating_sub(known.records);
        (known.damaged, known.records, self.read) = (true, 0, number);
        Ok(None)
    }

    /// Whether the tick that was read last was measured by this process.
    pub fn is_own(&self) -> bool {
        let owner = self.source.as_ref().map(|source| &source.reader.owner);
        owner.is_some_and(|owner| owner.process == self.owner.process)
    }

    /// The last tick that was delivered before those that were read first, once.
    pub fn take_before(&mut self) -> Option<Tick> {
        self.before.take()
    }
}
