//! A message from a host that is no instance of its own: the one that makes images. It has
//! neither a spool nor a daemon, so a message is sent at once, within a time, or not at all.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::announce::{Audience, insist};
use super::deliver::Supplies;
use super::message::Message;
use crate::platform::error::chain_text;

/// How long receivers have together.
const PATIENCE: Duration = Duration::from_secs(30);

impl Audience {
    /// Tells everybody who wants to know, and says how many were told, and how many could
    /// not be.
    pub async fn tell_directly(&self, message: Message, supplies: &Supplies) -> (usize, usize) {
        let deadline = Instant::now() + PATIENCE;
        let message = self.addressed(message, &supplies.redactor);
        let mut tasks = JoinSet::new();
        let event = message.event;
        for (name, notifier) in self.notifiers().filter(|(_, to)| to.rules.want(event)) {
            let (name, notifier) = (name.clone(), notifier.clone());
            let (message, supplies) = (message.clone(), supplies.clone());
            tasks.spawn(async move {
                (name, insist(&notifier, &message, 0, &supplies, deadline).await)
            });
        }
        let (wanted, mut told) = (tasks.len(), 0);
        while let Ok(Some(Ok((name, sent)))) = timeout_at(deadline, tasks.join_next()).await {
            match sent {
                Ok(()) => {
                    tracing::info!(notifier = name, "a message has arrived");
                    told += 1;
                }
                Err(error) => tracing::warn!(notifier = name, "{}", chain_text(&error)),
            }
        }
        (told, wanted - told)
    }
}
