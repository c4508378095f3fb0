//! What a sink's task shares with those who push ticks and ask how it does.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::super::drops::Drops;
use super::super::left_out::LeftOut;
use super::super::sink::Destination;
use super::SinkStats;
use super::backlog::Backlog;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Something was pushed or asked for, or the end has come.
    pub(super) wake: Notify,
    /// What was asked for has been sent.
    pub(super) flushed: Notify,
}

/// Why a sink's task goes to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// It is time, and there is something to send.
    Due,
    /// All that there is shall be sent: the number of who asked last.
    Flush(u64),
    /// The end has come.
    Last,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) backlog: Backlog,
    /// Measurements in requests that are neither delivered nor given up.
    pub(super) pending: usize,
    /// Measurements that the sink itself gathers for a later request.
    pub(super) held: usize,
    pub(super) drops: Drops,
    /// What the sink leaves out because it may send no more metrics.
    pub(super) left_out: LeftOut,
    pub(super) sent: u64,
    pub(super) last_error: Option<String>,
    /// What kind of failure is going on, if one is.
    pub(super) failing: Option<String>,
    pub(super) last_success: Option<SystemTime>,
    pub(super) closing: bool,
    /// Who goes on with the series afterwards.
    pub(super) heir: Option<Destination>,
    /// How often a flush was asked for, and how many of those are done.
    pub(super) asked: u64,
    pub(super) done: u64,
    /// How the sink did whose place this one took.
    pub(super) before: SinkStats,
}

impl Shared {
    pub(super) fn new(backlog: Backlog) -> Self {
        let state = State {
            backlog,
            pending: 0,
            held: 0,
            drops: Drops::default(),
            left_out: LeftOut::default(),
            sent: 0,
            last_error: None,
            failing: None,
            last_success: None,
            closing: false,
            heir: None,
            asked: 0,
            done: 0,
            before: SinkStats::default(),
        };
        Self { state: Mutex::new(state), wake: Notify::new(), flushed: Notify::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to do.
    pub(super) async fn wait(&self, due: Instant) -> Work {
        loop {
            {
                let state = self.lock();
                if state.closing {
                    return Work::Last;
                }
                if state.asked > state.done {
                    return Work::Flush(state.asked);
                }
                if Instant::now() >= due && !state.backlog.is_empty() {
                    return Work::Due;
                }
            }
            if Instant::now() < due {
                // A push before the time changes nothing; the end does.
                let _ = timeout_at(due, self.wake.notified()).await;
            } else {
                self.wake.notified().await;
            }
        }
    }

    /// Asks for all that there is to be sent; the number of the question.
    pub(super) fn ask(&self) -> u64 {
        let asked = {
            let mut state = self.lock();
            state.asked += 1;
            state.asked
        };
        self.wake.notify_one();
        asked
    }

    /// Answers all questions up to this one.
    pub(super) fn answer(&self, asked: u64) {
        self.lock().done = asked;
        self.flushed.notify_waiters();
    }

    /// Waits for the answer to a question.
    pub(super) async fn answered(&self, asked: u64) {
        loop {
            let mut flushed = pin!(self.flushed.notified());
            // Before the look, or an answer between the two would not be heard.
            flushed.as_mut().enable();
            if self.lock().done >= asked {
                return;
            }
            flushed.await;
        }
    }

    /// Sleeps between tries; the end cuts the sleep short.
    pub(super) async fn pause(&self, until: Instant) {
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                () = self.wake.notified() => {
                    if self.lock().closing {
                        return;
                    }
                }
            }
        }
    }
}
