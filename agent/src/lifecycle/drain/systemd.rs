//! What systemd says of the end of this host: how it goes down, if it does, and how
//! long our unit may take to stop.
//!
//! This asks by systemctl and not over D-Bus: the bus is one of the services that
//! are going down, and root's systemctl speaks with systemd itself.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::configure::environment;
use crate::configure::process::{self, End, Line, ProcessError, Spec, Stop};
use crate::lifecycle::settings::Occasion;
use crate::platform::paths::Paths;

/// The unit that drains when the host goes down.
const UNIT: &str = "gild-drain.service";

/// How long systemd may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

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

/// How this host goes down; `None` where it does not.
pub(super) async fn going_down(paths: &Paths) -> Result<Option<Occasion>, SystemdError> {
    let jobs = ask(paths, &["list-jobs", "--no-legend", "--full", "--no-pager"]).await?;
    Ok(jobs.iter().find_map(|job| end_of(job)))
}

/// The end that a job stands for: its number, its unit, its kind and its state.
fn end_of(job: &str) -> Option<Occasion> {
    let mut words = job.split_whitespace().skip(1);
    match (words.next()?, words.next()?) {
        ("poweroff.target" | "halt.target" | "exit.target", "start") => Some(Occasion::Stop),
        ("reboot.target" | "kexec.target" | "soft-reboot.target", "start") => {
            Some(Occasion::Reboot)
        }
        _ => None,
    }
}

/// How long our unit may take to stop.
pub(super) async fn stop_timeout(paths: &Paths) -> Result<Duration, SystemdError> {
    let lines = ask(paths, &["show", "--property=TimeoutStopUSec", UNIT]).await?;
    lines
        .iter()
        .find_map(|line| timeout_of(line))
        .ok_or_else(|| SystemdError::NoAnswer(format!("it has no TimeoutStopUSec of {UNIT}")))
}

fn timeout_of(line: &str) -> Option<Duration> {
    match line.strip_prefix("TimeoutStopUSec=")? {
        "infinity" => Some(Duration::MAX),
        limit => humantime::parse_duration(limit).ok(),
    }
}

/// The lines that systemctl prints.
async fn ask(paths: &Paths, args: &[&str]) -> Result<Vec<String>, SystemdError> {
    let directory = paths.host("/");
    let program = environment::program(paths, "systemctl", &directory);
    let spec = Spec {
        program: program.ok_or(SystemdError::NotFound)?,
        args: args.iter().map(Into::into).collect(),
        directory,
        environment: environment::base(),
        inherit: Vec::new(),
        events: None,
        deadline: Instant::now() + LIMIT,
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
            humantime::format_duration(LIMIT)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_goes_down_where_systemd_is_about_to_reach_the_end() {
        for (job, occasion) in [
            ("  1201 poweroff.target start waiting", Some(Occasion::Stop)),
            ("7 halt.target start waiting", Some(Occasion::Stop)),
            ("7 reboot.target start waiting", Some(Occasion::Reboot)),
            ("7 kexec.target start waiting", Some(Occasion::Reboot)),
            ("7 reboot.target stop waiting", None),
            ("7 gild-drain.service restart running", None),
            ("7 rescue.target start waiting", None),
            ("No jobs running.", None),
            ("", None),
        ] {
            assert_eq!(end_of(job), occasion, "{job}");
        }
    }

    #[test]
    fn a_limit_is_read_as_systemd_prints_it() {
        for (line, limit) in [
            ("TimeoutStopUSec=1min 30s", Some(Duration::from_secs(90))),
            ("TimeoutStopUSec=500ms", Some(Duration::from_millis(500))),
            ("TimeoutStopUSec=1h 1min 1s 5us", Some(Duration::from_micros(3_661_000_005))),
            ("TimeoutStopUSec=infinity", Some(Duration::MAX)),
            ("TimeoutStopUSec=", None),
            ("90s", None),
        ] {
            assert_eq!(timeout_of(line), limit, "{line}");
        }
    }
}
