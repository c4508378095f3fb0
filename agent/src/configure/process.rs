//! One child process with a deadline: its own process group, its output line by
//! line, and an end to all of it when time is up.
//!
//! Should gild itself be killed outright, the step goes on: tying a child's
//! life to its parent's needs code between fork and exec that safe Rust cannot
//! have. At boot systemd covers that case, for it ends what is left in the
//! unit's control group; by hand the lock stays free and the next run starts anew.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use command_fds::CommandFdExt;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::family::Family;
use super::lines::Lines;

/// How long a step that was told to end (SIGTERM) has until it is made to (SIGKILL).
pub const GRACE: Duration = Duration::from_secs(5);

/// How long output is awaited after the process has ended, for one that it
/// left in the background may hold the pipes open for ever.
const DRAIN: Duration = Duration::from_millis(500);

/// The longest line of output; the rest of a longer one is dropped.
const LONGEST_LINE: usize = 8 << 10;

/// The longest event. The callback plugin keeps well below it.
const LONGEST_EVENT: usize = 64 << 10;

/// Ready when gild is told to stop. Of one type, so that what runs a process is built
/// once.
pub(crate) type Stop<'a> = Pin<&'a mut (dyn Future<Output = ()> + 'a)>;

/// A process cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It cannot be started.
    #[error("failed to start '{}'", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody can tell when it ends.
    #[error("failed to wait for '{}'", program.display())]
    Wait {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What to run.
#[derive(Debug)]
pub(crate) struct Spec {
    /// The program's file.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) args: Vec<OsString>,
    /// Where it runs.
    pub(crate) directory: PathBuf,
    /// All of its environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Descriptors that it inherits under their own numbers.
    pub(crate) inherit: Vec<OwnedFd>,
    /// The pipe on which it tells what it does.
    pub(crate) events: Option<pipe::Receiver>,
    /// When it must have ended.
    pub(crate) deadline: tokio::time::Instant,
}

/// One line from the process.
#[derive(Debug)]
pub(crate) enum Line {
    /// From its standard output or standard error.
    Output(String),
    /// From the pipe of events.
    Event(String),
}

/// How it ended, and how long it ran, from its start to its exit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timed {
    /// How.
    pub(crate) end: End,
    /// How long.
    pub(crate) took: Duration,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself.
    Exited(ExitStatus),
    /// It was killed at its deadline.
    TimedOut,
    /// It was killed because gild was told to stop.
    Interrupted,
}

/// Runs a process to its end. Every line goes to `on_line` in the order in
/// which it came. What the process leaves in the background when it ends by
/// itself is left alone; when it is killed, so is all that came from it.
pub(crate) async fn run(
    spec: Spec,
    cancel: Stop<'_>,
    on_line: &mut (dyn FnMut(Line) + Send),
) -> Result<End, ProcessError> {
    run_timed(spec, cancel, on_line).await.map(|timed| timed.end)
}

/// As `run`, and says how long the process ran.
pub(crate) async fn run_timed(
    mut spec: Spec,
    mut cancel: Stop<'_>,
    on_line: &mut (dyn FnMut(Line) + Send),
) -> Result<Timed, ProcessError> {
    let program = spec.program.clone();
    let family_mark = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
    let begun = Instant::now();
    let mut child = spawn(&mut spec, &family_mark)
        .map_err(|source| ProcessError::Spawn { program: spec.program.clone(), source })?;
    let Spec { events, deadline, .. } = spec;
    let leader = child.id();
    let mut lines = listen(&mut child, events);

    let deadline = tokio::time::sleep_until(deadline);
    let mut deadline = pin!(deadline);
    let waited = |result: io::Result<ExitStatus>| {
        result.map_err(|source| ProcessError::Wait { program: program.clone(), source })
    };
    let mut open = true;
    let end = loop {
        tokio::select! {
            status = child.wait() => break End::Exited(waited(status)?),
            line = lines.recv(), if open => match line {
                Some(line) => on_line(line),
                None => open = false,
            },
            () = &mut deadline => break End::TimedOut,
            () = cancel.as_mut() => break End::Interrupted,
        }
    };
    if !matches!(end, End::Exited(_)) {
        let family = Family::new(leader, &family_mark);
        terminate(&mut child, family, &mut lines, on_line).await;
    }
    let took = begun.elapsed();
    drain(&mut lines, on_line).await;
    Ok(Timed { end, took })
}

fn spawn(spec: &mut Spec, mark: &str) -> io::Result<Child> {
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.args)
        .current_dir(&spec.directory)
        .env_clear()
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .env(Family::VARIABLE, mark)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        // A future dropped half way must not leave the step's leader running.
        .kill_on_drop(true);
    // gild's copies go with the command, or the pipes would never end.
    command.preserved_fds(std::mem::take(&mut spec.inherit));
    command.spawn()
}

/// Ends the process and all that came from it: politely, then surely.
async fn terminate(
    child: &mut Child,
    mut family: Family,
    lines: &mut mpsc::Receiver<Line>,
    on_line: &mut (dyn FnMut(Line) + Send),
) {
    family.terminate();
    let given_up = Instant::now() + GRACE;
    while Instant::now() < given_up {
        // Waited for, so that it does not count as alive when it is a zombie;
        // its output is read, so that a full pipe does not keep it.
        let _ = child.try_wait();
        if !family.is_alive() {
            break;
        }
        let _ = tokio::time::timeout(Duration::from_millis(20), async {
            while let Some(line) = lines.recv().await {
                on_line(line);
            }
            std::future::pending::<()>().await;
        })
        .await;
    }
    family.kill().await;
    let _ = child.kill().await;
}

/// Passes on what was written before the end.
async fn drain(lines: &mut mpsc::Receiver<Line>, on_line: &mut (dyn FnMut(Line) + Send)) {
    let _ = tokio::time::timeout(DRAIN, async {
        while let Some(line) = lines.recv().await {
            on_line(line);
        }
    })
    .await;
}

/// Reads all three pipes into one channel, which ends when all of them do.
fn listen(child: &mut Child, events: Option<pipe::Receiver>) -> mpsc::Receiver<Line> {
    let (sender, receiver) = mpsc::channel(64);
    if let Some(pipe) = child.stdout.take() {
        tokio::spawn(read(pipe, LONGEST_LINE, Line::Output, sender.clone()));
    }
    if let Some(pipe) = child.stderr.take() {
        tokio::spawn(read(pipe, LONGEST_LINE, Line::Output, sender.clone()));
    }
    if let Some(pipe) = events {
        tokio::spawn(read(pipe, LONGEST_EVENT, Line::Event, sender));
    }
    receiver
}

async fn read(
    mut pipe: impl AsyncRead + Unpin,
    longest: usize,
    kind: fn(String) -> Line,
    sender: mpsc::Sender<Line>,
) {
    let mut lines = Lines::new(longest);
    let mut buffer = vec![0; 16 << 10];
    loop {
        // Nobody listens any more: the pipe is let go, whoever still holds it.
        let count = tokio::select! {
            count = pipe.read(&mut buffer) => count.unwrap_or(0),
            () = sender.closed() => return,
        };
        let complete = if count == 0 {
            lines.finish()
        } else {
            lines.push(buffer.get(..count).unwrap_or(&[]))
        };
        for line in complete {
            if sender.send(kind(line)).await.is_err() {
                return;
            }
        }
        if count == 0 {
            return;
        }
    }
}
