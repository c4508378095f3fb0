//! An instance for tests that run the program itself: a root, a metadata
//! service, a web server, and an environment that names them.
//!
//! The web server speaks S3's language too, so it can stand for a bucket.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::place::loopback;
use crate::program::gild;

/// What lets sources be on this host, where all the fakes are.
pub(crate) const REACH: &str = "scope.local_targets = true\n";

/// A host and what it talks to.
pub(crate) struct Rig {
    root: TempDir,
    pub(crate) imds: Imds,
    pub(crate) files: Files,
    environment: Vec<(String, String)>,
}

impl Rig {
    /// A host whose image layer is this document; `FILES` in it is the web server.
    pub(crate) fn new(image: &str, tags: &[(&str, &str)]) -> Self {
        let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let imds = Imds::start(loopback(), &Instance { tags, ..Instance::default() });
        let root = TempDir::new().unwrap();
        let rig = Self { root, imds, files: Files::start(loopback()), environment: Vec::new() };
        for directory in ["run/gild", "var/lib/gild", "etc/gild/config.d", "bin"] {
            fs::create_dir_all(rig.path(directory)).unwrap();
        }
        for directory in ["proc", "sys"] {
            std::os::unix::fs::symlink(format!("/{directory}"), rig.path(directory)).unwrap();
        }
        rig.write("usr/lib/gild/config.d/00-reach.toml", REACH);
        rig.write(
            "usr/lib/gild/config.d/10-image.toml",
            &image.replace("FILES", &rig.files.url("")),
        );
        rig
    }

    /// Makes every run see this in its environment.
    pub(crate) fn setting(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A path below the root.
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

    /// The program with these arguments.
    pub(crate) fn gild(&self, arguments: &[&str]) -> Command {
        let mut command = gild();
        command.arg("--root").arg(self.root.path()).args(arguments);
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.imds.endpoint());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the program, silent.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.gild(arguments);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Runs `gild configure`, silent, and gives its exit code and its report.
    pub(crate) fn configure(&self) -> (Option<i32>, Value) {
        let mut running = self.start(&["configure"]);
        (running.0.wait().unwrap().code(), json(&self.path("run/gild/report.json")))
    }

    /// How many questions the fakes have answered.
    pub(crate) fn asked(&self) -> usize {
        self.imds.requests().len() + self.files.requests().len()
    }
}

/// A program that does not outlive its test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
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

/// All files below a directory.
pub(crate) fn below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files.extend(below(&entry.path())),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files.sort();
    files
}

/// A file of JSON.
pub(crate) fn json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
