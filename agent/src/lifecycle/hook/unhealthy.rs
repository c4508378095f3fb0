//! Services that make an instance useless: where one that is critical stays down
//! for long enough, the group is told, once, that the instance is unhealthy.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Side;
use super::api::{Api, Call, HookError};
use super::find::Subject;
use crate::identity::Identity;
use crate::lifecycle::settings::LifecycleSettings;
use crate::platform::error::chain_text;
use crate::scope::Context;

/// How long the group may take to hear it before the daemon looks again.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause after a failure, before the group is told again.
const PAUSE: Duration = Duration::from_secs(300);

/// What came of the last attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Told {
    /// There was none.
    #[default]
    Nothing,
    /// It was heard, or there is no group.
    Heard,
    /// It may not be said.
    Refused(String),
    /// It could not be said.
    Failed,
}

/// Watches over the outages of critical services.
#[derive(Debug)]
pub struct Sentry {
    outage: Outage,
    told: watch::Sender<Told>,
    problem: Option<String>,
    task: Option<JoinHandle<()>>,
}

impl Default for Sentry {
    fn default() -> Self {
        let (outage, told) = (Outage::new(Instant::now()), watch::Sender::default());
        Self { outage, told, problem: None, task: None }
    }
}

impl Drop for Sentry {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Sentry {
    /// Looks at the critical services that are down, each since when, and tells the group
    /// where it is time. Gives what is wrong. Must be called within a runtime.
    pub fn look(
        &mut self,
        context: &Context,
        settings: &LifecycleSettings,
        identity: Option<&Identity>,
        configuring: bool,
        down: &[(String, Instant)],
    ) -> Option<&str> {
        let now = Instant::now();
        self.hear(now);
        let due = self.outage.due(now, settings.unhealthy_after, configuring, down);
        let Context { client, imds, .. } = context;
        if let (Some(name), Some(identity)) = (due, identity)
            && let Some(subject) = Subject::new(client, imds, identity, settings, Side::Launch)
        {
            tracing::warn!(service = name, "a critical service stays down");
            let told = self.told.clone();
            self.task = Some(tokio::spawn(Box::pin(async move {
                let came = tell(&subject).await;
                told.send_replace(came);
            })));
        }
        self.problem.as_deref()
    }

    /// Takes note of what came of the last attempt.
    fn hear(&mut self, now: Instant) {
        match self.told.send_replace(Told::Nothing) {
            Told::Nothing => {}
            Told::Heard => self.problem = None,
            Told::Failed => self.outage.again(now + PAUSE),
            Told::Refused(problem) => {
                if self.problem.as_ref() != Some(&problem) {
                    tracing::warn!("{problem}");
                }
                self.problem = Some(problem);
            }
        }
    }
}

/// An outage: the time during which any critical service is down. It is over when none of the
/// services that were down at one look still is at the next, also where another outage has begun
/// between the two.
#[derive(Debug)]
struct Outage {
    /// What was down at the last look, each since when.
    down: Vec<(String, Instant)>,
    /// Before this nothing counts: the instance was being configured.
    from: Instant,
    /// Before this nobody is told again.
    pause: Instant,
    told: bool,
}

impl Outage {
    fn new(from: Instant) -> Self {
        Self { down: Vec::new(), from, pause: from, told: false }
    }

    /// The service for which the group is to be told now.
    fn due<'a>(
        &mut self,
        now: Instant,
        after: Option<Duration>,
        configuring: bool,
        down: &'a [(String, Instant)],
    ) -> Option<&'a str> {
        if configuring {
            self.from = now;
        }
        if !down.iter().any(|service| self.down.contains(service)) {
            self.told = false;
        }
        if self.down != down {
            self.down = down.to_vec();
        }
        let may = !configuring && !self.told && now >= self.pause;
        let after = after.filter(|_| may)?;
        let long = |since: Instant| now.saturating_duration_since(since.max(self.from)) >= after;
        let (name, _) = down.iter().find(|(_, since)| long(*since))?;
        self.told = true;
        Some(name)
    }

    /// The group has not heard it, and is to be told again at `at`.
    fn again(&mut self, at: Instant) {
        (self.told, self.pause) = (false, at);
    }
}

/// Tells the group, where the instance serves in one.
async fn tell(subject: &Subject) -> Told {
    match attempt(subject).await {
        Ok(Some(true)) => {
            tracing::warn!("the autoscaling group was told that this instance is unhealthy");
            Told::Heard
        }
        Ok(Some(false)) => Told::Failed,
        Ok(None) => Told::Heard,
        Err(error) if error.is_refused() => Told::Refused(format!(
            "the autoscaling group cannot be told that this instance is unhealthy: {}; \
             allow its role autoscaling:SetInstanceHealth",
            chain_text(&error)
        )),
        Err(error) => {
            tracing::warn!("{}", chain_text(&error));
            Told::Failed
        }
    }
}

/// Whether the instance serves, and its group was told; `None` where it is in none.
async fn attempt(subject: &Subject) -> Result<Option<bool>, HookError> {
    let in_group = subject.identity.autoscaling_group.is_some();
    let serves = match subject.target().await? {
        Some(target) => target == "InService",
        None if in_group => true,
        None => return Ok(None),
    };
    if serves {
        let mut api = Api::new(&subject.client, &subject.identity);
        api.ask(Call::Unhealthy, Instant::now() + PATIENCE).await?;
    }
    Ok(Some(serves))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn an_outage_is_told_once_and_only_when_it_has_lasted() {
        let start = Instant::now();
        let mut outage = Outage::new(start);
        let after = Some(5 * MINUTE);
        let web = [("web".to_owned(), start)];
        let both = [("api".to_owned(), start + 6 * MINUTE), web[0].clone()];
        assert_eq!(outage.due(start + 4 * MINUTE, after, false, &web), None);
        assert_eq!(outage.due(start + 6 * MINUTE, None, false, &web), None, "it is not asked for");
        assert_eq!(outage.due(start + 6 * MINUTE, after, false, &both), Some("web"));
        assert_eq!(outage.due(start + 30 * MINUTE, after, false, &both), None, "it was told");
        assert_eq!(outage.due(start + 31 * MINUTE, after, false, &[]), None);
        assert_eq!(outage.due(start + 32 * MINUTE, after, false, &both), Some("api"));
    }

    #[test]
    fn an_outage_that_ends_and_begins_anew_between_two_looks_is_another_one() {
        let start = Instant::now();
        let mut outage = Outage::new(start);
        let after = Some(5 * MINUTE);
        let since = |minutes: u32| [("web".to_owned(), start + minutes * MINUTE)];
        assert_eq!(outage.due(start + 5 * MINUTE, after, false, &since(0)), Some("web"));
        assert_eq!(outage.due(start + 8 * MINUTE, after, false, &since(7)), None);
        assert_eq!(outage.due(start + 12 * MINUTE, after, false, &since(7)), Some("web"));
        assert_eq!(outage.due(start + 13 * MINUTE, after, false, &since(7)), None, "it was told");
    }

    #[test]
    fn the_time_of_configuring_does_not_count() {
        let start = Instant::now();
        let mut outage = Outage::new(start);
        let after = Some(5 * MINUTE);
        let web = [("web".to_owned(), start)];
        assert_eq!(outage.due(start + 10 * MINUTE, after, true, &web), None);
        assert_eq!(outage.due(start + 14 * MINUTE, after, false, &web), None);
        assert_eq!(outage.due(start + 15 * MINUTE, after, false, &web), Some("web"));
    }

    #[test]
    fn what_was_not_heard_is_told_again() {
        let start = Instant::now();
        let mut outage = Outage::new(start);
        let after = Some(5 * MINUTE);
        let web = [("web".to_owned(), start)];
        let told = start + 5 * MINUTE;
        assert_eq!(outage.due(told, after, false, &web), Some("web"));
        outage.again(told + MINUTE);
        assert_eq!(outage.due(told, after, false, &web), None);
        assert_eq!(outage.due(told + MINUTE, after, false, &web), Some("web"));
    }
}
