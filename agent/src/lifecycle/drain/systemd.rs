//! What systemd says of the end of this host: how it goes down, if it does, and how
//! long our unit may take to stop.

use std::time::Duration;

use crate::lifecycle::settings::Occasion;
use crate::lifecycle::systemctl::{self, SystemdError};
use crate::platform::paths::Paths;

/// The unit that drains when the host goes down.
const UNIT: &str = "gild-drain.service";

/// How long systemd may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// How this host goes down; `None` where it does not.
pub(super) async fn going_down(paths: &Paths) -> Result<Option<Occasion>, SystemdError> {
    let jobs =
        systemctl::ask(paths, LIMIT, &["list-jobs", "--no-legend", "--full", "--no-pager"]).await?;
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
    let lines = systemctl::ask(paths, LIMIT, &["show", "--property=TimeoutStopUSec", UNIT]).await?;
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
