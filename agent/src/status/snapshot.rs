//! What the daemon shows of itself and of the boot, as one value. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fresh::{self, Drift, Look, Refresh};
use crate::configure::report::{Outcome, Report, SourceReport};
use crate::health::watch::ServiceHealth;
use crate::identity::Identity;
use crate::image;
use crate::lifecycle::drain::record::Record;
use crate::lifecycle::notice::Notices;
use crate::metrics::left_out::LeftOut;
use crate::notify::courier::NotifierStats;

/// The version of the format.
pub const VERSION: u32 = 1;

/// What the failure of a step that left no end is called.
pub const NO_REPORT: &str = "configure ended without a report";

/// How the instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The configuration step is not over yet.
    Configuring,
    /// Everything is as configured.
    Ready,
    /// Configured, on a configuration that is not all fresh or not all right.
    Degraded,
    /// The step failed.
    Failed,
}

impl State {
    /// The word for the state.
    pub fn word(self) -> &'static str {
        match self {
            State::Configuring => "configuring",
            State::Ready => "ready",
            State::Degraded => "degraded",
            State::Failed => "failed",
        }
    }

    /// What `gild status` exits with.
    pub fn exit_code(self) -> u8 {
        match self {
            State::Ready => 0,
            State::Failed => 1,
            State::Configuring => 2,
            State::Degraded => 3,
        }
    }

    /// The state that a report, its process, the daemon's own problems with
    /// the local configuration and its last look at the sources come to.
    pub fn of(
        report: Option<&Report>,
        at_work: bool,
        problems: &[String],
        look: Option<&Look>,
    ) -> Self {
        let well = problems.is_empty() && look.is_none_or(|look| look.problems.is_empty());
        // That the configuration is what it should be does not undo a rollback.
        let rolled_back = report.is_some_and(Report::is_rolled_back);
        let confirmed = !rolled_back && look.is_some_and(|look| look.confirms);
        match report.map(|report| report.outcome) {
            None => State::Configuring,
            Some(Outcome::Running) if at_work => State::Configuring,
            Some(Outcome::Running | Outcome::Failed) => State::Failed,
            Some(Outcome::Degraded) if !confirmed => State::Degraded,
            Some(Outcome::Ready | Outcome::Degraded) if well => State::Ready,
            Some(Outcome::Ready | Outcome::Degraded) => State::Degraded,
        }
    }
}

/// What came of the configuration step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The report's word; null before there is a report.
    pub outcome: Option<Outcome>,
    /// The task that failed.
    pub failed_task: Option<String>,
    /// Why the step failed, or what is wrong with the configuration.
    pub message: Option<String>,
    /// When it began.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// The configuration's identity.
    pub digest: Option<String>,
}

/// How a sink is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkStatus {
    /// Samples that wait.
    pub queued: u64,
    /// Samples that were accepted.
    pub sent: u64,
    /// Samples that were given up, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// The last failure; null after a success.
    pub last_error: Option<String>,
    /// When something was last accepted.
    pub last_success: Option<String>,
    /// What waits on disk; null where nothing may.
    #[serde(default)]
    pub spool: Option<SpoolStatus>,
    /// Metrics that it refuses because it may send no more; null where there are none.
    #[serde(default)]
    pub left_out: Option<LeftOut>,
}

/// What waits on disk for a sink.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SpoolStatus {
    /// Bytes of its files.
    pub bytes: u64,
    /// Ticks.
    pub ticks: u64,
    /// How old the oldest tick is, in seconds.
    pub oldest_s: u64,
    /// Why the disk cannot be used; null once it can.
    pub error: Option<String>,
}

/// How a collector is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectorStatus {
    /// Whether its last run gave everything.
    pub ok: bool,
    /// How long that took.
    pub duration_ms: f64,
    /// Why it did not.
    pub error: Option<String>,
}

/// How the daemon itself is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStatus {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// How long it has been running.
    pub uptime_s: u64,
    /// The memory it occupies.
    pub rss_bytes: u64,
}

/// What the snapshot is made from.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The report, where there is one.
    pub report: Option<&'a Report>,
    /// Whether the process that the report names still lives.
    pub at_work: bool,
    /// What is wrong with the configuration that the daemon runs on.
    pub problems: &'a [String],
    /// What the daemon cannot do for the instance's group.
    pub group_problem: Option<&'a str>,
    /// The daemon's last look at the sources, since `configure` was last at work.
    pub look: Option<&'a Look>,
    /// How the sources differ from what `configure` ran with.
    pub drift: Option<&'a Drift>,
    /// What is coming for the instance.
    pub notices: &'a Notices,
    /// When the daemon started, RFC 3339.
    pub started_at: &'a str,
    /// Who the instance is, where that is known.
    pub identity: Option<&'a Identity>,
    /// What its image says of itself.
    pub image: Option<&'a image::record::Record>,
    /// What came of draining it.
    pub drain: Option<Record>,
    /// The services.
    pub services: BTreeMap<String, ServiceHealth>,
    /// The sinks.
    pub sinks: BTreeMap<String, SinkStatus>,
    /// Those who are told.
    pub notify: BTreeMap<String, NotifierStats>,
    /// The collectors.
    pub collectors: BTreeMap<String, CollectorStatus>,
    /// The daemon.
    pub agent: AgentStatus,
}

/// Everything that is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version of this format.
    pub version: u32,
    /// How the instance is.
    pub state: State,
    /// Since when, RFC 3339.
    pub since: String,
    /// Who the instance is.
    pub identity: Option<Identity>,
    /// What its image says of itself; null where it says nothing.
    #[serde(default)]
    pub image: Option<image::record::Record>,
    /// What came of the configuration step.
    pub configuration: Configuration,
    /// What came of the daemon's last look at the sources; null before it.
    #[serde(default)]
    pub refresh: Option<Refresh>,
    /// How the sources differ from what `configure` ran with; null where they
    /// do not.
    #[serde(default)]
    pub drift: Option<Drift>,
    /// What came of draining the instance; null where it was not drained.
    #[serde(default)]
    pub drain: Option<Record>,
    /// What is coming for the instance; null where nothing is known of it.
    #[serde(default)]
    pub lifecycle: Option<Notices>,
    /// The sources of configuration, as they were last asked.
    pub sources: Vec<SourceReport>,
    /// What is wrong with the configuration, one line each.
    pub problems: Vec<String>,
    /// The services.
    pub services: BTreeMap<String, ServiceHealth>,
    /// The sinks.
    pub sinks: BTreeMap<String, SinkStatus>,
    /// Those who are told, and how far that has come.
    #[serde(default)]
    pub notify: BTreeMap<String, NotifierStats>,
    /// The collectors.
    pub collectors: BTreeMap<String, CollectorStatus>,
    /// The daemon.
    pub agent: AgentStatus,
}

impl Snapshot {
    /// The snapshot that the facts come to.
    pub fn new(facts: Facts<'_>) -> Self {
        let Facts { report, at_work, look, .. } = facts;
        let reported = State::of(report, at_work, facts.problems, None);
        let state = State::of(report, at_work, facts.problems, look);
        let ended = report.and_then(|report| report.ended_at.as_deref());
        let started = report.map(|report| report.started_at.as_str());
        let since = match look {
            Some(look) if state != reported => &look.turned,
            _ => ended.or(started).unwrap_or(facts.started_at),
        };
        let mut problems = fresh::problems(report, facts.problems, look);
        problems.extend(facts.group_problem.map(str::to_owned));
        let looked = look.map(|look| &look.sources);
        let sources = looked.or(report.map(|report| &report.sources)).cloned();
        Self {
            version: VERSION,
            state,
            since: since.to_owned(),
            identity: facts.identity.cloned(),
            image: facts.image.cloned(),
            configuration: configuration(report, state, &problems),
            refresh: look.map(|look| look.refresh.clone()),
            drift: facts.drift.cloned(),
            drain: facts.drain,
            lifecycle: Some(facts.notices).filter(|notices| !notices.is_empty()).cloned(),
            sources: sources.unwrap_or_default(),
            problems,
            services: facts.services,
            sinks: facts.sinks,
            notify: facts.notify,
            collectors: facts.collectors,
            agent: facts.agent,
        }
    }
}

fn configuration(report: Option<&Report>, state: State, problems: &[String]) -> Configuration {
    let failure = report.and_then(|report| report.failure.as_ref());
    let broke_off =
        state == State::Failed && report.is_some_and(|report| report.outcome == Outcome::Running);
    let message = match failure {
        _ if broke_off => Some(NO_REPORT.to_owned()),
        Some(failure) if state == State::Failed => Some(failure.message.clone()),
        _ => problems.first().cloned(),
    };
    Configuration {
        outcome: report.map(|report| report.outcome),
        failed_task: failure.and_then(|failure| failure.task.clone()),
        message,
        started_at: report.map(|report| report.started_at.clone()),
        ended_at: report.and_then(|report| report.ended_at.clone()),
        digest: report.and_then(|report| report.digest.clone()),
    }
}

#[cfg(test)]
mod tests;
