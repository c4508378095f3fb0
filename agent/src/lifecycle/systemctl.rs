//! What systemd is asked, by systemctl and not over D-Bus: the bus is one of the services
//! that go down with a host, and root's systemctl speaks with systemd itself.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::configure::environment;
use crate::configure::process::{self, End, Line, ProcessError, Spec, Stop};
use crate::platform::paths::Paths;

/// The most lines of an answer: a host that goes down has some hundred jobs.
const LINES: usize = 10_000;

/// systemd does not say.
#[derive(Debug, thiserror::Error)]
pub enum SystemdError {
    /// It cannot be asked at all.
    #[error("failed to find the program 'systemctl'")]
    NotFound,
    /// It could not be asked.
    #[error("failed to run systemctl")]
    Run(#[source] ProcessError),
    /// It gave no answer.
    #[error("failed to get an answer by systemctl: {0}")]
    NoAnswer(String),
}

/// The lines that systemctl prints, which may take no longer than this.
pub(crate) async fn ask(
    paths: &Paths,
    limit: Duration,
    args: &[&str],
) -> Result<Vec<String>, SystemdError> {
    let directory = paths.host("/");
    let program = environment::program(paths, "systemctl", &directory);
    let spec = Spec {
        program: program.ok_or(SystemdError::NotFound)?,
        args: args.iter().map(Into::into).collect(),
        directory,
        environment: environment::base(),
        inherit: Vec::new(),
        events: None,
        deadline: Instant::now() + limit,
    };
    let mut lines = Vec::new();
    let mut keep = |line| {
        if let Line::Output(line) = line
            && lines.len() < LINES
        {
            lines.push(line);
        }
    };
    let never: Stop<'_> = pin!(std::future::pending());
    match process::run(spec, never, &mut keep).await.map_err(SystemdError::Run)? {
        End::Exited(status) if status.success() => Ok(lines),
        End::Exited(status) => {
            let said = lines.last().map(|line| format!(": {line}")).unwrap_or_default();
            Err(SystemdError::NoAnswer(format!("it ended with {status}{said}")))
        }
        _ => Err(SystemdError::NoAnswer(format!(
            "it did not end within {}",
            humantime::format_duration(limit)
        ))),
    }
}
