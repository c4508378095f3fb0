//! What must not be asked of gild while a fault lasts, and a little longer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ledger::{Ms, Span};
use crate::now_ms;

/// What a fault may spoil.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excuse {
    /// Nobody may answer at the status socket, or late.
    Answer,
    /// No tick may be measured.
    Tick,
    /// What waits may be in memory alone.
    Disk,
    /// The process may end.
    End,
}

const COUNT: usize = 4;
/// How long after a fault its trace may still be seen.
const GRACE: Duration = Duration::from_millis(1500);

#[derive(Debug, Default)]
struct Of {
    active: usize,
    since: Ms,
    ended: Option<Instant>,
    spans: Vec<Span>,
}

/// All of them. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Excuses(Arc<Mutex<[Of; COUNT]>>);

impl Excuses {
    pub(crate) fn begin(&self, excuses: &[Excuse]) {
        for excuse in excuses {
            let of = &mut self.lock()[*excuse as usize];
            if of.active == 0 && !of.is_recent(Instant::now()) {
                of.since = now_ms();
            }
            of.active += 1;
        }
    }

    pub(crate) fn end(&self, excuses: &[Excuse]) {
        for excuse in excuses {
            let of = &mut self.lock()[*excuse as usize];
            of.active -= 1;
            of.ended = Some(Instant::now());
            let since = of.since;
            of.spans.push((since, now_ms() + GRACE.as_millis() as Ms));
        }
    }

    /// Whether something may have been spoiled at this moment or later.
    pub(crate) fn holds(&self, excuse: Excuse, from: Instant) -> bool {
        let of = &self.lock()[excuse as usize];
        of.active > 0 || of.is_recent(from)
    }

    /// For how many reasons it is spoiled now.
    pub(crate) fn active(&self, excuse: Excuse) -> usize {
        self.lock()[excuse as usize].active
    }

    /// Since when it has been spoiled, if it is.
    pub(crate) fn since(&self, excuse: Excuse) -> Option<Ms> {
        let of = &self.lock()[excuse as usize];
        (of.active > 0 || of.is_recent(Instant::now())).then_some(of.since)
    }

    /// When it was spoiled.
    pub(crate) fn spans(&self, excuse: Excuse) -> Vec<Span> {
        self.lock()[excuse as usize].spans.clone()
    }

    fn lock(&self) -> MutexGuard<'_, [Of; COUNT]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Of {
    fn is_recent(&self, from: Instant) -> bool {
        self.ended.is_some_and(|ended| ended + GRACE >= from)
    }
}
