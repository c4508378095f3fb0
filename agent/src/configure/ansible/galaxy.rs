//! Fetches what `requirements.yml` names and is missing, by `ansible-galaxy`, into
//! the playbook's own directory. Only where the configuration asks for it: a boot
//! that needs a third party's host fails on the day on which that is down.

use std::ffi::OsString;
use std::path::Path;

use tokio::time::Instant;

use super::command;
use super::conclude::unexplained;
use super::requirements::Missing;
use crate::configure::ended::{Ended, Ran};
use crate::configure::events::Progress;
use crate::configure::lines::Tail;
use crate::configure::process::{self, End, Line, ProcessError, Spec, Stop, Timed};
use crate::configure::report::{Failure, TaskOutcome, TaskReport};
use crate::configure::step::Step;
use crate::platform::clock;

/// The name of the task.
const TASK: &str = "requirements";

/// How many lines of output are kept for a failure.
const TAIL: usize = 40;

/// What a plan shows of it.
pub(super) fn planned(missing: &Missing) -> Ran {
    let text = format!(
        "would be installed: {}; what the playbook would do cannot be told before that",
        missing.text()
    );
    Ran { tasks: vec![task(TaskOutcome::Changed, 0.0, Some(text))], ..Ran::new(Ended::Well) }
}

/// Installs what is missing beside the playbook's entry.
pub(super) async fn install(
    step: &Step<'_>,
    missing: &Missing,
    (program, beside): (&Path, &Path),
    deadline: Instant,
    progress: &mut (dyn FnMut(Progress) + Send),
    mut cancel: Stop<'_>,
) -> Result<Ran, ProcessError> {
    progress(Progress::Started(TASK.to_owned()));
    let begun = Instant::now();
    let mut ran = Ran::new(Ended::Well);
    for (kind, names, into) in
        [("role", &missing.roles, "roles"), ("collection", &missing.collections, "collections")]
    {
        if names.is_empty() {
            continue;
        }
        tracing::info!(names = names.join(", "), "a {kind} is missing and is installed");
        let words = [kind, "install", "-r"].map(OsString::from).into_iter();
        let paths = [missing.file.clone().into(), "-p".into(), beside.join(into).into()];
        let spec = Spec {
            program: program.with_file_name("ansible-galaxy"),
            args: words.chain(paths).collect(),
            directory: beside.to_owned(),
            environment: command::environment(program),
            inherit: Vec::new(),
            events: None,
            deadline,
        };
        let mut tail = Tail::new(TAIL);
        let Timed { end, took } = process::run_timed(spec, cancel.as_mut(), &mut |line| {
            if let Line::Output(line) = line {
                tail.push(step.log(&line));
            }
        })
        .await?;
        ran.ended = end.into();
        ran.took += took;
        let mut failure = match end {
            End::Exited(status) if status.success() => continue,
            End::Exited(status) => {
                unexplained(&tail, &format!("ansible-galaxy ended with {status}"))
            }
            End::TimedOut | End::Interrupted => Failure::of(&step.killed_because(end)),
        };
        failure.task = Some(TASK.to_owned());
        ran.failure = Some(failure);
        break;
    }
    ran.installed = true;
    let message = ran.failure.as_ref().map(|failure| failure.message.clone());
    let outcome = if message.is_some() { TaskOutcome::Failed } else { TaskOutcome::Changed };
    let task = task(outcome, clock::ms(begun.elapsed()), message);
    progress(Progress::Ended(task.clone()));
    ran.tasks.push(task);
    Ok(ran)
}

fn task(outcome: TaskOutcome, duration_ms: f64, message: Option<String>) -> TaskReport {
    let action = "ansible-galaxy".to_owned();
    TaskReport { name: TASK.to_owned(), action, outcome, duration_ms, message }
}
