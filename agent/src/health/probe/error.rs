//! Why a probe failed.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use humantime::format_duration;

use crate::health::target::Expect;
use crate::health::unit::bus::UnitError;
use crate::platform::dns::DnsError;
use crate::platform::http::HttpError;

/// Why a probe failed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No answer in time.
    #[error("{target} did not answer within {}", format_duration(*.limit))]
    Timeout {
        /// What was probed.
        target: String,
        /// The time it had.
        limit: Duration,
    },
    /// No HTTP answer.
    #[error("failed to ask {url}")]
    Http {
        /// The URL.
        url: String,
        /// What went wrong.
        #[source]
        source: HttpError,
    },
    /// An HTTP answer with another status than expected.
    #[error("{url} answered {status}, not {expect}")]
    Status {
        /// The URL.
        url: String,
        /// The status.
        status: u16,
        /// The statuses that are well.
        expect: Expect,
    },
    /// The name could not be resolved.
    #[error("failed to resolve '{host}'")]
    Resolve {
        /// The name.
        host: String,
        /// What went wrong.
        #[source]
        source: Box<DnsError>,
    },
    /// No TCP connection.
    #[error("failed to connect to {target}")]
    Connect {
        /// The host and port.
        target: String,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// The program could not be run.
    #[error("failed to run '{program}'")]
    Start {
        /// The program.
        program: String,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// The program says that the service is not well.
    #[error("'{program}' {}{}", ended(*.status), quoted(.said))]
    Exit {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The first line that it wrote.
        said: String,
    },
    /// The file could not be looked at.
    #[error("failed to look at '{}'", .path.display())]
    Stat {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// Its filesystem hangs.
    #[error("the filesystem of '{}' has not answered an earlier look yet", .0.display())]
    Stuck(PathBuf),
    /// What should happen again and again did not.
    #[error("{what} {} ago, and {} are allowed", format_duration(*.age), format_duration(*.limit))]
    Old {
        /// What happened last.
        what: String,
        /// How long ago that is.
        age: Duration,
        /// How long ago it may be.
        limit: Duration,
    },
    /// A time that is still to come.
    #[error("{what} in the future, {} ahead of this host's clock", format_duration(*.ahead))]
    Ahead {
        /// What happened then.
        what: String,
        /// How far ahead.
        ahead: Duration,
    },
    /// systemd could not be asked.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// The timer, or what it starts, is not well.
    #[error("{timer} {why}")]
    Timer {
        /// The timer.
        timer: String,
        /// What is not well.
        why: String,
    },
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "did not end well".to_owned(),
    }
}

fn quoted(said: &str) -> String {
    match said.is_empty() {
        true => String::new(),
        false => format!(": {said}"),
    }
}
