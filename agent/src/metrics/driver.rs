//! One sink at work: a task that takes ticks from its own queue when the sink's
//! schedule says so, has them made into requests, and delivers each request or
//! gives it up and counts it.
//!
//! Whoever pushes a tick never waits, and a sink that hangs holds up nobody but
//! itself: each has its own queue, task and clock.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::drops::{Drops, Reason};
use super::queue::{Limits, Queue};
use super::sample::Tick;
use super::sink::{Request, SendError, SetUpError, Sink};
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::platform::retry::{Backoff, Retryable, Verdict};

/// How a sink does.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SinkStats {
    /// Ticks that wait.
    pub queued: usize,
    /// Measurements that were delivered.
    pub sent: u64,
    /// Measurements that were given up, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Why the last request failed; nothing once one succeeds.
    pub last_error: Option<String>,
    /// When a request last succeeded.
    pub last_success: Option<String>,
}

/// How often and how long one request is tried.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// The steps between tries.
    pub backoff: Backoff,
    /// How long the same request is tried. Some receivers answer 500 to what
    /// they will never take, so there must be an end.
    pub most: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        let backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };
        Self { backoff, most: Duration::from_secs(3600) }
    }
}

/// A receiver may ask for this much patience, and no more.
const LONGEST_WISH: Duration = Duration::from_secs(300);

/// A running sink.
#[derive(Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something was pushed, or the end has come.
    wake: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    drops: Drops,
    sent: u64,
    last_error: Option<String>,
    last_success: Option<SystemTime>,
    closing: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is time and there is something to send; true when the
    /// end has come instead.
    async fn wait(&self, due: Instant) -> bool {
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
    async fn pause(&self, until: Instant) {
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

impl Handle {
    /// Puts a sink to work under a name. Setting it up may take a while and
    /// several tries, because it may need secrets from elsewhere; what is pushed
    /// meanwhile waits in the queue.
    pub fn start<S, F, B>(name: &str, set_up: F, retries: Retries) -> Self
    where
        S: Sink,
        F: FnMut() -> B + Send + 'static,
        B: Future<Output = Result<S, SetUpError>> + Send,
    {
        let state = State {
            queue: Queue::new(Limits::default()),
            drops: Drops::default(),
            sent: 0,
            last_error: None,
            last_success: None,
            closing: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), wake: Notify::new() });
        let account = Account { name: name.to_owned(), retries, shared: Arc::clone(&shared) };
        let work = async move {
            if let Some(sink) = account.set_up(set_up).await {
                Driver { sink, account }.run().await;
            }
        };
        Self { shared, task: tokio::spawn(work) }
    }

    /// Queues a tick. Never waits.
    pub fn push(&self, tick: Arc<Tick>) {
        let state = &mut *self.shared.lock();
        state.queue.push(tick, &mut state.drops);
        self.shared.wake.notify_one();
    }

    /// How the sink does.
    pub fn stats(&self) -> SinkStats {
        let state = self.shared.lock();
        SinkStats {
            queued: state.queue.len(),
            sent: state.sent,
            dropped: state.drops.by_reason(),
            last_error: state.last_error.clone(),
            last_success: state.last_success.map(clock::text),
        }
    }

    /// Sends what waits, once, and ends the sink; what is not out by `deadline`
    /// is lost.
    pub async fn shutdown(mut self, deadline: Instant) -> SinkStats {
        self.shared.lock().closing = true;
        self.shared.wake.notify_one();
        if timeout_at(deadline, &mut self.task).await.is_err() {
            self.task.abort();
        }
        {
            let state = &mut *self.shared.lock();
            while let Some(tick) = state.queue.pop() {
                state.drops.add(Reason::Shutdown, tick.samples.len());
            }
        }
        self.stats()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A sink's name and state, for its task.
struct Account {
    name: String,
    retries: Retries,
    shared: Arc<Shared>,
}

impl Account {
    /// Sets the sink up, however often that must be tried; `None` when the end
    /// comes first. A sink that can never be set up counts what it does not
    /// deliver, so that nobody takes its silence for success.
    async fn set_up<S, F, B>(&self, mut set_up: F) -> Option<S>
    where
        F: FnMut() -> B,
        B: Future<Output = Result<S, SetUpError>>,
    {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match set_up().await {
                Ok(sink) => {
                    self.works();
                    return Some(sink);
                }
                Err(error) => error,
            };
            self.fails(&error);
            if let SetUpError::Build(_) | SetUpError::Aws(_) = error {
                self.give_everything_up().await;
                return None;
            }
            if self.shared.lock().closing {
                return None;
            }
            self.shared.pause(Instant::now() + self.retries.backoff.wait(attempt)).await;
        }
    }

    async fn give_everything_up(&self) {
        loop {
            {
                let state = &mut *self.shared.lock();
                while let Some(tick) = state.queue.pop() {
                    state.drops.add(Reason::Unusable, tick.samples.len());
                }
                if state.closing {
                    return;
                }
            }
            self.shared.wake.notified().await;
        }
    }

    /// Notes a success, and logs it after a failure.
    fn works(&self) {
        if self.shared.lock().last_error.take().is_some() {
            tracing::info!(sink = %self.name, "sink works again");
        }
    }

    /// Notes a failure, and logs it when it is a new one.
    fn fails(&self, error: &(dyn Error + 'static)) {
        let text = chain_text(error);
        let state = &mut *self.shared.lock();
        if state.last_error.as_ref() != Some(&text) {
            tracing::warn!(sink = %self.name, error = %text, "sink failed");
            state.last_error = Some(text);
        }
    }
}

struct Driver<S> {
    sink: S,
    account: Account,
}

impl<S: Sink> Driver<S> {
    async fn run(mut self) {
        let period = self.sink.period();
        let mut due = Instant::now() + self.sink.phase();
        loop {
            let last = self.account.shared.wait(due).await;
            loop {
                // Not in the loop's head, where the lock would be held below.
                let Some(tick) = self.account.shared.lock().queue.pop() else { break };
                let mut drops = Drops::default();
                let requests = self.sink.take(&tick, &mut drops);
                self.deliver(requests, &drops).await;
            }
            let mut drops = Drops::default();
            let requests = self.sink.flush(last, &mut drops);
            self.deliver(requests, &drops).await;
            if last {
                return;
            }
            // What was missed is not made up for.
            due = (due + period).max(Instant::now());
        }
    }

    async fn deliver(&mut self, requests: Vec<Request<S::Payload>>, drops: &Drops) {
        self.account.shared.lock().drops.merge(drops);
        for request in requests {
            let outcome = self.attempts(&request).await;
            let state = &mut *self.account.shared.lock();
            match outcome {
                None => {
                    state.sent += request.measurements as u64;
                    state.last_success = Some(SystemTime::now());
                }
                Some(reason) => state.drops.add(reason, request.measurements),
            }
        }
    }

    /// Tries a request until it is delivered or there is a reason to give up.
    async fn attempts(&mut self, request: &Request<S::Payload>) -> Option<Reason> {
        let start = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let last = self.account.shared.lock().closing;
            let limit = self.sink.timeout();
            let sent = timeout(limit, self.sink.send(&request.payload)).await;
            let error = match sent.unwrap_or(Err(SendError::Timeout(limit))) {
                Ok(()) => {
                    self.account.works();
                    return None;
                }
                Err(error) => error,
            };
            self.account.fails(&error);
            let wait = match error.verdict() {
                Verdict::Permanent => return Some(Reason::Rejected),
                _ if last => return Some(Reason::Shutdown),
                Verdict::Transient => self.account.retries.backoff.wait(attempt),
                Verdict::After(wish) => {
                    wish.min(LONGEST_WISH).max(self.account.retries.backoff.wait(attempt))
                }
            };
            if start.elapsed() + wait > self.account.retries.most {
                return Some(Reason::Expired);
            }
            self.account.shared.pause(Instant::now() + wait).await;
        }
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
