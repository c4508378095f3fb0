//! A host without systemd: a root directory, a metadata service, and the program on it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http::Method;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use gild::status::client;

use crate::fakes::imds::{Imds, Instance};
use crate::fakes::place::loopback;
use crate::fakes::wait::until;
use crate::program::gild;

/// An instance with a root of its own.
pub(crate) struct Host {
    root: TempDir,
    /// Its `/run`, where that is elsewhere.
    run: Option<TempDir>,
    /// Its metadata service.
    pub(crate) imds: Imds,
    /// What the program finds in its environment besides.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Host {
    /// A host whose local layer is this document.
    pub(crate) fn new(document: &str) -> Self {
        Self::with_tags(document, &[])
    }

    pub(crate) fn with_tags(document: &str, tags: &[(&str, &str)]) -> Self {
        let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let imds = Imds::start(loopback(), &Instance { tags, ..Instance::default() });
        let root = TempDir::new().unwrap();
        let host = Self { root, run: None, imds, environment: Vec::new() };
        for directory in ["run/gild", "var/lib/gild", "etc/gild/config.d", "usr/lib/gild/config.d"]
        {
            fs::create_dir_all(host.path(directory)).unwrap();
        }
        for directory in ["proc", "sys"] {
            std::os::unix::fs::symlink(format!("/{directory}"), host.path(directory)).unwrap();
        }
        host.configured(document);
        host
    }

    /// The same host with its `/run` in this directory; `/dev/shm` is in memory, as it is on
    /// an instance.
    pub(crate) fn with_run_in(mut self, directory: &str) -> Self {
        let run = TempDir::new_in(directory).unwrap();
        fs::create_dir_all(run.path().join("gild/daemon")).unwrap();
        fs::remove_dir_all(self.path("run")).unwrap();
        std::os::unix::fs::symlink(run.path(), self.path("run")).unwrap();
        self.run = Some(run);
        self
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    /// Writes a file below the root.
    pub(crate) fn write(&self, below: &str, text: &str) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a program below the root.
    pub(crate) fn program(&self, below: &str, text: &str) {
        let path = self.write(below, text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn configured(&self, document: &str) {
        fs::write(self.path("etc/gild/config.d/10-local.toml"), document).unwrap();
    }

    pub(crate) fn gild(&self, arguments: &[&str]) -> Command {
        let mut command = gild();
        command.arg("--root").arg(self.root.path()).args(arguments);
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.imds.endpoint());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `gild configure` and gives its exit code and its report.
    pub(crate) fn configure(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let mut command = self.gild(&["configure"]);
        let status = command.args(arguments).stderr(Stdio::null()).status().unwrap();
        (status.code(), self.report())
    }

    pub(crate) fn report(&self) -> Value {
        let bytes = fs::read(self.path("run/gild/report.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    pub(crate) fn started(&self, arguments: &[&str]) -> Running {
        let mut command = self.gild(arguments);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// What the daemon answers to a question at its socket.
    pub(crate) fn ask(&self, method: Method, page: &str) -> Value {
        ask(&self.path("run/gild/status.sock"), method, page)
    }

    /// What `gild status` exits with and says.
    pub(crate) fn status(&self) -> (Option<i32>, String) {
        let output = self.gild(&["status"]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Starts one of Debian's exporters or servers, and hears from its log where it listens.
pub(crate) fn listening(mut command: Command, package: &str) -> (Running, SocketAddr) {
    let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut process = spawned.unwrap_or_else(|_| panic!("this needs Debian's package '{package}'"));
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let process = Running(process);
    let address = loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "{package} has ended");
        if line.contains("Listening on") {
            let address = line.split_once("address=").unwrap().1;
            break address.trim().parse().unwrap();
        }
    };
    // It must not wait for somebody to read what it logs.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    (process, address)
}

/// A program that does not outlive its test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }

    /// Kills it as nobody can prevent, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a daemon answers at a socket.
pub(crate) fn ask(socket: &Path, method: Method, page: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = client::ask(socket, method, page, Duration::from_secs(12));
    let (_, body) = runtime.block_on(answer).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[track_caller]
pub(crate) fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let ask = || if holds() { Ok(()) } else { Err("not yet".to_owned()) };
    until(what, Duration::from_secs(30), ask);
}
