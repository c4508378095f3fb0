//! The report of a boot: what was done, what came of it, and why. It is
//! written whole at the start, at each phase and at the end, so that a reader
//! at any moment finds the truth of that moment.

use serde::{Deserialize, Serialize};

use super::attempt::Attempt;
use crate::config::origin::Origin;
use crate::config::path::KeyPath;
use crate::config::trust::Refused;
use crate::lifecycle::hook::HookReport;
use crate::platform::process::ProcessKey;
use crate::platform::redact::Redactor;

/// What came of a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is not over yet.
    Running,
    /// Everything is as configured.
    Ready,
    /// The step succeeded, on a configuration that is not all fresh; or it failed
    /// and was rolled back to what had succeeded before.
    Degraded,
    /// The step failed, or could not be run.
    Failed,
}

/// What came of one source of configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceOutcome {
    /// A new document came.
    Fetched,
    /// The source says that the copy on disk is current.
    Unchanged,
    /// The source says that there is no document.
    Absent,
    /// The role that the instance has been given since may not read the source; the copy
    /// that the one before it read is current.
    Kept,
    /// The source failed; the last valid copy stands in.
    LastGood,
    /// The source failed, and nothing stands in.
    Failed,
    /// A document came that cannot be used, and nothing stands in.
    Bad,
}

/// One source of configuration, as the report and the status show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The layer.
    pub layer: crate::config::LayerName,
    /// The source, its placeholders filled.
    pub source: String,
    /// What came of it.
    pub state: SourceOutcome,
    /// The document's version.
    pub version: Option<String>,
    /// How many keys it gave.
    pub keys: usize,
    /// How many times it was asked.
    pub attempts: u32,
    /// How long that took.
    pub elapsed_ms: f64,
    /// When the copy that stands in for it was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_at: Option<String>,
    /// Why it failed, or was not read: the whole chain.
    pub error: Option<String>,
}

/// How a playbook from elsewhere was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaybookOutcome {
    /// It came, was checked and unpacked.
    Fetched,
    /// It was on disk already.
    Reused,
    /// It could not be fetched; the one that was run last stands in.
    LastGood,
    /// It could not be fetched, and nothing stands in.
    Failed,
}

/// A playbook from elsewhere, as the report shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaybookReport {
    /// Where it is from, placeholders filled.
    pub source: String,
    /// How it was obtained.
    pub state: PlaybookOutcome,
    /// Its version there: the object's version, or the entity tag.
    pub version: Option<String>,
    /// The archive's SHA-256.
    pub sha256: Option<String>,
    /// The id of the key that signed it.
    pub key: Option<String>,
    /// Its name, as the signature says.
    pub name: Option<String>,
    /// Its version, as the signature says.
    pub release: Option<String>,
    /// Its serial, as the signature says.
    pub serial: Option<u64>,
    /// How many bytes were fetched, now or then.
    pub bytes: u64,
    /// When it was fetched, RFC 3339.
    pub fetched_at: Option<String>,
    /// Why it could not be fetched: the whole chain.
    pub error: Option<String>,
}

/// A key that nothing reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnknownKey {
    /// The key.
    pub key: KeyPath,
    /// Who set it.
    pub origin: Origin,
    /// The nearest key that is known.
    pub nearest: Option<String>,
}

/// A part of the boot, with the time it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// In their order: `start` (what the program took to begin), `identity`,
    /// `scopes`, `handoff`, `fetch` or `digest` (a playbook from elsewhere, or one of
    /// this host), `secrets`, `step`, `rollback`; and `notify` and `lifecycle`, which come after
    /// the outcome.
    pub name: String,
    /// `ok`, `failed` or `skipped`.
    pub outcome: PhaseOutcome,
    /// How long it took.
    pub duration_ms: f64,
}

/// What came of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhaseOutcome {
    /// It did what it should.
    Ok,
    /// It did not.
    Failed,
    /// There was nothing to do.
    Skipped,
}

/// What came of a task of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskOutcome {
    /// It changed nothing.
    Ok,
    /// It changed something.
    Changed,
    /// It did not apply.
    Skipped,
    /// It failed, and the play went on.
    Ignored,
    /// It failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
}

/// One task of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// Its name.
    pub name: String,
    /// What it does it with, such as `ansible.builtin.template`.
    pub action: String,
    /// What came of it.
    pub outcome: TaskOutcome,
    /// How long it took.
    pub duration_ms: f64,
    /// What it said, where it failed. Redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What ran the step, and for how long: its own processes from start to exit.
/// All else that a boot takes is gild's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineReport {
    /// `ansible` or `exec`.
    pub name: String,
    /// How long its processes ran.
    pub duration_ms: f64,
}

/// Whether the step was run, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether it was run.
    pub run: bool,
    /// Why, in words.
    pub reason: String,
}

/// Why a boot failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The task that failed, where one did.
    pub task: Option<String>,
    /// What went wrong, in one line.
    pub message: String,
    /// The causes, outermost first.
    pub chain: Vec<String>,
}

/// The report of a boot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// The instance.
    pub instance_id: Option<String>,
    /// The boot, as the kernel names it.
    pub boot_id: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// The process at work. One that is gone without an outcome has failed.
    pub process: Option<ProcessKey>,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// How long it took from the start of the process to the outcome, on a clock
    /// that nobody sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// The configuration's identity.
    pub digest: Option<String>,
    /// The playbook's identity.
    pub playbook_digest: Option<String>,
    /// The playbook, where it is from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<PlaybookReport>,
    /// Whether the step was run, and why.
    pub decision: Option<Decision>,
    /// The parts of the boot.
    pub phases: Vec<Phase>,
    /// What ran the step, where something was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineReport>,
    /// The tasks of the step, in its last attempt.
    pub tasks: Vec<TaskReport>,
    /// Each attempt, where the step was run again or rolled back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The version of ansible-core that ran the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ansible: Option<String>,
    /// The sources of configuration.
    pub sources: Vec<SourceReport>,
    /// Keys that nothing reads.
    pub unknown_keys: Vec<UnknownKey>,
    /// Keys that their layer may not set.
    pub refused_keys: Vec<Refused>,
    /// What is wrong with the configuration, one line each.
    pub problems: Vec<String>,
    /// Why it failed, or why it is degraded: a step that failed and was rolled back.
    pub failure: Option<Failure>,
    /// What the autoscaling group was told, where it waited for this boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<HookReport>,
}

/// The longest one-line message, in characters.
const LONGEST_LINE: usize = 600;

/// A text of several lines as one that is not too long.
pub(crate) fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = lines.join("; ");
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{} […]", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

impl Failure {
    /// A failure that no task is to blame for.
    pub fn of(message: &str) -> Self {
        Self { task: None, message: one_line(message), chain: vec![message.to_owned()] }
    }

    /// The failure at a length that can be kept: each text one line, and not too many.
    pub fn brief(&self) -> Self {
        const CAUSES: usize = 15;
        Self {
            task: self.task.as_deref().map(one_line),
            message: one_line(&self.message),
            chain: self.chain.iter().take(CAUSES).map(|text| one_line(text)).collect(),
        }
    }
}

impl Report {
    /// The report of a boot that begins.
    pub fn started(at: &str) -> Self {
        Self {
            version: 1,
            instance_id: None,
            boot_id: None,
            outcome: Outcome::Running,
            process: Some(ProcessKey::own()),
            started_at: at.to_owned(),
            ended_at: None,
            duration_ms: None,
            digest: None,
            playbook_digest: None,
            playbook: None,
            decision: None,
            phases: Vec::new(),
            engine: None,
            tasks: Vec::new(),
            attempts: Vec::new(),
            ansible: None,
            sources: Vec::new(),
            unknown_keys: Vec::new(),
            refused_keys: Vec::new(),
            problems: Vec::new(),
            failure: None,
            lifecycle: None,
        }
    }

    /// Whether the step failed and what succeeded before it is in force.
    pub fn is_rolled_back(&self) -> bool {
        self.outcome == Outcome::Degraded && self.failure.is_some()
    }

    /// The report without any secret in its free texts. Words of the format are
    /// left alone, whatever the secrets are.
    pub fn redacted(&self, redactor: &Redactor) -> Self {
        let mut report = self.clone();
        let clean = |text: &mut String| *text = redactor.text(text);
        for task in &mut report.tasks {
            clean(&mut task.name);
            clean(&mut task.action);
            task.message.iter_mut().for_each(clean);
        }
        for source in &mut report.sources {
            clean(&mut source.source);
            source.error.iter_mut().for_each(clean);
        }
        if let Some(playbook) = &mut report.playbook {
            clean(&mut playbook.source);
            playbook.error.iter_mut().for_each(clean);
        }
        let attempts = report.attempts.iter_mut().filter_map(|attempt| attempt.failure.as_mut());
        for failure in attempts.chain(&mut report.failure) {
            failure.task.iter_mut().for_each(clean);
            clean(&mut failure.message);
            failure.chain.iter_mut().for_each(clean);
        }
        if let Some(told) = &mut report.lifecycle {
            told.error.iter_mut().for_each(clean);
        }
        report.ansible.iter_mut().for_each(clean);
        if let Some(decision) = &mut report.decision {
            clean(&mut decision.reason);
        }
        report.problems.iter_mut().for_each(clean);
        report
    }
}
