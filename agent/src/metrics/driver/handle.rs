//! A running sink as others hold it: what is pushed to it, asked of it, and how it ends.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::account::Account;
use super::backlog::Backlog;
use super::shared::Shared;
use super::{Driver, Retries, SinkStats, SpoolStats};
use crate::metrics::drops::Reason;
use crate::metrics::sample::Tick;
use crate::metrics::sink::{Destination, SetUpError, Sink};
use crate::metrics::spool::Place;
use crate::metrics::steps::Step;
use crate::platform::clock;

/// A running sink.
#[derive(Debug)]
pub struct Handle {
    /// Where the sink's series go.
    pub(in crate::metrics) destination: Option<Destination>,
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
    pub(in crate::metrics) fn leave_to(&self, heir: Destination) {
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
    pub(in crate::metrics) fn heir(&self) -> impl Fn(SinkStats) + Send + use<> {
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
