//! Ansible as the engine: `ansible-playbook` with the configuration as
//! variables that stay text, the vault password through a pipe, and a callback
//! plugin that tells what each task does.

/// The command line.
mod command;
/// What came of a play.
mod conclude;
/// Roles and collections that are fetched.
mod galaxy;
/// Where roles and collections are.
mod places;
/// Roles and collections that must be there.
mod requirements;
/// The variables.
mod vars;
/// The version.
mod version;

use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::net::unix::pipe;

pub use command::find;

use super::ended::{Ended, Ran};
use super::environment;
use super::events::Progress;
use super::lines::Tail;
use super::playbook::{Playbook, PlaybookError};
use super::process::{self, End, Line, ProcessError, Spec, Stop, Timed};
use super::recorder::Recorder;
use super::settings::Requirements;
use super::step::Step;
use super::workspace::{Workspace, WorkspaceError};
use command::Invocation;
use places::{Around, Places};
use requirements::{Missing, RequirementsError};

/// The plugin that tells gild what a play does.
const CALLBACK: &str = include_str!("callback.py");

/// The longest vault password: a pipe takes as much before anyone reads it.
const LONGEST_PASSWORD: usize = 4096;

/// How many lines of output are kept for a failure that no task explains.
const TAIL: usize = 40;

/// Ansible cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum AnsibleError {
    /// There is none.
    #[error("failed to find ansible-playbook: neither at '{}' nor on PATH", baked.display())]
    NotInstalled {
        /// Where images keep it.
        baked: PathBuf,
    },
    /// What the setting names cannot be run.
    #[error("the setting configuration.ansible_playbook, '{setting}', names no program")]
    NotAProgram {
        /// The setting.
        setting: String,
    },
    /// The playbook cannot be used.
    #[error("failed to use the playbook")]
    Playbook(#[from] PlaybookError),
    /// The variables cannot be handed over.
    #[error("failed to hand the configuration to Ansible")]
    Workspace(#[from] WorkspaceError),
    /// A pipe cannot be made.
    #[error("failed to make a pipe to Ansible")]
    Pipe(#[source] io::Error),
    /// The vault password does not fit.
    #[error("the vault password is longer than {LONGEST_PASSWORD} bytes")]
    Password,
    /// Roles or collections are missing.
    #[error("failed to find what the playbook requires")]
    Requirements(#[from] RequirementsError),
    /// The program is there, and what it is written for is not.
    #[error(
        "failed to start '{}': the Python that its first line names is not there; is its virtual \
         environment whole?",
        program.display()
    )]
    NoPython {
        /// The program.
        program: PathBuf,
    },
    /// The process cannot be run.
    #[error("failed to run Ansible")]
    Process(#[source] ProcessError),
}

impl From<ProcessError> for AnsibleError {
    fn from(error: ProcessError) -> Self {
        match error {
            // It was found before it was started.
            ProcessError::Spawn { program, source } if source.kind() == ErrorKind::NotFound => {
                AnsibleError::NoPython { program }
            }
            error => AnsibleError::Process(error),
        }
    }
}

/// Runs the playbook.
pub(crate) async fn run(
    step: &Step<'_>,
    program: &Path,
    variables: &Map<String, Value>,
    deadline: tokio::time::Instant,
    progress: &mut (dyn FnMut(Progress) + Send),
    mut cancel: Stop<'_>,
) -> Result<Ran, AnsibleError> {
    let playbook = step.playbook()?;
    playbook.check_entry(&step.settings.entry)?;
    let program = std::path::absolute(program).map_err(AnsibleError::Pipe)?;

    let beside = playbook.directory().join(&step.settings.entry);
    let beside = beside.parent().unwrap_or(playbook.directory());
    let mut before = match missing(step, &playbook, &program, beside)? {
        None => Ran::new(Ended::Well),
        Some(missing) if step.check => return Ok(galaxy::planned(&missing)),
        Some(missing) => {
            let places = (program.as_path(), beside);
            galaxy::install(step, &missing, places, deadline, progress, cancel.as_mut()).await?
        }
    };
    if before.failure.is_some() {
        return Ok(before);
    }

    let workspace = Workspace::create(&step.paths.step())?;
    let vars = workspace.write("vars.yml", vars::document(variables).as_bytes())?;
    let callback = workspace.write("callbacks/gild_events.py", CALLBACK.as_bytes())?;
    let (events_here, events_there) = io::pipe().map_err(AnsibleError::Pipe)?;
    let events =
        pipe::Receiver::from_owned_fd(OwnedFd::from(events_here)).map_err(AnsibleError::Pipe)?;
    let vault = step.vault_password.as_ref().map(vault_pipe).transpose()?;

    let invocation = Invocation {
        program: &program,
        settings: step.settings,
        vars: &std::path::absolute(vars).map_err(AnsibleError::Pipe)?,
        callbacks: &std::path::absolute(callback.parent().unwrap_or(&callback))
            .map_err(AnsibleError::Pipe)?,
        events: events_there.as_raw_fd(),
        vault: vault.as_ref().map(AsRawFd::as_raw_fd),
        check: step.check,
    };
    let spec = Spec {
        args: invocation.args(),
        environment: invocation.environment(),
        program: program.clone(),
        directory: playbook.directory().to_owned(),
        inherit: std::iter::once(OwnedFd::from(events_there)).chain(vault).collect(),
        events: Some(events),
        deadline,
    };

    let mut recorder = Recorder::new(step.redactor);
    let mut tail = Tail::new(TAIL);
    let Timed { end, took } = process::run_timed(spec, cancel.as_mut(), &mut |line| match line {
        Line::Output(line) => tail.push(step.log(&line)),
        Line::Event(line) => {
            if let Some(event) = recorder.line(&line, Instant::now()) {
                progress(event);
            }
        }
    })
    .await?;
    drop(workspace);

    if recorder.garbage > 0 || recorder.dropped > 0 {
        tracing::warn!(
            not_understood = recorder.garbage,
            not_kept = recorder.dropped,
            "the report of the play is not complete"
        );
    }
    let mut ran = conclude::conclude(step, &program, end, recorder, &tail);
    // What failed before the plugin was there to say which version it is.
    if matches!(end, End::Exited(_)) && ran.failure.is_some() && ran.ansible.is_none() {
        ran.ansible = version::ask(&program, command::environment(&program), deadline).await;
        conclude::refuse_old(&mut ran, &program);
    }
    before.tasks.append(&mut ran.tasks);
    let took = before.took + took;
    Ok(Ran { tasks: before.tasks, installed: before.installed, took, ..ran })
}

/// What the playbook requires and is to be installed.
fn missing(
    step: &Step<'_>,
    playbook: &Playbook,
    program: &Path,
    beside: &Path,
) -> Result<Option<Missing>, RequirementsError> {
    if step.settings.requirements == Requirements::Ignore {
        return Ok(None);
    }
    let around = Around {
        paths: step.paths,
        playbook: playbook.directory(),
        beside,
        home: &environment::home(),
        program,
    };
    let directories = [beside, playbook.directory()];
    let Some(missing) = requirements::missing(&directories, &Places::new(&around))? else {
        return Ok(None);
    };
    let (path, text) = (missing.file.clone(), missing.text());
    match step.settings.requirements {
        Requirements::Install if step.playbook.is_none() => Ok(Some(missing)),
        Requirements::Install => Err(RequirementsError::Kept { path, missing: text }),
        _ => Err(RequirementsError::Missing { path, missing: text }),
    }
}

/// A pipe that holds the vault password. It is written before Ansible starts
/// and closed, so that nothing of it is left here while the play runs, and the
/// first reader empties it.
fn vault_pipe(password: &SecretString) -> Result<OwnedFd, AnsibleError> {
    let password = password.expose_secret().as_bytes();
    if password.len() > LONGEST_PASSWORD {
        return Err(AnsibleError::Password);
    }
    let (reader, mut writer) = io::pipe().map_err(AnsibleError::Pipe)?;
    writer.write_all(password).map_err(AnsibleError::Pipe)?;
    Ok(OwnedFd::from(reader))
}
