//! One sink at work: a task that takes ticks from its own queue when the sink's
//! schedule says so, has them made into requests, and delivers each request or
//! gives it up and counts it.
//!
//! Whoever pushes a tick never waits, and a sink that hangs holds up nobody but
//! itself: each has its own queue, task and clock.

mod account;
mod backlog;
mod handle;
mod parts;
mod shared;
mod stats;

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout};

use self::account::Account;
use self::backlog::Next;
pub use self::handle::Handle;
use self::shared::Work;
pub use self::stats::{SinkStats, SpoolStats};
use super::drops::{Drops, Reason};
use super::sink::{Request, SendError, SetUpError, Sink};
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
