//! The events of a play, made into the tasks of the report. The play is not
//! trusted to keep to the format: a line that is no event is counted and passed
//! over, and the number of tasks has an end.

use std::time::Instant;

use super::events::{Event, Progress};
use super::report::{TaskOutcome, TaskReport};
use crate::platform::clock;
use crate::platform::redact::Redactor;

/// The most tasks that a report holds.
const MOST_TASKS: usize = 2000;

/// The longest text of a task, in characters.
const LONGEST_TEXT: usize = 4000;

/// The longest version, in characters.
const LONGEST_VERSION: usize = 40;

/// A task, and whether it ran because another one had failed.
#[derive(Debug)]
struct Recorded {
    task: TaskReport,
    rescue: bool,
}

/// A task that has begun.
#[derive(Debug)]
struct Running {
    name: String,
    action: String,
    rescue: bool,
    since: Instant,
}

/// Collects the events of one step.
#[derive(Debug)]
pub(crate) struct Recorder<'a> {
    redactor: &'a Redactor,
    recorded: Vec<Recorded>,
    running: Option<Running>,
    /// The version of ansible-core, once the plugin has told it.
    pub(crate) ansible: Option<String>,
    /// Whether a play found no host to run on.
    pub(crate) empty: bool,
    /// Lines that are no events.
    pub(crate) garbage: usize,
    /// Tasks that the report has no room for.
    pub(crate) dropped: usize,
}

impl<'a> Recorder<'a> {
    /// A recorder that lets no secret through.
    pub(crate) fn new(redactor: &'a Redactor) -> Self {
        Self {
            redactor,
            recorded: Vec::new(),
            running: None,
            ansible: None,
            empty: false,
            garbage: 0,
            dropped: 0,
        }
    }

    /// Takes one line that came at the moment `now`.
    pub(crate) fn line(&mut self, line: &str, now: Instant) -> Option<Progress> {
        let Ok(event) = serde_json::from_str::<Event>(line) else {
            self.garbage += 1;
            return None;
        };
        match event {
            Event::Begin { ansible } => {
                self.ansible = Some(self.clean(&ansible).chars().take(LONGEST_VERSION).collect());
                None
            }
            Event::Play { name } => Some(Progress::Play(self.clean(&name))),
            Event::Task { name, action, rescue } => {
                let (name, action) = (self.clean(&name), self.clean(&action));
                self.running = Some(Running { name: name.clone(), action, rescue, since: now });
                Some(Progress::Started(name))
            }
            Event::Result { name, action, rescue, outcome, duration_ms, message } => {
                self.running = None;
                let task = TaskReport {
                    name: self.clean(&name),
                    action: self.clean(&action),
                    outcome,
                    duration_ms,
                    message: message.map(|text| self.clean(&text)).filter(|text| !text.is_empty()),
                };
                self.push(task.clone(), rescue);
                Some(Progress::Ended(task))
            }
            Event::Empty => {
                self.empty = true;
                None
            }
            Event::Other => None,
        }
    }

    /// A step that was killed: the task that was running failed, for `reason`.
    pub(crate) fn killed(&mut self, reason: &str, now: Instant) {
        if let Some(running) = self.running.take() {
            let task = TaskReport {
                name: running.name,
                action: running.action,
                outcome: TaskOutcome::Failed,
                duration_ms: clock::ms(now.duration_since(running.since)),
                message: Some(reason.to_owned()),
            };
            self.push(task, running.rescue);
        }
    }

    /// All tasks of a step that succeeded: what failed in it was rescued.
    pub(crate) fn succeeded(self) -> Vec<TaskReport> {
        let end = self.recorded.len();
        self.tasks(end)
    }

    /// All tasks of a step that failed, and the index of the one that is to blame.
    pub(crate) fn failed(self) -> (Vec<TaskReport>, Option<usize>) {
        let culprit = self.culprit();
        (self.tasks(culprit.unwrap_or(0)), culprit)
    }

    /// The task to blame is the last one that failed; where that is part of a
    /// rescue, as when a rescue reports a failure and raises it again, it is the
    /// one that the rescue was for.
    fn culprit(&self) -> Option<usize> {
        let mut rescue = None;
        for (index, recorded) in self.recorded.iter().enumerate().rev() {
            if !is_failure(recorded.task.outcome) {
                continue;
            }
            if !recorded.rescue {
                return Some(index);
            }
            rescue = rescue.or(Some(index));
        }
        rescue
    }

    /// Failures before the index `end` did not end the step.
    fn tasks(self, end: usize) -> Vec<TaskReport> {
        let mut tasks: Vec<_> = self.recorded.into_iter().map(|recorded| recorded.task).collect();
        for task in tasks.iter_mut().take(end) {
            if is_failure(task.outcome) {
                task.outcome = TaskOutcome::Ignored;
            }
        }
        tasks
    }

    fn push(&mut self, task: TaskReport, rescue: bool) {
        // The last place is kept for what went wrong.
        let room = if is_failure(task.outcome) { MOST_TASKS } else { MOST_TASKS - 100 };
        if self.recorded.len() < room {
            self.recorded.push(Recorded { task, rescue });
        } else {
            self.dropped += 1;
        }
    }

    fn clean(&self, text: &str) -> String {
        // The plugin cuts long texts before anything is masked.
        let clean = self.redactor.cut_text(text.trim());
        match clean.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => format!("{} […]", clean.get(..end).unwrap_or_default()),
            None => clean,
        }
    }
}

fn is_failure(outcome: TaskOutcome) -> bool {
    matches!(outcome, TaskOutcome::Failed | TaskOutcome::Unreachable)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;

    fn result(name: &str, outcome: &str, rescue: bool) -> String {
        serde_json::json!({
            "event": "result", "name": name, "action": "debug", "outcome": outcome,
            "duration_ms": 1.5, "message": null, "rescue": rescue,
        })
        .to_string()
    }

    fn record<'a>(redactor: &'a Redactor, lines: &[String]) -> Recorder<'a> {
        let mut recorder = Recorder::new(redactor);
        for line in lines {
            recorder.line(line, Instant::now());
        }
        recorder
    }

    #[test]
    fn a_play_becomes_tasks() {
        let redactor = Redactor::default();
        let recorder =
            record(&redactor, &[result("a", "ok", false), result("b", "changed", false)]);
        let tasks = recorder.succeeded();
        assert_eq!(tasks.len(), 2);
        assert_eq!(tasks[1].outcome, TaskOutcome::Changed);
        assert_eq!(tasks[1].duration_ms, 1.5);
    }

    #[test]
    fn lines_that_are_no_events_are_counted_and_passed_over() {
        let redactor = Redactor::default();
        let lines = ["", "{", "[]", "{\"event\":\"result\"}", "null", "{\"event\":\"later\"}"];
        let recorder = record(&redactor, &lines.map(str::to_owned));
        assert_eq!(recorder.garbage, 5);
        assert!(recorder.succeeded().is_empty());
    }

    #[test]
    fn the_version_is_kept_and_cut() {
        let redactor = Redactor::default();
        let begin = |version: &str| format!(r#"{{"event":"begin","ansible":"{version}"}}"#);
        let recorder = record(&redactor, &[begin("2.19.14")]);
        assert_eq!(recorder.ansible.as_deref(), Some("2.19.14"));
        let recorder = record(&redactor, &[begin(&"9".repeat(500))]);
        assert_eq!(recorder.ansible.unwrap().len(), LONGEST_VERSION);
    }

    #[test]
    fn the_task_to_blame_is_the_last_that_failed() {
        let redactor = Redactor::default();
        let lines = [
            result("ignored", "ignored", false),
            result("rescued", "failed", false),
            result("mends", "ok", true),
            result("fatal", "failed", false),
        ];
        let (tasks, culprit) = record(&redactor, &lines).failed();
        assert_eq!(culprit, Some(3));
        assert_eq!(tasks[1].outcome, TaskOutcome::Ignored);
        assert_eq!(tasks[3].outcome, TaskOutcome::Failed);
    }

    #[test]
    fn a_rescue_that_raises_again_is_not_to_blame() {
        let redactor = Redactor::default();
        let lines = [
            result("fatal", "failed", false),
            result("notify", "ok", true),
            result("raise", "failed", true),
        ];
        let (tasks, culprit) = record(&redactor, &lines).failed();
        assert_eq!(tasks[culprit.unwrap()].name, "fatal");
        assert_eq!(tasks[0].outcome, TaskOutcome::Failed);
    }

    #[test]
    fn failures_of_a_step_that_succeeded_were_rescued() {
        let redactor = Redactor::default();
        let recorder = record(&redactor, &[result("a", "failed", false), result("b", "ok", true)]);
        assert_eq!(recorder.succeeded()[0].outcome, TaskOutcome::Ignored);
    }

    #[test]
    fn a_killed_step_blames_the_task_that_ran() {
        let redactor = Redactor::default();
        let mut recorder = Recorder::new(&redactor);
        let start = Instant::now();
        let line = r#"{"event":"task","name":"slow","action":"command"}"#;
        assert_eq!(recorder.line(line, start), Some(Progress::Started("slow".to_owned())));
        recorder.killed("too late", start + Duration::from_secs(2));
        let (tasks, culprit) = recorder.failed();
        assert_eq!(culprit, Some(0));
        assert_eq!(tasks[0].duration_ms, 2000.0);
        assert_eq!(tasks[0].message.as_deref(), Some("too late"));
    }

    #[test]
    fn secrets_are_masked_and_texts_are_cut() {
        let redactor = Redactor::default();
        redactor.add("hunter22");
        let mut recorder = Recorder::new(&redactor);
        let long = "é".repeat(LONGEST_TEXT + 1);
        let line = serde_json::json!({
            "event": "result", "name": "say hunter22", "action": "debug", "outcome": "failed",
            "duration_ms": 1, "message": long,
        });
        recorder.line(&line.to_string(), Instant::now());
        let (tasks, _) = recorder.failed();
        assert!(!tasks[0].name.contains("hunter22"));
        assert!(tasks[0].message.as_ref().unwrap().ends_with(" […]"));
    }

    #[test]
    fn parts_of_secrets_beside_a_cut_are_masked() {
        let redactor = Redactor::default();
        redactor.add("hunter22-and-more");
        let line = serde_json::json!({
            "event": "result", "name": "a", "action": "debug", "outcome": "failed",
            "duration_ms": 1, "message": "it is hunter22 […] -more, you see",
        });
        let (tasks, _) = record(&redactor, &[line.to_string()]).failed();
        let masked = "it is ‹secret› […] ‹secret›, you see";
        assert_eq!(tasks[0].message.as_deref(), Some(masked));
    }

    #[test]
    fn there_is_an_end_to_tasks_but_room_for_the_failure() {
        let redactor = Redactor::default();
        let mut lines = vec![result("a", "ok", false); MOST_TASKS + 5];
        lines.push(result("fatal", "failed", false));
        let recorder = record(&redactor, &lines);
        assert_eq!(recorder.dropped, 105);
        let (tasks, culprit) = recorder.failed();
        assert_eq!(tasks[culprit.unwrap()].name, "fatal");
    }
}
