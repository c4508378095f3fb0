//! What the daemon does with messages that wait: each is sent once, oldest
//! first, with growing waits, for up to a day. It sleeps while nothing waits.
//!
//! A message arrives twice only where gild is killed between a receiver's answer
//! and the note of it, or where that answer is lost on its way.

mod rounds;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use self::rounds::Rounds;
use super::{NotifySettings, mask};
use crate::identity::Identity;
use crate::platform::redact::Redactor;
use crate::scope::Context;

/// How a notifier does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifierStats {
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that the daemon delivered.
    pub delivered: u64,
    /// Messages that the daemon gave up.
    pub dropped: u64,
    /// Why the last try failed; nothing once one succeeds.
    pub last_error: Option<String>,
    /// When a message last arrived.
    pub last_success: Option<String>,
}

/// Who is to be told, and who tells.
#[derive(Debug, Default)]
struct Orders {
    notifiers: BTreeMap<String, NotifySettings>,
    identity: Option<Identity>,
}

#[derive(Debug, Default)]
struct Shared {
    orders: Mutex<Arc<Orders>>,
    stats: Mutex<BTreeMap<String, NotifierStats>>,
    wake: Notify,
    stopping: AtomicBool,
}

/// The messenger of the daemon. Ends when dropped.
#[derive(Debug)]
pub struct Courier {
    shared: Arc<Shared>,
    redactor: Redactor,
    task: JoinHandle<()>,
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is valid after every single step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Courier {
    /// A courier without orders.
    pub fn start(context: &Context) -> Self {
        let shared = Arc::new(Shared::default());
        let rounds = Rounds::new(context, shared.clone());
        let redactor = context.redactor.clone();
        Self { shared, redactor, task: tokio::spawn(rounds.run()) }
    }

    /// New orders, or the same: there may be a new message.
    pub fn look(&self, notifiers: &BTreeMap<String, NotifySettings>, identity: Option<&Identity>) {
        let mut orders = lock(&self.shared.orders);
        if orders.notifiers != *notifiers || orders.identity.as_ref() != identity {
            mask(notifiers, &self.redactor);
            lock(&self.shared.stats).retain(|name, _| notifiers.contains_key(name));
            *orders =
                Arc::new(Orders { notifiers: notifiers.clone(), identity: identity.cloned() });
        }
        self.shared.wake.notify_one();
    }

    /// Lets what is on its way arrive and be noted, and begins nothing new.
    pub async fn finish(&mut self, within: Duration) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.wake.notify_one();
        // What takes longer is sent again by the next daemon.
        let _ = tokio::time::timeout(within, &mut self.task).await;
    }

    /// What it keeps of how each notifier does, for whoever asks.
    pub fn tally(&self) -> Tally {
        Tally(self.shared.clone())
    }
}

/// How the notifiers of a courier do.
#[derive(Debug, Clone)]
pub struct Tally(Arc<Shared>);

impl Tally {
    /// How each notifier does.
    pub fn stats(&self) -> BTreeMap<String, NotifierStats> {
        lock(&self.0.stats).clone()
    }
}

#[cfg(test)]
mod tests;
