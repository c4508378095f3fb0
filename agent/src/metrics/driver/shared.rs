//! What a sink's task shares with those who push ticks and ask how it does.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::super::drops::Drops;
use super::super::queue::{Limits, Queue};
use super::SinkStats;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Something was pushed, or the end has come.
    pub(super) wake: Notify,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: Queue,
    /// Measurements in requests that are neither delivered nor given up.
    pub(super) pending: usize,
    /// Measurements that the sink itself gathers for a later request.
    pub(super) held: usize,
    pub(super) drops: Drops,
    pub(super) sent: u64,
    pub(super) last_error: Option<String>,
    /// What kind of failure is going on, if one is.
    pub(super) failing: Option<String>,
    pub(super) last_success: Option<SystemTime>,
    pub(super) closing: bool,
    /// How the sink did whose place this one took.
    pub(super) before: SinkStats,
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Self {
        let state = State {
            queue: Queue::new(limits),
            pending: 0,
            held: 0,
            drops: Drops::default(),
            sent: 0,
            last_error: None,
            failing: None,
            last_success: None,
            closing: false,
            before: SinkStats::default(),
        };
        Self { state: Mutex::new(state), wake: Notify::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is time and there is something to send; true when the
    /// end has come instead.
    pub(super) async fn wait(&self, due: Instant) -> bool {
        loop {
            {
                let state = self.lock();
                if state.closing {
                    return true;
                }
                if Instant::now() >= due && !state.queue.is_empty() {
                    return false;
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
