//! What came of a play: from how Ansible ended, what the plugin told and what
//! was printed last.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Instant;

use super::version;
use crate::configure::ended::{Ended, Ran};
use crate::configure::lines::Tail;
use crate::configure::process::End;
use crate::configure::recorder::Recorder;
use crate::configure::report::{Failure, TaskReport, one_line};
use crate::configure::step::Step;

/// How many lines of output the report shows.
const SHOWN: usize = 15;

/// What Ansible ends with where it cannot read a playbook, or its own arguments.
const UNREADABLE: [i32; 2] = [4, 5];

/// What came of the play.
pub(super) fn conclude(
    step: &Step<'_>,
    program: &Path,
    end: End,
    mut recorder: Recorder<'_>,
    tail: &Tail,
) -> Ran {
    let ansible = recorder.ansible.take();
    let mut ran = Ran { ansible, ..Ran::new(end.into()) };
    match end {
        End::Exited(status) if status.success() => {
            let unmatched = recorder.empty;
            ran.tasks = recorder.succeeded();
            if unmatched && ran.tasks.is_empty() {
                // Ansible calls this a success, but nothing was configured.
                let why = "no task ran: the playbook's hosts must include 127.0.0.1";
                ran.failure = Some(Failure::of(why));
                ran.ended = Ended::ForGood;
            }
        }
        End::Exited(status) => {
            let (tasks, culprit) = recorder.failed();
            let unreadable = status.code().is_some_and(|code| UNREADABLE.contains(&code));
            if tasks.is_empty() && unreadable {
                ran.ended = Ended::ForGood;
            }
            ran.failure = Some(match culprit.and_then(|index| tasks.get(index)) {
                Some(task) => blame(task, &ended(status)),
                None => unexplained(tail, &ended(status)),
            });
            ran.tasks = tasks;
        }
        End::TimedOut | End::Interrupted => {
            let reason = step.killed_because(end);
            recorder.killed(&reason, Instant::now());
            let (tasks, culprit) = recorder.failed();
            let task = culprit.and_then(|index| tasks.get(index)).map(|task| task.name.clone());
            ran.failure = Some(Failure { task, ..Failure::of(&reason) });
            ran.tasks = tasks;
        }
    }
    refuse_old(&mut ran, program);
    ran
}

/// Makes a version that is too old the failure, whatever else came of it.
pub(super) fn refuse_old(ran: &mut Ran, program: &Path) {
    // Whoever was told to stop begins nothing else.
    if ran.ended == Ended::Interrupted {
        return;
    }
    if let Some(mut failure) = version::too_old(ran.ansible.as_deref(), program) {
        failure.chain.extend(ran.failure.take().into_iter().flat_map(|failure| failure.chain));
        ran.failure = Some(failure);
        ran.ended = Ended::ForGood;
    }
}

fn ended(status: ExitStatus) -> String {
    format!("ansible-playbook ended with {status}")
}

/// A failure that a task explains.
fn blame(task: &TaskReport, ended: &str) -> Failure {
    let message = task.message.as_deref().unwrap_or("it gave no message");
    Failure {
        task: Some(task.name.clone()),
        message: one_line(message),
        chain: vec![ended.to_owned(), format!("task '{}' failed", task.name), message.to_owned()],
    }
}

/// A failure before any task, or of Ansible itself: what it printed last, from
/// the first line on that it marks as an error.
pub(super) fn unexplained(tail: &Tail, ended: &str) -> Failure {
    let is_error = |line: &&str| line.starts_with("ERROR!") || line.starts_with("[ERROR]");
    let lines: Vec<_> = tail.lines().collect();
    let from = lines.iter().position(is_error).unwrap_or(lines.len().saturating_sub(SHOWN));
    let shown = lines.get(from..).unwrap_or_default();
    let message = shown.first().filter(|line| is_error(line)).or(shown.last());
    let message = match message {
        Some(line) => format!("{ended}: {line}"),
        None => format!("{ended} and printed nothing"),
    };
    Failure {
        task: None,
        message: one_line(&message),
        chain: std::iter::once(ended)
            .chain(shown.iter().take(SHOWN).copied())
            .map(str::to_owned)
            .collect(),
    }
}
