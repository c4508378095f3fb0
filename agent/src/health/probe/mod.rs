//! Probes: does the service answer? Each has its own deadline and says how
//! long it took, also when it ran out of time.
//!
//! To add a kind: a file beside `tcp.rs`, a variant of `Probe`, a key in
//! `ServiceSettings` and a line in `probes`.

mod http;
mod tcp;

use std::time::Duration;

use reqwest::Client;
use tokio::time::Instant;

use super::settings::ServiceSettings;
use super::target::{Expect, HostPort, HttpUrl};
use crate::platform::dns::DnsError;
use crate::platform::http::HttpError;

/// One probe of a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// A URL and the statuses that are well.
    Http(HttpUrl, Expect),
    /// A host and port that must accept a connection.
    Tcp(HostPort),
}

/// Why a probe failed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No answer in time.
    #[error("{target} did not answer within {}", humantime::format_duration(*.limit))]
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
        source: DnsError,
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
}

/// What came of a probe.
#[derive(Debug)]
pub struct Probed {
    /// The kind of probe, as a label.
    pub probe: &'static str,
    /// How long it took; the whole deadline where no answer came in time, so
    /// that an alarm on slowness sees the worst case and not a gap.
    pub took: Duration,
    /// Why it failed, where it did.
    pub result: Result<(), ProbeError>,
}

/// The probes of a service.
pub fn probes(service: &ServiceSettings) -> Vec<Probe> {
    let http = service.http.clone().map(|url| Probe::Http(url, service.expect.clone()));
    let tcp = service.tcp.clone().map(Probe::Tcp);
    http.into_iter().chain(tcp).collect()
}

impl Probe {
    /// The kind, as a label.
    pub fn label(&self) -> &'static str {
        match self {
            Probe::Http(..) => "http",
            Probe::Tcp(_) => "tcp",
        }
    }

    fn target(&self) -> String {
        match self {
            Probe::Http(url, _) => url.0.to_string(),
            Probe::Tcp(target) => target.to_string(),
        }
    }

    /// Runs the probe for at most `limit`.
    pub async fn run(&self, client: &Client, limit: Duration) -> Probed {
        let started = Instant::now();
        let attempt = async {
            match self {
                Probe::Http(url, expect) => http::probe(client, &url.0, expect).await,
                Probe::Tcp(target) => tcp::probe(target).await,
            }
        };
        let (took, result) = match tokio::time::timeout(limit, attempt).await {
            Ok(result) => (started.elapsed().min(limit), result),
            Err(_) => (limit, Err(ProbeError::Timeout { target: self.target(), limit })),
        };
        Probed { probe: self.label(), took, result }
    }
}

#[cfg(test)]
mod tests;
