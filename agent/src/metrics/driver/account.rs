//! A sink's name and state, for its task: how it is set up, and what is said of
//! its failures.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Retries;
use super::shared::Shared;
use crate::metrics::drops::Reason;
use crate::metrics::sink::{SetUpError, Sink};
use crate::platform::error::chain_text;

pub(super) struct Account {
    pub(super) name: String,
    pub(super) retries: Retries,
    pub(super) shared: Arc<Shared>,
    renewed: Option<Instant>,
}

/// The least time from one resolution of a sink's secrets to the next, where its receiver
/// refuses them.
const RENEWAL: Duration = Duration::from_secs(60);

/// How long a sink waits for the spool of the one before it, and how often it looks.
const HANDOVER: Duration = Duration::from_secs(60);
const HANDOVER_LOOK: Duration = Duration::from_millis(50);

impl Account {
    /// The account of a sink that has yet to be set up.
    pub(super) fn new(name: &str, retries: Retries, shared: &Arc<Shared>) -> Self {
        Self { name: name.to_owned(), retries, shared: Arc::clone(shared), renewed: None }
    }

    /// Opens the spool. The sink whose place this one takes may still hold it, and has older
    /// ticks than those that come now.
    pub(super) async fn open_spool(&self) {
        let end = Instant::now() + HANDOVER;
        loop {
            {
                let state = &mut *self.shared.lock();
                if state.backlog.open(&mut state.drops) || state.closing {
                    return;
                }
            }
            if Instant::now() >= end {
                tracing::warn!(sink = %self.name, "another process holds the sink's spool");
                return;
            }
            self.shared.pause(Instant::now() + HANDOVER_LOOK).await;
        }
    }

    /// Sets the sink up, however often that must be tried; `None` when the end
    /// comes first. A sink that can never be set up counts what it does not
    /// deliver, so that nobody takes its silence for success.
    pub(super) async fn set_up<S, F, B>(&self, set_up: &mut F) -> Option<S>
    where
        S: Sink,
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
            self.fails(&error, "set up".to_owned());
            if error.is_permanent() {
                self.give_everything_up().await;
                return None;
            }
            {
                let state = &mut *self.shared.lock();
                if state.closing {
                    return None;
                }
                state.backlog.set_outage(true, &mut state.drops);
            }
            self.shared.pause(Instant::now() + self.retries.backoff.wait(attempt)).await;
        }
    }

    /// Gives a sink its secrets anew, which may be others by now; says whether it did.
    pub(super) async fn renew<S, F, B>(&mut self, sink: &mut S, set_up: &mut F) -> bool
    where
        S: Sink,
        F: FnMut() -> B,
        B: Future<Output = Result<S, SetUpError>>,
    {
        if !sink.has_secrets() || self.renewed.is_some_and(|at| at.elapsed() < RENEWAL) {
            return false;
        }
        self.renewed = Some(Instant::now());
        set_up().await.map(|fresh| sink.renew(fresh)).is_ok()
    }

    async fn give_everything_up(&self) {
        loop {
            {
                let state = &mut *self.shared.lock();
                while let Some(tick) = state.backlog.give_up() {
                    state.drops.add(Reason::Unusable, tick.samples.len());
                }
                if state.closing {
                    return;
                }
                state.done = state.asked;
            }
            self.shared.flushed.notify_waiters();
            self.shared.wake.notified().await;
        }
    }

    /// Notes a success, and logs it after a failure.
    pub(super) fn works(&self) {
        let state = &mut *self.shared.lock();
        state.last_error = None;
        state.backlog.set_outage(false, &mut state.drops);
        if state.failing.take().is_some() {
            tracing::info!(sink = %self.name, "sink works again");
        }
    }

    /// Notes a failure, and logs it when it is of another kind than the last:
    /// texts of receivers may differ at every try.
    pub(super) fn fails(&self, error: &(dyn Error + 'static), kind: String) {
        let text = chain_text(error);
        let state = &mut *self.shared.lock();
        if state.failing.as_ref() != Some(&kind) {
            tracing::warn!(sink = %self.name, error = %text, "sink failed");
            state.failing = Some(kind);
        }
        state.last_error = Some(text);
    }
}
