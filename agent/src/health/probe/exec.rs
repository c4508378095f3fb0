//! A program that knows whether the service is well: exit status 0 says that it is.
//!
//! It runs without a shell, as the user and within the confinement of the daemon, in a
//! process group of its own. That group is killed at the deadline, and what is left of
//! it when the program ends. It gets a fixed environment: the daemon's own may hold
//! more than a program of others should see.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::time::timeout;

use super::{Probe, ProbeError, Running};
use crate::health::means::Means;
use crate::health::settings::ServiceSettings;

/// Where programs that the program starts are found.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of the output is kept; the rest is read and dropped.
const KEPT_BYTES: usize = 1024;

/// How much of its first line is told.
const TOLD_CHARS: usize = 200;

/// How long output is awaited after the end: somebody outside the group may hold the
/// pipe open for ever.
const DRAIN: Duration = Duration::from_millis(100);

pub(super) fn of(service: &ServiceSettings) -> Option<Arc<dyn Probe>> {
    let argv = service.exec.clone()?.0;
    Some(Arc::new(Exec { argv, limit: service.exec_timeout }))
}

/// A program and its arguments.
#[derive(Debug)]
struct Exec {
    argv: Vec<String>,
    limit: Duration,
}

impl Probe for Exec {
    fn label(&self) -> &'static str {
        "exec"
    }

    fn target(&self) -> String {
        format!("'{}'", self.program())
    }

    fn limit(&self, _: Duration) -> Duration {
        self.limit
    }

    fn takes_turns(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, _: &'a Means, _: Duration) -> Running<'a> {
        Box::pin(self.probe())
    }
}

/// The process group of a program, which ends with this.
struct Group(Option<i32>);

impl Group {
    fn end(&mut self) {
        if let Some(id) = self.0.take() {
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

impl Exec {
    fn program(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }

    async fn probe(&self) -> Result<(), ProbeError> {
        let failed = |source| ProbeError::Start { program: self.program().to_owned(), source };
        let (reader, writer) = io::pipe().map_err(failed)?;
        let mut output = pipe::Receiver::from_owned_fd(reader.into()).map_err(failed)?;
        let errors = writer.try_clone().map_err(failed)?;
        let mut child = Command::new(self.program())
            .args(self.argv.get(1..).unwrap_or(&[]))
            .current_dir("/")
            .env_clear()
            .env("PATH", PATH)
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        // Dropped before the child: its number is its own until it was waited for.
        let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()));
        let mut said = Said::default();
        let mut writes = true;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status.map_err(failed)?,
                // Its output may end before it does.
                () = said.all(&mut output), if writes => writes = false,
            }
        };
        // The number is free now, but the kernel gives out all others before it again.
        group.end();
        if status.success() {
            return Ok(());
        }
        let _ = timeout(DRAIN, said.all(&mut output)).await;
        let program = self.program().to_owned();
        Err(ProbeError::Exit { program, status, said: said.first_line() })
    }
}

/// The beginning of what a program writes.
#[derive(Default)]
struct Said(Vec<u8>);

impl Said {
    /// Reads to the end, so that a program with much to say does not wait for ever.
    async fn all(&mut self, output: &mut pipe::Receiver) {
        let mut buffer = [0; KEPT_BYTES];
        while let Ok(count @ 1..) = output.read(&mut buffer).await {
            let room = KEPT_BYTES - self.0.len();
            self.0.extend_from_slice(&buffer[..count.min(room)]);
        }
    }

    fn first_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        line.chars().filter(|letter| !letter.is_control()).take(TOLD_CHARS).collect()
    }
}
