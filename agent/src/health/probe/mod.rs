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
        source: Box<dyn std::error::Error + Send + Sync>,
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
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::platform::error::chain_text;

    const LIMIT: Duration = Duration::from_secs(5);

    /// A server that gives one fixed answer to everyone; an empty answer is
    /// silence.
    async fn server(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut request = [0; 1024];
                    while stream.read(&mut request).await.unwrap_or(0) > 0 {
                        if answer.is_empty() {
                            std::future::pending::<()>().await;
                        }
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                });
            }
        });
        address
    }

    async fn run(kind: &str, target: &str, limit: Duration) -> Probed {
        let client = crate::platform::http::client().unwrap();
        let probe = match kind {
            "http" => Probe::Http(
                format!("http://{target}/health").parse().unwrap(),
                "200..299".parse().unwrap(),
            ),
            _ => Probe::Tcp(target.parse().unwrap()),
        };
        probe.run(&client, limit).await
    }

    #[tokio::test]
    async fn an_expected_status_is_well() {
        let address = server("HTTP/1.1 204 No Content\r\n\r\n").await;
        assert!(run("http", &address, LIMIT).await.result.is_ok());
    }

    #[tokio::test]
    async fn errors_and_redirects_are_not_well() {
        for (answer, status) in [
            ("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500),
            ("HTTP/1.1 302 Found\r\nLocation: /up\r\nContent-Length: 0\r\n\r\n", 302),
        ] {
            let address = server(answer).await;
            let error = run("http", &address, LIMIT).await.result.unwrap_err();
            assert!(matches!(error, ProbeError::Status { status: seen, .. } if seen == status));
        }
    }

    #[tokio::test]
    async fn an_endless_body_does_not_matter() {
        let address = server("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nhello").await;
        assert!(run("http", &address, LIMIT).await.result.is_ok());
    }

    #[tokio::test]
    async fn silence_costs_the_whole_deadline_and_says_so() {
        let address = server("").await;
        let limit = Duration::from_millis(50);
        let probed = run("http", &address, limit).await;
        assert_eq!(probed.took, limit);
        assert!(matches!(probed.result, Err(ProbeError::Timeout { .. })));
    }

    #[tokio::test]
    async fn a_closed_port_is_not_well_for_either_kind() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        for kind in ["http", "tcp"] {
            let error = run(kind, &address, LIMIT).await.result.unwrap_err();
            assert!(chain_text(&error).contains("refused"), "{}", chain_text(&error));
        }
    }

    #[tokio::test]
    async fn an_open_port_is_well_by_address_and_by_name() {
        let address = server("").await;
        assert!(run("tcp", &address, LIMIT).await.result.is_ok());
        let by_name = address.replace("127.0.0.1", "localhost");
        assert!(run("tcp", &by_name, LIMIT).await.result.is_ok());
    }
}
