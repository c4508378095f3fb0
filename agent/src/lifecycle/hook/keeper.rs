//! What the daemon owes the group: the outcome of a boot that `configure` could
//! not tell in time, and that of an instance which leaves the warm pool while it
//! runs, long after its boot.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::find::Subject;
use super::waiting::Waiting;
use super::{Side, Word};
use crate::configure::report::{Outcome, Report};
use crate::identity::Identity;
use crate::lifecycle::settings::LifecycleSettings;
use crate::scope::Context;

/// How long the group may take to hear it: as long as a hook waits that nobody has
/// set otherwise.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What is to be told, and by whom.
#[derive(Debug, Default)]
pub struct Keeper {
    /// Whether the instance is on its way from the warm pool into service.
    called: bool,
    /// When the boot began whose debt was taken over.
    taken: Option<String>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Whether an instance is on its way from the warm pool into service, as two target
/// states in a row say.
pub fn is_called(old: Option<&str>, new: Option<&str>) -> bool {
    old.is_some_and(|old| old.starts_with("Warmed:")) && new == Some("InService")
}

impl Keeper {
    /// Hears that the instance is to be somewhere else. `look` must follow.
    pub fn on_target_state(&mut self, old: Option<&str>, new: Option<&str>) {
        self.called |= is_called(old, new);
    }

    /// Whether the group is being told nothing.
    pub fn is_idle(&self) -> bool {
        self.task.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Tells what is owed, as soon as the boot is over. Must be called within a runtime.
    pub fn look(
        &mut self,
        context: &Context,
        settings: &LifecycleSettings,
        identity: &Identity,
        report: &Report,
        at_work: bool,
    ) {
        let word = match Word::of(report.outcome) {
            None if at_work => return,
            // It was killed, and will never be over.
            word => word.unwrap_or(Word::Abandon),
        };
        let owed = report.lifecycle.as_ref().is_some_and(|told| told.owed)
            && report.outcome != Outcome::Running
            && self.taken.as_ref() != Some(&report.started_at);
        if !owed && !self.called {
            return;
        }
        self.called = false;
        self.taken = Some(report.started_at.clone());
        let Context { client, imds, paths, .. } = context;
        let subject = Subject::new(client, imds, identity, settings, Side::Launch);
        let Some(subject) = subject else { return };
        if let Some(before) = self.task.take() {
            before.abort();
        }
        let mut waiting = Waiting::new(subject, Duration::ZERO, paths, PATIENCE);
        self.task = Some(tokio::spawn(Box::pin(async move {
            waiting.end(word);
            waiting.told().await;
        })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_way_from_the_pool_into_service_is_a_call() {
        let service = Some("InService");
        for pooled in ["Warmed:Running", "Warmed:Stopped", "Warmed:Hibernated"] {
            assert!(is_called(Some(pooled), service));
            assert!(!is_called(Some(pooled), Some("Warmed:Terminated")));
            assert!(!is_called(Some(pooled), None));
            assert!(!is_called(service, Some(pooled)));
        }
        assert!(!is_called(None, service));
        assert!(!is_called(service, service));
    }
}
