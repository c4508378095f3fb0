//! Reading a spool back, oldest tick first, one record at a time. What cannot be read is
//! passed over, for what comes after it is as good as ever.

use super::codec::{self, Decoder};
use super::position::Position;
use super::segment::{Next, Reader};
use super::{Reading, Source, Spool, open};
use crate::metrics::drops::{Drops, Reason};
use crate::metrics::sample::Tick;

impl Spool {
    /// Reads the oldest tick that was not read. What cannot be read, or is too old, is
    /// counted and passed over.
    pub fn next(&mut self, drops: &mut Drops) -> Option<Tick> {
        while self.unread() > 0 {
            let Some((end, tick, samples)) = self.next_record() else { continue };
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

    /// The next record: where it ends, its tick if that can be told, and how many samples it
    /// has. Nothing where a segment is at its end.
    fn next_record(&mut self) -> Option<(Position, Option<Tick>, usize)> {
        let source = match &mut self.source {
            Some(source) => source,
            None => {
                let source = self.open_source()?;
                self.source.insert(source)
            }
        };
        let known = self.segments.iter().find(|segment| segment.number == source.number);
        if known.is_none_or(|segment| source.records >= segment.records) {
            self.read = source.number;
            self.source = None;
            return None;
        }
        let next = source.reader.next(true);
        source.records += 1;
        let end = Position { segment: source.number, records: source.records };
        Some(match next {
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
        })
    }

    /// Opens the segment that comes next.
    fn open_source(&mut self) -> Option<Source> {
        let known = self.segments.iter_mut().find(|segment| segment.number > self.read)?;
        let number = known.number;
        let path = self.place.directory.join(open::file_name(number));
        if let Ok(Some(reader)) = Reader::open(&path) {
            let own = reader.owner.process == self.owner.process;
            let decoder = Decoder::new(own.then_some(self.base));
            return Some(Source { number, records: 0, reader, decoder });
        }
        // It was there when the spool was opened.
        self.skip = self.skip.saturating_sub(known.records);
        (known.damaged, known.records, self.read) = (true, 0, number);
        None
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
