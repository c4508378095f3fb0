//! The group that waits for a boot: kept waiting while the step runs, told the
//! outcome when it is known and written. Nothing here can change it.

use std::time::{Duration, Instant};

use super::phases::Boot;
use crate::configure::report::{Failure, Outcome, PhaseOutcome};
use crate::configure::settings::Rollback;
use crate::configure::state::Previous;
use crate::identity::Identity;
use crate::lifecycle::hook::find::Subject;
use crate::lifecycle::hook::waiting::{PATIENCE, Waiting};
use crate::lifecycle::hook::{Side, Word};
use crate::platform::error::chain_text;
use crate::scope::Resolution;

/// How long a boot that had nothing to do waits for the answer whether anybody waits.
const BRIEF: Duration = Duration::from_millis(150);

impl Boot<'_> {
    /// Gets ready to be waited for. Nothing is asked yet.
    pub(super) fn may_be_waited_for(&mut self, resolution: &Resolution) {
        let Some(identity) = resolution.identity.as_ref().filter(|_| !self.options.is_apart())
        else {
            return;
        };
        let context = self.context;
        let settings = &resolution.settings;
        let (client, imds) = (&context.client, &context.imds);
        let subject = Subject::new(client, imds, identity, &settings.lifecycle, Side::Launch);
        let step = settings.configuration.timeout;
        // The way back takes as long again.
        let step = match settings.configuration.rollback {
            Rollback::Previous => step * 2,
            _ => step,
        };
        self.waiting = subject.map(|subject| Waiting::new(subject, step, &context.paths, PATIENCE));
    }

    /// Asks whether anybody waits, and keeps them waiting.
    pub(super) fn keep_waiting(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.begin();
        }
    }

    /// Ready when the step must end, because the group waits no longer.
    pub(super) fn cut(&self) -> impl Future<Output = ()> + use<> {
        let cut = self.waiting.as_ref().map(Waiting::cut);
        async move {
            match cut {
                Some(cut) => cut.await,
                None => std::future::pending().await,
            }
        }
    }

    /// Begins to tell the group what came of the boot.
    pub(super) fn signal(&mut self) {
        if let (Some(waiting), Some(word)) = (&mut self.waiting, Word::of(self.report.outcome)) {
            // A boot that had nothing to do is hardly waited for: it asks, and leaves the
            // rest to the daemon.
            if word == Word::Continue && !waiting.is_begun() {
                waiting.hurry(BRIEF);
            }
            waiting.end(word);
        }
    }

    /// Waits until the group has heard it. Gives whether the report says more now.
    pub(super) async fn signalled(&mut self) -> bool {
        let Some(waiting) = self.waiting.take() else { return false };
        let started = Instant::now();
        let (told, problem) = waiting.told().await;
        let said = told.is_some() || problem.is_some();
        if let Some(told) = told {
            let outcome = match told.result {
                Some(_) => PhaseOutcome::Ok,
                None => PhaseOutcome::Failed,
            };
            // Where the daemon goes on asking, nobody is known to have waited.
            if !(told.owed && told.hook.is_empty()) {
                self.phase("lifecycle", outcome, started.elapsed());
            }
            self.report.lifecycle = Some(told);
        }
        self.report.problems.extend(problem);
        if said && let Err(error) = self.save() {
            tracing::warn!("{}", chain_text(&error));
        }
        said
    }
}

/// Says of a step that was ended for the sake of the group why it was.
pub(super) fn explained(failure: Failure, cut: bool) -> Failure {
    if !cut {
        return failure;
    }
    let why = "it was ended, because the lifecycle hook of the autoscaling group waits no longer, \
               and this instance may not send it heartbeats \
               (autoscaling:RecordLifecycleActionHeartbeat)";
    Failure { task: failure.task, ..Failure::of(why) }
}

/// Whether the last step on this disk was another instance's, or none was.
pub(super) fn is_new(previous: &Previous, identity: &Identity) -> bool {
    match previous {
        Previous::Found(state) => {
            state.key.instance_id != identity.instance_id || state.outcome == Outcome::Running
        }
        Previous::Absent | Previous::Damaged(_) => true,
    }
}
