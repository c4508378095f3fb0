//! What waits for one sink: ticks, shared with the other sinks, at most so many
//! and so large. The oldest goes first when there is no more room, for what
//! happens now matters more than what happened then.

use std::collections::VecDeque;
use std::sync::Arc;

use super::drops::{Drops, Reason};
use super::sample::{Sample, Tick};

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of all ticks together.
    pub bytes: usize,
    /// Ticks.
    pub ticks: usize,
    /// So many ticks may always wait, however large they are: a host with
    /// hundreds of processors must still be able to fill a minute.
    pub floor: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 20, ticks: 1024, floor: 16 }
    }
}

/// The queue of one sink.
#[derive(Debug)]
pub struct Queue {
    limits: Limits,
    ticks: VecDeque<(usize, Arc<Tick>)>,
    bytes: usize,
}

impl Queue {
    /// An empty queue.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ticks: VecDeque::new(), bytes: 0 }
    }

    /// Adds the newest tick, even where there is no room.
    pub fn add(&mut self, tick: Arc<Tick>) {
        let bytes = size(&tick);
        self.bytes += bytes;
        self.ticks.push_back((bytes, tick));
    }

    /// Drops the oldest ticks while there is no room.
    pub fn trim(&mut self, drops: &mut Drops) {
        while self.is_over() {
            let Some(oldest) = self.pop() else { break };
            drops.add(Reason::QueueFull, oldest.samples.len());
        }
    }

    /// Takes the oldest tick.
    pub fn pop(&mut self) -> Option<Arc<Tick>> {
        let (bytes, tick) = self.ticks.pop_front()?;
        self.bytes -= bytes;
        Some(tick)
    }

    /// The oldest tick.
    pub fn front(&self) -> Option<&Arc<Tick>> {
        self.ticks.front().map(|(_, tick)| tick)
    }

    /// How many ticks wait.
    pub fn len(&self) -> usize {
        self.ticks.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.ticks.is_empty()
    }

    /// Whether there are more ticks than there is room for.
    pub fn is_over(&self) -> bool {
        let count = self.ticks.len();
        count > self.limits.ticks.max(1)
            || (self.bytes > self.limits.bytes && count > self.limits.floor.max(1))
    }
}

/// What a tick holds in memory, near enough. Label values are shared.
fn size(tick: &Tick) -> usize {
    let of = |sample: &Sample| {
        let name = match &sample.name {
            std::borrow::Cow::Borrowed(_) => 0,
            std::borrow::Cow::Owned(name) => name.capacity(),
        };
        size_of::<Sample>() + name + sample.labels.capacity() * size_of::<super::sample::Label>()
    };
    size_of::<Tick>() + tick.samples.iter().map(of).sum::<usize>()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, SystemTime};

    use proptest::prelude::*;

    use super::super::sample::label;
    use super::*;

    fn tick(number: u64, samples: usize) -> Arc<Tick> {
        let sample = Sample::gauge("node_load1", vec![label("a", "b")], 1.0);
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(number);
        Arc::new(Tick::new(at, vec![sample; samples]))
    }

    proptest! {
        #[test]
        fn the_newest_ticks_wait_in_order_within_the_limits(
            sizes in proptest::collection::vec((0usize..40, any::<bool>()), 0..60),
            bytes in 0usize..8000, ticks in 0usize..20, floor in 0usize..5,
        ) {
            let limits = Limits { bytes, ticks, floor };
            let (mut queue, mut drops) = (Queue::new(limits), Drops::default());
            let (mut pushed, mut popped) = (0, 0);
            for (number, (samples, pop)) in sizes.iter().enumerate() {
                queue.add(tick(number as u64, *samples));
                queue.trim(&mut drops);
                pushed += *samples as u64;
                prop_assert!(queue.len() <= ticks.max(1));
                prop_assert!(queue.bytes <= bytes || queue.len() <= floor.max(1));
                let newest = &queue.ticks.back().unwrap().1;
                prop_assert_eq!(newest.at, tick(number as u64, 0).at);
                prop_assert_eq!(newest.samples.len(), *samples);
                if *pop {
                    popped += queue.pop().map_or(0, |tick| tick.samples.len() as u64);
                }
            }
            let mut last = None;
            while let Some(tick) = queue.pop() {
                prop_assert!(last < Some(tick.at));
                last = Some(tick.at);
                popped += tick.samples.len() as u64;
            }
            prop_assert_eq!(queue.bytes, 0);
            prop_assert_eq!(pushed, popped + drops.of(Reason::QueueFull));
        }
    }
}
