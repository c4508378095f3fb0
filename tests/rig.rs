//! A host with a web server, for tests that run the program itself.
//!
//! The web server speaks S3's language too, so it can stand for a bucket.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fakes::http::Files;
use crate::fakes::place::loopback;
use crate::host::Host;

/// What lets sources be on this host, where all the fakes are.
pub(crate) const REACH: &str = "scope.local_targets = true\n";

/// A host and what it talks to.
pub(crate) struct Rig {
    host: Host,
    pub(crate) files: Files,
}

impl Deref for Rig {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Rig {
    /// A host whose image layer is this document; `FILES` in it is the web server.
    pub(crate) fn new(image: &str, tags: &[(&str, &str)]) -> Self {
        let rig = Self { host: Host::with_tags("", tags), files: Files::start(loopback()) };
        rig.write("usr/lib/gild/config.d/00-reach.toml", REACH);
        rig.write(
            "usr/lib/gild/config.d/10-image.toml",
            &image.replace("FILES", &rig.files.url("")),
        );
        rig
    }

    /// The same with its host's `/run` in this directory.
    pub(crate) fn with_run_in(self, directory: &str) -> Self {
        Self { host: self.host.with_run_in(directory), ..self }
    }

    /// Makes every run see this in its environment.
    pub(crate) fn setting(mut self, name: &'static str, value: &str) -> Self {
        self.host.environment.push((name, value.to_owned()));
        self
    }

    /// How many questions the fakes have answered.
    pub(crate) fn asked(&self) -> usize {
        self.imds.requests().len() + self.files.requests().len()
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
