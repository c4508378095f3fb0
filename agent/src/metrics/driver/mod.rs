//! One sink at work: a task that takes ticks from its own queue when the sink's
//! schedule says so, has them made into requests, and delivers each request or
//! gives it up and counts it.
//!
//! Whoever pushes a tick never waits, and a sink that hangs holds up nobody but
//! itself: each has its own queue, task and clock.

mod account;
mod parts;
mod shared;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use self::account::Account;
use self::shared::{Shared, Work};
use super::drops::{Drops, Reason};
use super::queue::Limits;
use super::sample::Tick;
use super::sink::{Place, Request, SendError, SetUpError, Sink};
use crate::platform::clock;
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

impl SinkStats {
    /// These totals on top of earlier ones.
    fn after(mut self, before: &SinkStats) -> Self {
        self.sent += before.sent;
        for (reason, count) in &before.dropped {
            *self.dropped.entry(reason).or_default() += count;
        }
        self.last_success = self.last_success.or_else(|| before.last_success.clone());
        self
    }
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

/// A running sink.
#[derive(Debug)]
pub struct Handle {
    /// Where the sink's series are.
    pub(super) place: Option<Place>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Handle {
    /// Puts a sink to work under a name. Setting it up may take a while and
    /// several tries, because it may need secrets from elsewhere; what is pushed
    /// meanwhile waits in the queue.
    pub fn start<S, F, B>(name: &str, mut set_up: F, retries: Retries) -> Self
    where
        S: Sink,
        F: FnMut() -> B + Send + 'static,
        B: Future<Output = Result<S, SetUpError>> + Send,
    {
        let shared = Arc::new(Shared::new(Limits::default()));
        let account = Account::new(name, retries, &shared);
        let work = async move {
            if let Some(sink) = account.set_up(&mut set_up).await {
                Driver { sink, account, set_up, behind: false }.run().await;
            }
        };
        Self { place: None, shared, task: tokio::spawn(work) }
    }

    /// Tells the sink who goes on with its series once it is shut down.
    pub(super) fn leave_to(&self, heir: Place) {
        self.shared.lock().heir = Some(heir);
    }

    /// Queues a tick. Never waits.
    pub fn push(&self, tick: Arc<Tick>) {
        let state = &mut *self.shared.lock();
        state.queue.push(tick, &mut state.drops);
        self.shared.wake.notify_one();
    }

    /// Has all that waits sent, as far as the sink takes it, and ends then.
    pub fn flush(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        let asked = shared.ask();
        async move { shared.answered(asked).await }
    }

    /// How the sink does, and did before it was set up anew.
    pub fn stats(&self) -> SinkStats {
        let state = self.shared.lock();
        let own = SinkStats {
            queued: state.queue.len(),
            sent: state.sent,
            dropped: state.drops.by_reason(),
            last_error: state.last_error.clone(),
            last_success: state.last_success.map(clock::text),
        };
        own.after(&state.before)
    }

    /// What takes over the totals of the sink whose place this one took.
    pub(super) fn heir(&self) -> impl Fn(SinkStats) + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move |before| shared.lock().before = before
    }

    /// Sends what waits, once, and ends the sink; what is not out by `deadline`
    /// is lost.
    pub async fn shutdown(mut self, deadline: Instant) -> SinkStats {
        self.shared.lock().closing = true;
        self.shared.wake.notify_one();
        if timeout_at(deadline, &mut self.task).await.is_err() {
            self.task.abort();
            // Until it is gone it could still count.
            let _ = (&mut self.task).await;
        }
        {
            let state = &mut *self.shared.lock();
            while let Some(tick) = state.queue.pop() {
                state.drops.add(Reason::Shutdown, tick.samples.len());
            }
            let lost = std::mem::take(&mut state.pending) + std::mem::take(&mut state.held);
            state.drops.add(Reason::Shutdown, lost);
        }
        self.stats()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a request is not tried any more.
struct GivenUp {
    reason: Reason,
    /// Whether it is for what the request holds, so that a part of it may fare better.
    content: bool,
    /// How many of its measurements were delivered all the same.
    written: usize,
}

impl GivenUp {
    fn outside(reason: Reason) -> Self {
        Self { reason, content: false, written: 0 }
    }
}

struct Driver<S, F> {
    sink: S,
    account: Account,
    set_up: F,
    /// Whether something was not delivered at the end.
    behind: bool,
}

impl<S, F, B> Driver<S, F>
where
    S: Sink,
    F: FnMut() -> B + Send,
    B: Future<Output = Result<S, SetUpError>> + Send,
{
    async fn run(mut self) {
        let period = self.sink.period();
        let mut due = Instant::now() + self.sink.phase();
        loop {
            let work = self.account.shared.wait(due).await;
            loop {
                // Not in the loop's head, where the lock would be held below.
                let Some(tick) = self.account.shared.lock().queue.pop() else { break };
                let mut drops = Drops::default();
                let requests = self.sink.take(&tick, &mut drops);
                self.deliver(requests, &drops).await;
            }
            let mut drops = Drops::default();
            let requests = self.sink.flush(work != Work::Due, &mut drops);
            self.deliver(requests, &drops).await;
            match work {
                Work::Last => return self.farewell().await,
                Work::Flush(asked) => self.account.shared.answer(asked),
                // What was missed is not made up for.
                Work::Due => due = (due + period).max(Instant::now()),
            }
        }
    }

    /// Says which series end, where all that came before is out: what is older than that
    /// would be refused when it is sent again.
    async fn farewell(&mut self) {
        if self.behind {
            return;
        }
        let heir = self.account.shared.lock().heir.take();
        let requests = self.sink.farewell(SystemTime::now(), heir.as_ref());
        self.deliver(requests, &Drops::default()).await;
    }

    async fn deliver(&mut self, requests: Vec<Request<S::Payload>>, drops: &Drops) {
        {
            let state = &mut *self.account.shared.lock();
            state.drops.merge(drops);
            state.held = self.sink.held();
            state.pending += requests.iter().map(|request| request.measurements).sum::<usize>();
        }
        for request in requests {
            self.in_parts(request).await;
        }
    }

    /// Tries a request until it is delivered or there is a reason to give up.
    async fn attempts(&mut self, request: &Request<S::Payload>) -> Result<(), GivenUp> {
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
                    return Ok(());
                }
                Err(error) => error,
            };
            self.account.fails(&error, error.kind());
            if error.refuses_secrets() && self.account.renew(&mut self.sink, &mut self.set_up).await
            {
                continue;
            }
            let wait = match error.verdict() {
                Verdict::Permanent => {
                    let (content, written) = (error.refuses_content(), error.written());
                    return Err(GivenUp { reason: Reason::Rejected, content, written });
                }
                _ if last => return Err(GivenUp::outside(Reason::Shutdown)),
                Verdict::Transient => self.account.retries.backoff.wait(attempt),
                Verdict::After(wish) => wish.max(self.account.retries.backoff.wait(attempt)),
            };
            if wait > self.account.retries.most.saturating_sub(start.elapsed()) {
                return Err(GivenUp::outside(Reason::Expired));
            }
            self.account.shared.pause(Instant::now() + wait).await;
        }
    }
}

#[cfg(test)]
mod tests;
