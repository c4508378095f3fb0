//! A command as the engine: a program and its arguments, without a shell. The
//! configuration reaches it as a JSON file whose path is in `GILD_VARS`.
//!
//! A process that it leaves in the background goes on, but must not keep the
//! standard output that it was given: nobody reads it once the step is over.

use serde_json::{Map, Value};

use super::arguments::{self, ArgumentError};
use super::ended::{Ended, Ran};
use super::environment;
use super::events::Progress;
use super::lines::Tail;
use super::process::{self, End, Line, ProcessError, Spec, Stop, Timed};
use super::report::{Failure, TaskOutcome, TaskReport, one_line};
use super::step::Step;
use super::workspace::{Workspace, WorkspaceError};
use crate::platform::clock;

/// How many lines of output a failure shows.
const SHOWN: usize = 10;

/// The command cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The setting is empty.
    #[error("the setting configuration.exec names no program")]
    NoCommand,
    /// There is no such program.
    #[error("failed to find the program '{program}' that configuration.exec names")]
    NotFound {
        /// The program, as the setting names it.
        program: String,
    },
    /// An argument cannot be filled.
    #[error("failed to fill the arguments of configuration.exec")]
    Arguments(#[from] ArgumentError),
    /// The variables cannot be handed over.
    #[error("failed to hand the configuration to the command")]
    Workspace(#[from] WorkspaceError),
    /// The process cannot be run.
    #[error("failed to run the command")]
    Process(#[from] ProcessError),
}

/// Runs the command.
pub(crate) async fn run(
    step: &Step<'_>,
    variables: &Map<String, Value>,
    deadline: tokio::time::Instant,
    progress: &mut (dyn FnMut(Progress) + Send),
    cancel: Stop<'_>,
) -> Result<Ran, ExecError> {
    let (named, args) = step.settings.exec.split_first().ok_or(ExecError::NoCommand)?;
    // Its own directory where there is one; a command needs no playbook.
    let directory = step
        .playbook()
        .map_or_else(|_| step.paths.host("/"), |playbook| playbook.directory().to_owned());
    let program = environment::program(step.paths, named, &directory)
        .ok_or_else(|| ExecError::NotFound { program: named.clone() })?;
    let args = arguments::fill(args, variables, step.redactor)?;
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if step.check {
        return Ok(Ran { tasks: vec![not_checked(name)], ..Ran::new(Ended::Well) });
    }

    let workspace = Workspace::create(&step.paths.step())?;
    let json = Value::Object(variables.clone()).to_string();
    let vars = workspace.write("vars.json", json.as_bytes())?;
    let vars = std::path::absolute(&vars).unwrap_or(vars);
    let mut environment = environment::base();
    environment.push(("GILD_VARS".into(), vars.into()));
    let spec = Spec {
        program: program.clone(),
        args,
        directory,
        environment,
        inherit: Vec::new(),
        events: None,
        deadline,
    };

    progress(Progress::Started(name.clone()));
    let mut tail = Tail::new(SHOWN);
    let Timed { end, took } = process::run_timed(spec, cancel, &mut |line| {
        if let Line::Output(line) = line {
            tail.push(step.log(&line));
        }
    })
    .await?;
    drop(workspace);

    let what = match end {
        End::Exited(status) if status.success() => None,
        End::Exited(status) => Some(format!("{name} ended with {status}")),
        End::TimedOut | End::Interrupted => Some(step.killed_because(end)),
    };
    let output = tail.last(SHOWN).join("\n");
    let task = TaskReport {
        name: name.clone(),
        action: "exec".to_owned(),
        // Only the command knows what it changed; so it is taken to have.
        outcome: if what.is_some() { TaskOutcome::Failed } else { TaskOutcome::Changed },
        duration_ms: clock::ms(took),
        message: what.as_ref().map(|what| format!("{what}\n{output}").trim_end().to_owned()),
    };
    progress(Progress::Ended(task.clone()));
    let failure = what.map(|what| {
        let last = tail.lines().next_back().map(|line| format!(": {line}")).unwrap_or_default();
        Failure {
            task: Some(name),
            message: one_line(&format!("{what}{last}")),
            chain: std::iter::once(what).chain(tail.lines().map(str::to_owned)).collect(),
        }
    });
    Ok(Ran { tasks: vec![task], failure, took, ..Ran::new(end.into()) })
}

fn not_checked(name: String) -> TaskReport {
    TaskReport {
        name,
        action: "exec".to_owned(),
        outcome: TaskOutcome::Skipped,
        duration_ms: 0.0,
        message: Some("a command cannot say beforehand what it would do".to_owned()),
    }
}
