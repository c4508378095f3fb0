//! One sink at work: a task that takes ticks from its own queue when the sink's
//! schedule says so, has them made into requests, and delivers each request or
//! gives it up and counts it.
//!
//! Whoever pushes a tick never waits, and a sink that hangs holds up nobody but
//! itself: each has its own queue, task and clock.

mod account;
mod backlog;
mod parts;
mod shared;
mod stats;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use self::account::Account;
use self::backlog::{Backlog, Next};
use self::shared::{Shared, Work};
pub use self::stats::{SinkStats, SpoolStats};
use super::drops::{Drops, Reason};
use super::sample::Tick;
use super::sink::{Destination, Request, SendError, SetUpError, Sink};
use super::spool::Place;
use super::steps::Step;
use crate::platform::clock;
use crate::platform::retry::{Backoff, Retryable, Verdict};

/// How often and how long one request is tried.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// The steps between tries.
    pub backoff: Backoff,
    /// How long the same request is tried. Some receivers answer 500 to what
    /// they will never take, so there must be an end. What waits on disk is tried for as
    /// long as it may wait there, but where the receiver answers 500.
    pub most: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        let backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };
        Self { backoff, most: Duration::from_secs(3600) }
    }
}

/// The pause after a request that was late: after an outage a fleet has much to send, and
/// the receiver has to take what is new as well.
const PACE: Duration = Duration::from_millis(100);

/// A running sink.
#[derive(Debug)]
pub struct Handle {
    /// Where the sink's series go.
    pub(super) destination: Option<Destination>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
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
        Self::spooling(name, set_up, retries, None)
    }

    /// The same with a place on disk for what cannot be sent.
    pub fn spooling<S, F, B>(
        name: &str,
        mut set_up: F,
        retries: Retries,
        place: Option<Place>,
    ) -> Self
    where
        S: Sink,
        F: FnMut() -> B + Send + 'static,
        B: Future<Output = Result<S, SetUpError>> + Send,
    {
        let shared = Arc::new(Shared::new(Backlog::new(place, S::COMPARES)));
        let account = Account::new(name, retries, &shared);
        let work = async move {
            account.open_spool().await;
            if let Some(sink) = account.set_up(&mut set_up).await {
                Driver { sink, account, set_up, behind: false }.run().await;
            }
        };
        Self { destination: None, shared, task: tokio::spawn(work) }
    }

    /// Tells the sink who goes on with its series once it is shut down.
    pub(super) fn leave_to(&self, heir: Destination) {
        self.shared.lock().heir = Some(heir);
    }

    /// Queues a tick. Never waits.
    pub fn push(&self, tick: Arc<Tick>) {
        let state = &mut *self.shared.lock();
        state.backlog.push(tick, &mut state.drops);
        self.shared.wake.notify_one();
    }

    /// The wall clock was set; what waits is stamped anew.
    pub fn stepped(&self, step: Step) {
        self.shared.lock().backlog.stepped(step);
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
        let spool = state.backlog.spooled().map(|(holds, failures, error)| SpoolStats {
            bytes: holds.bytes,
            ticks: holds.ticks,
            oldest_s: holds.oldest.and_then(|at| at.elapsed().ok()).unwrap_or_default().as_secs(),
            failures,
            error,
        });
        let own = SinkStats {
            spool,
            queued: state.backlog.len(),
            sent: state.sent,
            dropped: state.drops.by_reason(),
            last_error: state.last_error.clone(),
            last_success: state.last_success.map(clock::text),
            left_out: state.left_out.clone(),
        };
        own.after(&state.before)
    }

    /// What takes over the totals of the sink whose place this one took.
    pub(super) fn heir(&self) -> impl Fn(SinkStats) + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move |before| shared.lock().before = before
    }

    /// Sends what waits, once, and ends the sink; what is not out by `deadline`
    /// stays on disk, or is lost where it cannot be kept there.
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
            let kept = state.backlog.spill(&mut state.drops);
            while let Some(tick) = state.backlog.give_up() {
                state.drops.add(Reason::Shutdown, tick.samples.len());
            }
            let lost = std::mem::take(&mut state.pending) + std::mem::take(&mut state.held);
            state.drops.add(Reason::Shutdown, if kept { 0 } else { lost });
        }
        let stats = self.stats();
        self.shared.lock().backlog.close();
        stats
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a request is not tried any more.
struct GivenUp {
    /// What it counts as; nothing where it waits on disk for another process.
    reason: Option<Reason>,
    /// Whether it is for what the request holds, so that a part of it may fare better.
    content: bool,
    /// How many of its measurements were delivered all the same.
    written: usize,
}

impl GivenUp {
    fn outside(reason: Reason) -> Self {
        Self { reason: Some(reason), content: false, written: 0 }
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
            while let Some(next) = self.next() {
                let mut drops = Drops::default();
                if let Some(before) = next.before {
                    self.sink.prime(&before);
                }
                let mut requests = self.sink.take(&next.tick, &mut drops);
                if next.late {
                    requests.extend(self.sink.flush(false, &mut drops));
                }
                let sent = !requests.is_empty();
                if !self.deliver(requests, &drops).await {
                    return;
                }
                if next.late && sent {
                    self.account.shared.pause(Instant::now() + PACE).await;
                }
            }
            if self.is_kept() {
                return;
            }
            let mut drops = Drops::default();
            let requests = self.sink.flush(work != Work::Due, &mut drops);
            if !self.deliver(requests, &drops).await {
                return;
            }
            match work {
                Work::Last => return self.farewell().await,
                Work::Flush(asked) => self.account.shared.answer(asked),
                // What was missed is not made up for.
                Work::Due => due = (due + period).max(Instant::now()),
            }
        }
    }

    /// The tick that comes next. At the end, what is on disk stays there.
    fn next(&self) -> Option<Next> {
        if self.is_kept() {
            return None;
        }
        let state = &mut *self.account.shared.lock();
        state.backlog.take(&mut state.drops)
    }

    /// Whether the end has come, and what waits is on disk.
    fn is_kept(&self) -> bool {
        let state = &mut *self.account.shared.lock();
        state.closing && state.backlog.is_behind() && state.backlog.spill(&mut state.drops)
    }

    /// Delivers requests; says whether that is over, or they wait on disk.
    async fn deliver(&mut self, requests: Vec<Request<S::Payload>>, drops: &Drops) -> bool {
        {
            let state = &mut *self.account.shared.lock();
            state.drops.merge(drops);
            state.held = self.sink.held();
            if let Some(left_out) = self.sink.left_out().filter(|it| **it != state.left_out) {
                state.left_out = left_out.clone();
            }
            state.pending += requests.iter().map(|request| request.measurements).sum::<usize>();
        }
        for request in requests {
            if !self.in_parts(request).await {
                return false;
            }
        }
        self.account.shared.lock().backlog.settle(self.sink.holds_since());
        true
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

    /// Tries a request until it is delivered or there is a reason to give up. Of one that is
    /// delivered, says how much the receiver left out.
    async fn attempts(&mut self, request: &Request<S::Payload>) -> Result<usize, GivenUp> {
        let start = Instant::now();
        let mut blamed = None;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let last = self.account.shared.lock().closing;
            let limit = self.sink.timeout();
            let sent = timeout(limit, self.sink.send(&request.payload)).await;
            let error = match sent.unwrap_or(Err(SendError::Timeout(limit))) {
                Ok(()) => {
                    let Some((refused, error)) = self.sink.refused_of_last() else {
                        self.account.works();
                        return Ok(0);
                    };
                    self.account.fails(&error, error.kind());
                    return Ok(refused.min(request.measurements));
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
                    // It can be reached.
                    let state = &mut *self.account.shared.lock();
                    state.backlog.set_outage(false, &mut state.drops);
                    return Err(GivenUp { reason: Some(Reason::Rejected), content, written });
                }
                _ if last => {
                    let state = &mut *self.account.shared.lock();
                    let kept = state.backlog.spill(&mut state.drops);
                    let reason = (!kept).then_some(Reason::Shutdown);
                    return Err(GivenUp { reason, content: false, written: 0 });
                }
                Verdict::Transient => self.account.retries.backoff.wait(attempt),
                Verdict::After(wish) => wish.max(self.account.retries.backoff.wait(attempt)),
            };
            let patience = {
                let state = &mut *self.account.shared.lock();
                state.backlog.set_outage(true, &mut state.drops);
                state.backlog.patience()
            };
            // Some receivers answer 500 to what they will never take.
            let (since, most) = match patience {
                Some(patience) if !error.may_be_for_content() => {
                    blamed = None;
                    (start, patience)
                }
                Some(_) => (*blamed.get_or_insert_with(Instant::now), self.account.retries.most),
                None => (start, self.account.retries.most),
            };
            if wait > most.saturating_sub(since.elapsed()) {
                return Err(GivenUp::outside(Reason::Expired));
            }
            self.account.shared.pause(Instant::now() + wait).await;
        }
    }
}

#[cfg(test)]
mod tests;
