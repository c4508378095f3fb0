//! A boot that its group waits for: a task beside it finds the hooks, keeps them
//! waiting while the boot goes on, and tells them its outcome.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::api::{Api, HookError};
use super::find::{Seat, Subject};
use super::signal::advice;
use super::{HookReport, Word};
use crate::identity::host;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;

/// How long an ended boot waits for its group. What the group has not heard by then
/// the daemon tells.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// As long as any boot takes.
const EVER: Duration = Duration::from_secs(30 * 24 * 3600);

/// The most that is kept free before a hook waits no longer, for the end to be told.
const MARGIN: Duration = Duration::from_secs(60);

/// How a boot stands with its hooks.
#[derive(Debug, Clone, Default)]
struct Facts {
    /// What is reported; `None` while it is not known that anybody waits.
    report: Option<HookReport>,
    /// What is wrong with the deadlines.
    problem: Option<String>,
    /// When the step must end, because nobody can wait longer.
    cut: Option<Instant>,
    /// Whether it was said that the instance may not do this.
    refused: bool,
}

/// What is known of a boot from the beginning.
#[derive(Debug)]
struct Boot {
    subject: Subject,
    /// How long its step may take.
    timeout: Duration,
    /// How long the host has been up.
    uptime: Option<Duration>,
}

/// A boot that may be waited for.
#[derive(Debug)]
pub struct Waiting {
    boot: Option<Boot>,
    patience: Duration,
    word: watch::Sender<Option<Word>>,
    facts: watch::Sender<Facts>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Waiting {
    /// Nothing is asked yet. `step` is how long the boot's step may take; `patience` is how
    /// long the group may take to hear the outcome.
    pub fn new(subject: Subject, step: Duration, paths: &Paths, patience: Duration) -> Self {
        let boot = Some(Boot { subject, timeout: step, uptime: host::uptime(paths) });
        let (word, facts) = (watch::Sender::new(None), watch::Sender::default());
        Self { boot, patience, word, facts, task: None }
    }

    /// Begins to look for hooks, and keeps them waiting. More than once is no more.
    pub fn begin(&mut self) {
        let Some(boot) = self.boot.take() else { return };
        let (word, facts) = (self.word.subscribe(), self.facts.clone());
        let patience = self.patience;
        self.task = Some(tokio::spawn(Box::pin(boot.run(word, facts, patience))));
    }

    /// Whether anybody was asked yet.
    pub fn is_begun(&self) -> bool {
        self.boot.is_none()
    }

    /// Lets `told` wait no longer than this.
    pub fn hurry(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Tells the hooks what came of the boot, from here on beside what follows.
    pub fn end(&mut self, word: Word) {
        self.word.send_replace(Some(word));
        self.begin();
    }

    /// Ready when the boot's step must end, because its group will not wait longer and
    /// cannot be asked to.
    pub fn cut(&self) -> impl Future<Output = ()> + use<> {
        let mut facts = self.facts.subscribe();
        async move {
            loop {
                let cut = facts.borrow_and_update().cut;
                match cut {
                    Some(cut) => return sleep_until(cut).await,
                    None if facts.changed().await.is_err() => return std::future::pending().await,
                    None => {}
                }
            }
        }
    }

    /// What came of it, when the group has heard the word of `end` or had its time; and
    /// what is wrong with the deadlines.
    pub async fn told(mut self) -> (Option<HookReport>, Option<String>) {
        let Some(mut task) = self.task.take() else { return (None, None) };
        let late = timeout(self.patience, &mut task).await.is_err();
        task.abort();
        let Facts { mut report, problem, .. } = self.facts.borrow().clone();
        if late {
            let report = report.get_or_insert_default();
            let limit = humantime::format_duration(self.patience);
            report.owed = true;
            report
                .error
                .get_or_insert_with(|| format!("the group could not be told within {limit}"));
        }
        (report, problem)
    }
}

impl Boot {
    async fn run(
        self,
        mut word: watch::Receiver<Option<Word>>,
        facts: watch::Sender<Facts>,
        patience: Duration,
    ) {
        let mut api = Api::new(&self.subject.client, &self.subject.identity);
        let mut seat = match self.subject.seat(&mut api, Instant::now() + EVER).await {
            Ok(Some(seat)) => seat,
            Ok(None) => return,
            Err(error) => return fail(&facts, &error),
        };
        let names = seat.names();
        tracing::info!(
            hook = names,
            group = seat.place.group,
            state = seat.place.state,
            "the autoscaling group waits for this instance"
        );
        let report = HookReport {
            hook: names,
            group: seat.place.group.clone(),
            state: seat.place.state.clone(),
            ..HookReport::default()
        };
        facts.send_modify(|facts| facts.report = Some(report));
        self.check(&seat, &facts);
        let ended = async {
            let said = word.wait_for(Option::is_some).await;
            said.ok().and_then(|word| *word)
        };
        let said = tokio::select! {
            biased;
            said = ended => said,
            () = self.keep(&mut api, &mut seat, &facts) => None,
        };
        let Some(said) = said else { return };
        // Sooner than whoever waits for this loses patience, so that it says why.
        let deadline = Instant::now() + patience.mul_f64(0.9);
        let told = seat.complete(&mut api, said, deadline).await;
        match told {
            Ok(()) => {
                let word = said.text();
                tracing::info!(word, group = seat.place.group, "the autoscaling group was told");
                facts.send_modify(|facts| {
                    let report = facts.report.get_or_insert_default();
                    (report.result, report.owed) = (Some(said), false);
                    // That no heartbeat could be sent is still worth knowing.
                    if !facts.refused {
                        report.error = None;
                    }
                });
            }
            Err(error) => fail(&facts, &error),
        }
    }

    /// Sends heartbeats for ever.
    async fn keep(&self, api: &mut Api, seat: &mut Seat, facts: &watch::Sender<Facts>) {
        loop {
            let next = Instant::now() + seat.rhythm();
            match seat.beat(api, next).await {
                Ok(accepted) => facts.send_modify(|facts| {
                    facts.report.get_or_insert_default().heartbeats += accepted;
                }),
                Err(error) if error.is_refused() => {
                    fail(facts, &error);
                    let soon = Instant::now() + PATIENCE;
                    seat.learn(api, self.subject.side, soon).await;
                    self.cut(seat, facts);
                    return std::future::pending().await;
                }
                Err(error) => tracing::warn!("{}", chain_text(&error)),
            }
            sleep_until(next).await;
        }
    }

    /// Whether the step may take longer than the hooks can be kept waiting.
    fn check(&self, seat: &Seat, facts: &watch::Sender<Facts>) {
        let Some(most) = seat.most().filter(|most| self.timeout > *most) else { return };
        let problem = format!(
            "configuration.timeout is {}, and the lifecycle hook '{}' waits {} at most",
            humantime::format_duration(self.timeout),
            seat.names(),
            humantime::format_duration(most)
        );
        tracing::warn!("{problem}");
        facts.send_modify(|facts| facts.problem = Some(problem));
    }

    /// Nobody may ask the hooks to wait on, so the step has only what is left.
    fn cut(&self, seat: &Seat, facts: &watch::Sender<Facts>) {
        let Some(patience) = seat.patience() else { return };
        // It began to wait when the instance was launched. Where that is longer ago than it
        // waits, somebody else has kept it waiting, and nothing is known.
        let waited = self.uptime.filter(|uptime| *uptime < patience).unwrap_or_default();
        let left = patience.saturating_sub(waited);
        let left = left.saturating_sub((patience / 4).min(MARGIN));
        if left < self.timeout {
            facts.send_modify(|facts| facts.cut = Some(Instant::now() + left));
        }
    }
}

/// Says once that the group cannot be told.
fn fail(facts: &watch::Sender<Facts>, error: &HookError) {
    let refused = error.is_refused();
    let mut said = false;
    facts.send_modify(|facts| {
        said = std::mem::replace(&mut facts.refused, refused) && refused;
        let report = facts.report.get_or_insert_default();
        report.owed = !refused && !error.is_idle();
        report.error = Some(chain_text(error));
    });
    if !said {
        tracing::warn!("{}", advice(error));
    }
}
