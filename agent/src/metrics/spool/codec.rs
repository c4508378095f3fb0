//! A tick in few bytes. The names of series stand once in a segment, at the tick that has
//! them first; from then on a series is a number. A value stands there as what it differs
//! by from the one before.
//!
//! A tick that is lost takes those with it that are told by it: up to the next key, at which
//! all values stand in full.

mod names;

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::names::{get_layout, get_name, get_series, put_layout, put_name, put_series};
use super::value::{Last, Values};
use super::varint::{Bytes, put, put_signed};
use crate::metrics::sample::{Sample, Tick};

/// So many ticks from one key to the next: five minutes at the default interval.
const KEY_EVERY: u32 = 30;

/// The most bytes that the names of a segment have together, each with its labels. What
/// shares all with the one before takes no bytes, so the record's size does not bound them.
const MOST_NAMES: usize = 16 << 20;

/// No tick has more samples: what says so is damaged.
const LARGEST_TICK: usize = 1 << 18;

/// Bits of a record's first byte.
const KEY: u8 = 1;
const SAME_SERIES: u8 = 2;

/// What is known of the records before.
#[derive(Debug, Default)]
struct State {
    /// The last value of each series.
    last: Vec<Last>,
    /// The series of the tick before, by number.
    layout: Vec<u32>,
    /// The last name of a series that was told, in full.
    name: Vec<u8>,
    at: i64,
    steady: i64,
}

/// Makes ticks into the records of one segment.
#[derive(Debug)]
pub(super) struct Encoder {
    known: HashMap<Box<[u8]>, u32>,
    state: State,
    since_key: u32,
    base: Instant,
}

impl Encoder {
    /// At the start of a segment; steady times count from `base`.
    pub(super) fn new(base: Instant) -> Self {
        Self { known: HashMap::new(), state: State::default(), since_key: 0, base }
    }

    /// Appends the tick's record. One that was not kept leaves the encoder of no use.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, tick: &Tick) {
        let state = &mut self.state;
        let is_key = self.since_key == 0;
        self.since_key = (self.since_key + 1) % KEY_EVERY;
        let dictionary = state.last.len();
        if is_key {
            state.last.fill(Last::default());
            (state.at, state.steady) = (0, 0);
        }
        let (mut names, mut layout, mut series) = (Vec::new(), Vec::new(), Vec::new());
        for sample in &tick.samples {
            series.clear();
            put_series(&mut series, sample);
            let number = match self.known.get(series.as_slice()) {
                Some(number) => *number,
                None => {
                    let number = state.last.len() as u32;
                    put_name(&mut names, &mut state.name, &series);
                    self.known.insert(series.as_slice().into(), number);
                    state.last.push(Last::default());
                    number
                }
            };
            layout.push(number);
        }
        let same = !is_key && layout == state.layout;
        out.push(if is_key { KEY } else { 0 } | if same { SAME_SERIES } else { 0 });
        put(out, layout.len() as u64);
        put(out, dictionary as u64);
        let at = nanoseconds(tick.at);
        put_signed(out, at.wrapping_sub(state.at));
        let steady = since(self.base, tick.steady);
        put_signed(out, steady.wrapping_sub(state.steady));
        (state.at, state.steady) = (at, steady);
        put(out, (state.last.len() - dictionary) as u64);
        out.extend(names);
        if !same {
            put_layout(out, &layout);
        }
        let mut values = Values::default();
        for (number, sample) in layout.iter().zip(&tick.samples) {
            values.put(out, &mut state.last[*number as usize], sample.value);
        }
        values.finish(out);
        state.layout = layout;
    }
}

/// Makes the records of one segment into ticks.
#[derive(Debug)]
pub(super) struct Decoder {
    series: Vec<Sample>,
    state: State,
    /// The bytes of all names.
    names: usize,
    base: Option<Instant>,
    /// A record is missing, and what follows is told by it.
    pub(super) lost: bool,
}

/// How many samples the tick of a record has, where the record says so.
pub(super) fn samples(record: &[u8]) -> usize {
    let count = Bytes(record.get(1..).unwrap_or_default()).number();
    count.unwrap_or_default().min(LARGEST_TICK as u64) as usize
}

/// When the tick was measured, where the record is the first of its segment.
pub(super) fn first_at(record: &[u8]) -> Option<SystemTime> {
    let mut bytes = Bytes(record);
    let is_key = bytes.byte()? & KEY != 0;
    let (_, _, at) = (bytes.number()?, bytes.number()?, bytes.signed()?);
    is_key.then_some(moment(at)).flatten()
}

impl Decoder {
    /// At the start of a segment. Without a base its steady times are those of another
    /// process, and are set by what the wall clock says at its first tick.
    pub(super) fn new(base: Option<Instant>) -> Self {
        Self { series: Vec::new(), state: State::default(), names: 0, base, lost: false }
    }

    /// The tick of a record; nothing where it cannot be told, as then also the ones up to the
    /// next key.
    pub(super) fn get(&mut self, record: &[u8]) -> Option<Tick> {
        let tick = self.try_get(&mut Bytes(record));
        self.lost = tick.is_none();
        tick
    }

    fn try_get(&mut self, bytes: &mut Bytes<'_>) -> Option<Tick> {
        let flags = bytes.byte()?;
        let samples = usize::try_from(bytes.number()?).ok()?;
        let dictionary = bytes.number()?;
        if (self.lost && flags & KEY == 0) || dictionary != self.series.len() as u64 {
            return None;
        }
        if flags & KEY != 0 {
            self.state.last.fill(Last::default());
            (self.state.at, self.state.steady) = (0, 0);
        }
        let at = self.state.at.wrapping_add(bytes.signed()?);
        let steady = self.state.steady.wrapping_add(bytes.signed()?);
        (self.state.at, self.state.steady) = (at, steady);
        for _ in 0..bytes.count()? {
            get_name(bytes, &mut self.state.name)?;
            self.names += self.state.name.len();
            if self.names > MOST_NAMES {
                return None;
            }
            self.series.push(get_series(&mut Bytes(&self.state.name))?);
            self.state.last.push(Last::default());
        }
        if flags & SAME_SERIES == 0 {
            self.state.layout = get_layout(bytes, samples, self.series.len())?;
        } else if self.state.layout.len() != samples {
            return None;
        }
        let (mut values, mut names) = (Values::default(), 0);
        let mut tick = Tick::new(moment(at)?, Vec::with_capacity(samples));
        for number in &self.state.layout {
            let last = self.state.last.get_mut(*number as usize)?;
            let value = values.get(bytes, last)?;
            let series = self.series.get(*number as usize)?;
            // A damaged record may name a long one again and again.
            names += series.name.len();
            if names > MOST_NAMES {
                return None;
            }
            tick.samples.push(Sample { value, ..series.clone() });
        }
        tick.steady = self.steady(tick.at, steady)?;
        bytes.0.is_empty().then_some(tick)
    }

    fn steady(&mut self, at: SystemTime, steady: i64) -> Option<Instant> {
        let base = match self.base {
            Some(base) => base,
            None => {
                let age = SystemTime::now().duration_since(at).unwrap_or_default();
                let then = Instant::now().checked_sub(age)?;
                *self.base.insert(moved(then, steady.checked_neg()?)?)
            }
        };
        moved(base, steady)
    }
}

/// Nanoseconds since 1970, as far as they can be told: to the year 2262.
fn nanoseconds(at: SystemTime) -> i64 {
    let told = |by: Duration| i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
    match at.duration_since(UNIX_EPOCH) {
        Ok(after) => told(after),
        Err(before) => -told(before.duration()),
    }
}

fn moment(nanoseconds: i64) -> Option<SystemTime> {
    let by = Duration::from_nanos(nanoseconds.unsigned_abs());
    match nanoseconds < 0 {
        true => UNIX_EPOCH.checked_sub(by),
        false => UNIX_EPOCH.checked_add(by),
    }
}

fn since(base: Instant, moment: Instant) -> i64 {
    let told = |by: Duration| i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
    match moment.checked_duration_since(base) {
        Some(after) => told(after),
        None => -told(base.duration_since(moment)),
    }
}

fn moved(base: Instant, nanoseconds: i64) -> Option<Instant> {
    let by = Duration::from_nanos(nanoseconds.unsigned_abs());
    match nanoseconds < 0 {
        true => base.checked_sub(by),
        false => base.checked_add(by),
    }
}

#[cfg(test)]
mod tests;
