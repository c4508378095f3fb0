//! What is known of each series: since when it counts, whether it may be sent, and whether
//! this tick has it already.
//!
//! A counter comes with the moment at which it was zero. The kernel's are zero at boot;
//! others count from when they were first seen. One that went back was zero after its last
//! point, so it counts from there.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use crate::metrics::drops::Reason;
use crate::metrics::sample::{Kind, Sample, Tick};
use crate::platform::clock;

/// How the names of the kernel's own metrics begin.
const OF_KERNEL: &str = "node_";

/// What says when the kernel was started.
const BOOT: &str = "node_boot_time_seconds";

/// The time of boot follows the wall clock. It wavers by a second, and moves by more only
/// where the clock was set.
const CLOCK_SET: u64 = 5_000_000_000;

/// How long a series is left out that the receiver refuses by itself.
const LEFT_OUT: Duration = Duration::from_secs(3600);

/// The series of this host, at most as many as may be sent.
#[derive(Debug)]
pub(super) struct Series {
    most: usize,
    known: HashMap<u64, Known>,
    boot: Option<u64>,
    /// Which tick this is, and the last one at which room was made.
    tick: u32,
    cleared: u32,
    said: bool,
}

#[derive(Debug)]
struct Known {
    tick: u32,
    last: Option<(f64, u64)>,
    start: u64,
    refused: Option<Instant>,
}

impl Series {
    /// At most `most` series.
    pub(super) fn new(most: usize) -> Self {
        let known = HashMap::new();
        Self { most, known, boot: None, tick: 1, cleared: 0, said: false }
    }

    /// Turns to another tick.
    pub(super) fn turn(&mut self, tick: &Tick) {
        self.tick = self.tick.wrapping_add(1);
        let boot = tick.samples.iter().find(|sample| sample.name == BOOT);
        let Some(boot) = boot.map(|sample| (sample.value * 1e9) as u64) else { return };
        if self.boot.is_some_and(|known| known.abs_diff(boot) <= CLOCK_SET) {
            return;
        }
        // By another clock, every start is another one.
        if self.boot.replace(boot).is_some() {
            self.known.clear();
        }
    }

    /// Whether a sample of the tick may be sent; if so, since when it counts, in
    /// nanoseconds since 1970.
    pub(super) fn admit(&mut self, sample: &Sample, tick: &Tick) -> Result<u64, Reason> {
        let key = key(sample);
        if !self.known.contains_key(&key) && !self.has_room() {
            if !std::mem::replace(&mut self.said, true) {
                tracing::warn!(
                    metric = %sample.name,
                    max_series = self.most,
                    "this host has more series than it may send; this one and others are left out"
                );
            }
            return Err(Reason::OverBudget);
        }
        let at = clock::unix_ns(tick.at);
        let first = match self.boot {
            Some(boot) if sample.name.starts_with(OF_KERNEL) => boot.min(at),
            _ => at,
        };
        let fresh = || Known { tick: 0, last: None, start: first, refused: None };
        let known = self.known.entry(key).or_insert_with(fresh);
        if std::mem::replace(&mut known.tick, self.tick) == self.tick {
            return Err(Reason::Invalid);
        }
        if known
            .refused
            .is_some_and(|since| tick.steady.saturating_duration_since(since) < LEFT_OUT)
        {
            return Err(Reason::Rejected);
        }
        if sample.kind == Kind::Gauge {
            return Ok(0);
        }
        match known.last {
            // A start never lies ahead, also where the clock was set back.
            _ if known.start > at => known.start = first,
            Some((value, before)) if sample.value < value => known.start = before.min(at),
            _ => {}
        }
        known.last = Some((sample.value, at));
        Ok(known.start)
    }

    /// Leaves a series out for a while.
    pub(super) fn leave_out(&mut self, sample: &Sample, now: Instant) {
        if let Some(known) = self.known.get_mut(&key(sample)) {
            known.refused = Some(now);
            tracing::warn!(
                metric = %sample.name,
                "the receiver refuses this series and takes others; it is left out for an hour"
            );
        }
    }

    /// Whether another series has room. Who is in stays in, unless it was gone for a whole
    /// tick.
    fn has_room(&mut self) -> bool {
        if self.known.len() >= self.most && self.cleared != self.tick {
            self.cleared = self.tick;
            let tick = self.tick;
            self.known.retain(|_, known| tick.wrapping_sub(known.tick) <= 1);
        }
        self.known.len() < self.most
    }
}

fn key(sample: &Sample) -> u64 {
    let mut hasher = DefaultHasher::new();
    sample.name.hash(&mut hasher);
    for (name, value) in &sample.labels {
        (&**name, &**value).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
