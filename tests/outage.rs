//! A receiver that is gone for a while: gild is killed twice meanwhile and meets a full
//! disk, and in the end every tick is there once.
//!
//! Ticks come once a second, and half a minute stands for half an hour: what is shown does
//! not depend on how long it is.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use http::Method;
use serde_json::Value;
use tempfile::TempDir;

use gild::status::client;

use crate::fakes::place::Place;
use crate::fakes::wait::until;
use crate::host::{Host, Running};

const PATIENCE: Duration = Duration::from_secs(40);

/// A real Prometheus, which can be started again on its data.
struct Prometheus {
    address: SocketAddr,
    data: TempDir,
}

impl Prometheus {
    fn new() -> Self {
        // An address that nobody else uses, so that the port stays free while it is down.
        let [a, b, c, _] = std::process::id().to_le_bytes();
        let listener =
            TcpListener::bind(SocketAddr::from(([127, 100 | c, b, a.max(1)], 0))).unwrap();
        let (address, data) = (listener.local_addr().unwrap(), TempDir::new().unwrap());
        fs::write(data.path().join("prometheus.yml"), "scrape_configs: []\n").unwrap();
        Self { address, data }
    }

    fn start(&self) -> Running {
        let path = |name: &str| self.data.path().join(name).display().to_string();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", path("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", path("data")))
            .arg(format!("--web.listen-address={}", self.address))
            .args(["--web.enable-remote-write-receiver", "--log.level=error"]);
        let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let running = Running(started.expect("prometheus is installed"));
        until("Prometheus", PATIENCE, || match self.get("/-/ready") {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        });
        running
    }

    fn get(&self, path: &str) -> std::io::Result<(u16, String)> {
        Place::Host.http(self.address, "GET", path, &[], b"")
    }

    /// The host's time at every tick that has arrived, in the order of their stamps.
    fn ticks(&self) -> Vec<f64> {
        let (_, body) = self.get("/api/v1/query?query=node_time_seconds%5B1h%5D").unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        let series = body["data"]["result"].as_array().cloned().unwrap_or_default();
        assert!(series.len() <= 1, "{series:?}");
        let points = series.iter().flat_map(|series| series["values"].as_array().unwrap());
        points.map(|point| point[1].as_str().unwrap().parse().unwrap()).collect()
    }
}

/// A daemon, and the ticks that it was seen to measure.
struct Daemon {
    running: Option<Running>,
    host: Host,
    seen: BTreeSet<String>,
}

impl Daemon {
    fn new(document: &str) -> Self {
        let host = Host::new(document);
        assert_eq!(host.configure(&[]).0, Some(0));
        Self { running: None, host, seen: BTreeSet::new() }
    }

    fn socket(&self) -> PathBuf {
        self.host.path("run/gild/status.sock")
    }

    fn start(&mut self) {
        // A write beyond the limit of a file's size is an error to it, as on a full disk,
        // and not its end.
        let run = self.host.gild(&["run"]);
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(run.get_program());
        command.args(run.get_args()).stdout(Stdio::null()).stderr(Stdio::null());
        for (name, value) in run.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.running = Some(Running(command.spawn().unwrap()));
        let socket = self.socket();
        until("the daemon", PATIENCE, || page(&socket).map(|_| ()));
    }

    fn kill(&mut self) {
        self.look();
        self.running.take().unwrap().kill();
        // Whoever is asked next is another one.
        let _ = fs::remove_file(self.socket());
    }

    /// Lets it write nothing more, as on a full disk, or lets it write again.
    fn fill_disk(&self, full: bool) {
        let limit = if full { "--fsize=0:unlimited" } else { "--fsize=unlimited:unlimited" };
        let process = self.running.as_ref().unwrap().0.id().to_string();
        assert!(
            Command::new("prlimit").args(["--pid", &process, limit]).status().unwrap().success()
        );
    }

    /// Notes the tick that it measured last.
    fn look(&mut self) {
        let Ok(page) = page(&self.socket()) else { return };
        let time = page.lines().find_map(|line| line.strip_prefix("node_time_seconds "));
        self.seen.extend(time.map(str::to_owned));
    }

    /// Waits until it has measured so many ticks more, and notes each that is seen.
    fn measure(&mut self, ticks: usize) {
        let wanted = self.seen.len() + ticks;
        let seen = std::cell::RefCell::new(self);
        until("ticks", PATIENCE, || {
            seen.borrow_mut().look();
            let count = seen.borrow().seen.len();
            if count >= wanted { Ok(()) } else { Err(format!("{count} of {wanted}")) }
        });
    }

    fn sink(&self) -> Value {
        self.host.ask(Method::GET, "/v1/status")["sinks"]["out"].clone()
    }

    /// Notes each tick until the sink is as wanted.
    fn wait(&mut self, what: &str, holds: impl Fn(&Value) -> bool) {
        let daemon = std::cell::RefCell::new(self);
        until(what, PATIENCE, || {
            daemon.borrow_mut().look();
            let sink = daemon.borrow().sink();
            if holds(&sink) { Ok(()) } else { Err(sink.to_string()) }
        });
    }

    fn spooled(&self) -> Vec<PathBuf> {
        let directory = self.host.path("var/lib/gild/spool/sinks/out");
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|suffix| suffix == "ticks")).collect()
    }
}

/// The daemon's page of metrics.
fn page(socket: &Path) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = client::ask(socket, Method::GET, "/metrics", Duration::from_secs(5));
    let (_, body) = runtime.block_on(answer).map_err(|error| error.to_string())?;
    String::from_utf8(body.to_vec()).map_err(|error| error.to_string())
}

fn document(url: &str, rest: &str) -> String {
    format!(
        "configuration.run = 'never'\nmetrics.interval = '1s'\n{rest}\n\
         sink.out = {{ type = 'remote_write', url = '{url}', flush = '1s' }}\n"
    )
}

#[test]
fn after_an_outage_with_two_kills_and_a_full_disk_every_tick_is_there_once() {
    let prometheus = Prometheus::new();
    let mut daemon =
        Daemon::new(&document(&format!("http://{}/api/v1/write", prometheus.address), ""));
    let mut receiver = prometheus.start();
    daemon.start();
    daemon.measure(3);
    daemon.wait("what was sent", |sink| sink["sent"].as_u64() > Some(0));
    receiver.kill();

    daemon.wait("ticks on disk", |sink| sink["spool"]["ticks"].as_u64() >= Some(5));
    daemon.kill();
    let left = daemon.spooled();
    assert!(!left.is_empty());

    daemon.start();
    daemon.measure(3);
    daemon.fill_disk(true);
    daemon.wait("the full disk", |sink| sink["spool"]["error"].is_string());
    daemon.measure(3);
    daemon.fill_disk(false);
    daemon.wait("room", |sink| sink["spool"]["error"].is_null());
    daemon.measure(2);
    daemon.kill();

    daemon.start();
    daemon.measure(3);
    assert!(daemon.sink()["spool"]["ticks"].as_u64() >= Some(15), "{}", daemon.sink());
    let _receiver = prometheus.start();
    daemon.wait("an empty spool", |sink| {
        sink["spool"]["ticks"] == 0 && sink["queued"] == 0 && sink["last_error"].is_null()
    });
    assert_eq!(daemon.sink()["dropped"], serde_json::json!({}));
    assert_eq!(daemon.spooled(), Vec::<PathBuf>::new());

    let arrived = prometheus.ticks();
    assert!(arrived.is_sorted_by(|a, b| a < b), "none is doubled: {arrived:?}");
    let measured: Vec<f64> = daemon.seen.iter().map(|seen| seen.parse().unwrap()).collect();
    assert!(measured.len() > 18);
    // The newest may still be on its way.
    let newest = arrived[arrived.len() - 1];
    let due = measured.iter().filter(|at| **at <= newest);
    let missing: Vec<_> = due.filter(|at| !arrived.contains(at)).collect();
    assert!(missing.is_empty(), "{missing:?} of {measured:?}");
    assert!(measured.iter().filter(|at| **at > newest).count() <= 2);
}
