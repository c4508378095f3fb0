//! What waits for one sink: in memory while it works, and on disk as soon as it does not,
//! so that neither a long outage nor a kill in the middle of it loses a tick.
//!
//! What is on disk is always older than what is in memory. A tick that was taken is kept
//! until it is delivered: where its delivery fails, it is the first one that goes to disk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::metrics::drops::Drops;
use crate::metrics::queue::{Limits, Queue};
use crate::metrics::sample::Tick;
use crate::metrics::spool::{Holds, Opened, Place, Spool, SpoolError};
use crate::metrics::steps::{Corrections, Step};
use crate::platform::error::chain_text;

/// A tick that is on its way.
#[derive(Debug)]
struct Taken {
    at: SystemTime,
    /// The tick, where it is not on disk.
    tick: Option<Arc<Tick>>,
}

/// What a sink takes next.
pub(super) struct Next {
    pub(super) tick: Arc<Tick>,
    /// The tick before it, where that was delivered by an earlier process.
    pub(super) before: Option<Tick>,
    /// Whether it was read from disk.
    pub(super) late: bool,
}

/// What waits for one sink.
pub(super) struct Backlog {
    queue: Queue,
    /// Where the spool lies, where there shall be one.
    place: Option<Place>,
    spool: Option<Box<Spool>>,
    taken: VecDeque<Taken>,
    /// Whether the sink compares each tick with the one before.
    compares: bool,
    /// That one, where it is delivered and not on disk.
    last: Option<Arc<Tick>>,
    /// Whether the receiver cannot be reached.
    outage: bool,
    /// Why the spool cannot be used.
    error: Option<String>,
    failures: u64,
    corrections: Corrections,
}

impl Backlog {
    pub(super) fn new(place: Option<Place>, compares: bool) -> Self {
        Self {
            queue: Queue::new(Limits::default()),
            place,
            spool: None,
            taken: VecDeque::new(),
            compares,
            last: None,
            outage: false,
            error: None,
            failures: 0,
            corrections: Corrections::default(),
        }
    }

    /// Opens the spool, if there shall be one; says whether that is over. It is not where
    /// another sink still holds it.
    pub(super) fn open(&mut self, drops: &mut Drops) -> bool {
        let Some(place) = self.place.as_ref().filter(|_| self.spool.is_none()) else {
            return true;
        };
        match Spool::open(place.clone(), drops) {
            Ok(Opened::Spool(spool)) => self.spool = Some(spool),
            Ok(Opened::Taken) => return false,
            Err(error) => self.note(Err(error)),
        }
        true
    }

    /// Adds the newest tick.
    pub(super) fn push(&mut self, tick: Arc<Tick>, drops: &mut Drops) {
        self.queue.add(tick);
        if self.outage || self.unread() > 0 || self.queue.is_over() {
            self.spill(drops);
        } else if self.error.is_some() {
            self.look_again(drops);
        }
        self.queue.trim(drops);
    }

    /// Looks whether the disk can be used again, where nothing has to go there: what an earlier
    /// process left must not wait for the next outage, nor must its fault be told for so long.
    fn look_again(&mut self, drops: &mut Drops) {
        if self.open(drops)
            && let Some(spool) = &mut self.spool
        {
            let went = spool.look();
            self.note(went);
        }
    }

    /// The wall clock was set: what waits was stamped by another one.
    pub(super) fn stepped(&mut self, step: Step) {
        self.corrections.add(step);
    }

    /// Takes the oldest tick.
    pub(super) fn take(&mut self, drops: &mut Drops) -> Option<Next> {
        if let Some(spool) = &mut self.spool {
            if let Some(mut tick) = spool.next(drops) {
                if spool.is_own() {
                    tick.at = self.corrections.at(&tick);
                }
                self.taken.push_back(Taken { at: tick.at, tick: None });
                let before = spool.take_before();
                return Some(Next { tick: Arc::new(tick), before, late: true });
            }
            if let Some(error) = spool.take_trouble() {
                // What is newer must not overtake it.
                self.note(Err(error));
                return None;
            }
        }
        let mut tick = self.queue.pop()?;
        let at = self.corrections.at(&tick);
        if at != tick.at {
            tick = Arc::new(Tick { at, ..(*tick).clone() });
        }
        if self.spool.is_some() {
            self.taken.push_back(Taken { at: tick.at, tick: Some(Arc::clone(&tick)) });
        }
        Some(Next { tick, before: None, late: false })
    }

    /// Notes that the sink is done with all that it took, but for what it holds since a
    /// moment.
    pub(super) fn settle(&mut self, since: Option<SystemTime>) {
        while let Some(taken) =
            self.taken.pop_front_if(|taken| since.is_none_or(|since| taken.at < since))
        {
            match (taken.tick, &mut self.spool) {
                (None, Some(spool)) => {
                    let noted = spool.settle();
                    self.note(noted);
                    self.last = None;
                }
                (tick, _) => self.last = tick.filter(|_| self.compares),
            }
        }
    }

    /// Notes whether the receiver can be reached. Where it cannot, all goes to disk.
    pub(super) fn set_outage(&mut self, outage: bool, drops: &mut Drops) {
        self.outage = outage;
        if outage {
            self.spill(drops);
        }
    }

    /// Puts all that is in memory on disk; says whether it is there.
    pub(super) fn spill(&mut self, drops: &mut Drops) -> bool {
        self.open(drops);
        let Some(spool) = &mut self.spool else { return false };
        let written = (|| {
            let mut taken = self.taken.iter_mut().filter(|taken| taken.tick.is_some()).peekable();
            if taken.peek().is_none() && self.queue.is_empty() {
                return Ok(());
            }
            let last = self.last.take().filter(|_| spool.holds().ticks == 0);
            if let Some(last) = &last {
                spool.append(last, true, drops)?;
            }
            for taken in taken {
                if let Some(tick) = &taken.tick {
                    spool.append(tick, true, drops)?;
                    taken.tick = None;
                }
            }
            while let Some(tick) = self.queue.front() {
                spool.append(tick, false, drops)?;
                self.queue.pop();
            }
            // It is delivered, and stands there only to be compared with.
            if last.is_some() { spool.settle() } else { Ok(()) }
        })();
        let done = written.is_ok();
        self.note(written);
        done
    }

    /// Whether something waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.unread() == 0
    }

    /// Whether something waits on disk.
    pub(super) fn is_behind(&self) -> bool {
        self.unread() > 0
    }

    /// How many ticks wait.
    pub(super) fn len(&self) -> usize {
        self.queue.len() + usize::try_from(self.unread()).unwrap_or(usize::MAX)
    }

    /// Takes the oldest tick in memory, never to be delivered.
    pub(super) fn give_up(&mut self) -> Option<Arc<Tick>> {
        self.queue.pop()
    }

    /// How long a tick may wait on disk, where it may.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.place.as_ref().filter(|_| self.spool.is_some()).map(|place| place.age)
    }

    /// What the spool holds, how often it could not be used, and why not, if it cannot.
    pub(super) fn spooled(&self) -> Option<(Holds, u64, Option<String>)> {
        self.place.as_ref()?;
        let holds = self.spool.as_ref().map(|spool| spool.holds()).unwrap_or_default();
        Some((holds, self.failures, self.error.clone()))
    }

    /// Leaves the spool to whoever comes next.
    pub(super) fn close(&mut self) {
        (self.place, self.spool) = (None, None);
    }

    fn unread(&self) -> u64 {
        self.spool.as_ref().map_or(0, |spool| spool.unread())
    }

    /// Notes how something on disk went; told once, however often it fails.
    fn note(&mut self, went: Result<(), SpoolError>) {
        match went {
            Ok(()) => {
                if self.error.take().is_some() {
                    tracing::info!("the spool can be used again");
                }
            }
            Err(error) => {
                self.failures += 1;
                let text = chain_text(&error);
                if self.error.is_none() {
                    tracing::warn!(error = %text, "the spool cannot be used; ticks wait in memory");
                }
                self.error = Some(text);
            }
        }
    }
}

impl std::fmt::Debug for Backlog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backlog").field("ticks", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
