//! Debian's Prometheus as a receiver of remote writes, with rules where a test has some.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;

use crate::fakes::place::Place;
use crate::fakes::wait::until;
use crate::host::{Running, listening};

/// It replays its log at the start.
const START: Duration = Duration::from_secs(30);

/// A running Prometheus. Ends when dropped.
pub(crate) struct Prometheus {
    _process: Running,
    address: SocketAddr,
    _data: TempDir,
}

impl Prometheus {
    /// Starts one on a port that is free, with these rules.
    pub(crate) fn start(rules: &[&Path]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let rules: Vec<_> = rules.iter().map(|path| path.canonicalize().unwrap()).collect();
        let text = format!("global: {{ evaluation_interval: 1s }}\nrule_files: {rules:?}\n");
        fs::write(data.path().join("prometheus.yml"), text).unwrap();
        let (_process, address) = run(data.path(), "127.0.0.1:0");
        let prometheus = Self { _process, address, _data: data };
        prometheus.is_ready();
        prometheus
    }

    /// Where to push to.
    pub(crate) fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// What it answers to a query, by its own word for the kind of the result.
    pub(crate) fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
        let body = self.get(&format!("/api/v1/query?query={query}"))?;
        match &body["data"]["result"] {
            Value::Array(series) => Ok(series.clone()),
            _ => Err(body.to_string()),
        }
    }

    /// What it says at this path.
    pub(crate) fn get(&self, path: &str) -> Result<Value, String> {
        let answer = Place::Host.http(self.address, "GET", path, &[], b"");
        let (_, body) = answer.map_err(|error| error.to_string())?;
        serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))
    }

    fn is_ready(&self) {
        until("Prometheus", START, || {
            match Place::Host.http(self.address, "GET", "/-/ready", &[], b"") {
                Ok((200, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    }
}

fn run(data: &Path, listen: &str) -> (Running, SocketAddr) {
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", data.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", data.join("data").display()))
        .arg(format!("--web.listen-address={listen}"))
        .args(["--web.enable-remote-write-receiver", "--log.level=info"]);
    listening(command, "prometheus")
}
