//! Answers to the hooks that wait: heartbeats, and the word that ends them.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::api::{Api, Call, HookError};
use super::find::Seat;
use super::{Side, Word};

/// The pause before hooks are told again that did not wait yet, at first and at most:
/// those of one transition wait one after the other.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How often a hook is asked to wait on whose patience is not known.
const USUAL: Duration = Duration::from_secs(60);

/// What an instance must be allowed to do, for people.
const RIGHTS: &str = "autoscaling:DescribeAutoScalingInstances, autoscaling:DescribeLifecycleHooks, \
                      autoscaling:RecordLifecycleActionHeartbeat and \
                      autoscaling:CompleteLifecycleAction";

/// What is said where the group cannot be told, with what to do about it.
pub(super) fn advice(error: &HookError) -> String {
    let text = crate::platform::error::chain_text(error);
    match error.is_refused() {
        true => format!(
            "the autoscaling group cannot be told how this instance fares: {text}; \
             allow its role {RIGHTS}"
        ),
        false => format!("the autoscaling group could not be told how this instance fares: {text}"),
    }
}

impl Seat {
    /// The time between two heartbeats: half of what the least patient hook waits.
    pub(super) fn rhythm(&self) -> Duration {
        self.patience().map_or(USUAL, |patience| patience / 2)
    }

    /// How long the least patient hook waits for a heartbeat.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.hooks.iter().filter_map(|hook| hook.heartbeat).min()
    }

    /// How long heartbeats can keep the hooks waiting.
    pub(super) fn most(&self) -> Option<Duration> {
        self.hooks.iter().filter_map(|hook| hook.most).min()
    }

    /// Learns how patient hooks are that were only named.
    pub(super) async fn learn(&mut self, api: &mut Api, side: Side, deadline: Instant) {
        if self.hooks.iter().all(|hook| hook.heartbeat.is_some()) {
            return;
        }
        // Who may not send heartbeats may well not ask either.
        if let Ok(answer) = api.ask(Call::Hooks(&self.place.group, side), deadline).await {
            for hook in &mut self.hooks {
                if let Some(known) = answer.hooks.iter().find(|known| known.name == hook.name) {
                    *hook = known.clone();
                }
            }
        }
    }

    /// One heartbeat for each hook that waits. Gives how many were accepted.
    pub(super) async fn beat(&self, api: &mut Api, deadline: Instant) -> Result<u32, HookError> {
        let mut accepted = 0;
        for hook in &self.hooks {
            match api.ask(Call::Heartbeat(&self.place.group, &hook.name), deadline).await {
                Ok(_) => accepted += 1,
                Err(error) if error.is_idle() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(accepted)
    }

    /// Tells every hook the word, until each has heard it, or none waits any more.
    pub(super) async fn complete(
        &self,
        api: &mut Api,
        word: Word,
        deadline: Instant,
    ) -> Result<(), HookError> {
        let mut left: Vec<&str> = self.hooks.iter().map(|hook| hook.name.as_str()).collect();
        let mut told = false;
        let mut pause = PAUSE.0;
        loop {
            let mut idle = None;
            let mut waiting = Vec::new();
            for name in left {
                match self.tell(api, name, word, deadline).await {
                    Ok(()) => told = true,
                    Err(error) if error.is_idle() => {
                        waiting.push(name);
                        idle = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            // An instance that is abandoned is waited for by nobody else.
            let Some(error) = idle.filter(|_| !(told && word == Word::Abandon)) else {
                return Ok(());
            };
            if !self.is_waited_for(api, deadline).await || Instant::now() + pause >= deadline {
                return if told { Ok(()) } else { Err(error) };
            }
            left = waiting;
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Tells one hook the word; where the credentials at hand are no good, with new ones.
    async fn tell(
        &self,
        api: &mut Api,
        hook: &str,
        word: Word,
        deadline: Instant,
    ) -> Result<(), HookError> {
        let call = Call::Complete(&self.place.group, hook, word);
        match api.ask(call, deadline).await {
            Err(error) if error.is_refused() => {
                api.renew();
                api.ask(call, deadline).await.map(|_| ())
            }
            answer => answer.map(|_| ()),
        }
    }

    /// Whether the instance is still where the hooks wait. Where that may not be asked,
    /// it is not taken to be.
    async fn is_waited_for(&self, api: &mut Api, deadline: Instant) -> bool {
        let answer = api.ask(Call::State, deadline).await;
        let place = answer.ok().and_then(|answer| answer.place);
        place.is_some_and(|place| place.state.ends_with(":Wait"))
    }
}
