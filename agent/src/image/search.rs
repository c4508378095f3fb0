//! Looks through a host for what looks like a secret. It reads what people and playbooks
//! write, not what packages install; it follows no link, and leaves no filesystem.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::marks;
use crate::platform::fs::read_capped;

/// Where it looks.
const PLACES: &[&str] = &[
    "/deployment",
    "/etc",
    "/home",
    "/opt",
    "/root",
    "/srv",
    "/tmp",
    "/usr/lib/gild",
    "/usr/local",
    "/var",
];

/// Directories that packages fill: their names, wherever they are. What stands in the
/// examples and tests of a library is no secret of this host.
const PACKAGED: &[&str] =
    &["site-packages", "dist-packages", "node_modules", "ansible_collections", "gems"];

/// Directories that packages fill, as they are.
const LEFT_OUT: &[&str] = &[
    "/var/cache",
    "/var/lib/apt",
    "/var/lib/dnf",
    "/var/lib/dpkg",
    "/var/lib/rpm",
    "/var/lib/yum",
    "/var/lib/docker/overlay2",
    "/etc/ssl/certs",
    "/etc/pki/ca-trust/extracted",
    "/usr/local/share",
];

/// Larger files are not read: they are data, or programs.
const LARGEST: u64 = 1024 * 1024;

/// How far it goes. What is not looked through then is a finding.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files and directories.
    pub entries: usize,
    /// The depth of directories.
    pub depth: usize,
    /// The time that it takes.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 500_000, depth: 64, time: Duration::from_secs(180) }
    }
}

/// Something that must not be in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, as the host names it.
    pub path: PathBuf,
    /// What it looks like. The secret itself is never told.
    pub what: &'static str,
}

/// What was found, by path. `allowed` are files and directories that the operator answers for.
pub fn search(root: &Path, allowed: &[PathBuf], limits: &Limits) -> Vec<Finding> {
    let mut search = Search {
        root,
        allowed,
        limits,
        left: limits.entries,
        until: Instant::now() + limits.time,
        found: Vec::new(),
    };
    for place in PLACES {
        let path = search.below(place);
        if allowed.contains(&search.own(&path)) {
            continue;
        }
        if let Ok(metadata) = path.symlink_metadata()
            && metadata.is_dir()
        {
            search.directory(&path, metadata.dev(), limits.depth);
        }
    }
    search.found.sort_by(|a, b| a.path.cmp(&b.path));
    search.found
}

struct Search<'a> {
    root: &'a Path,
    allowed: &'a [PathBuf],
    limits: &'a Limits,
    left: usize,
    until: Instant,
    found: Vec<Finding>,
}

impl Search<'_> {
    fn below(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }

    /// The path as the host names it.
    fn own(&self, path: &Path) -> PathBuf {
        Path::new("/").join(path.strip_prefix(self.root).unwrap_or(path))
    }

    fn note(&mut self, path: &Path, what: &'static str) {
        let path = self.own(path);
        self.found.push(Finding { path, what });
    }

    fn directory(&mut self, directory: &Path, device: u64, depth: usize) {
        let own = self.own(directory);
        let packaged = own.file_name().is_some_and(|name| PACKAGED.iter().any(|one| name == *one));
        if packaged || LEFT_OUT.iter().any(|one| own == Path::new(one)) {
            return;
        }
        if depth == 0 {
            return self.note(directory, "a directory too deep to be looked through");
        }
        let Ok(entries) = fs::read_dir(directory) else {
            return self.note(directory, "a directory that cannot be looked through");
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if self.allowed.contains(&self.own(&path)) {
                continue;
            }
            if self.is_over(&path) {
                return;
            }
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() && metadata.dev() == device => {
                    self.directory(&path, device, depth - 1);
                }
                Ok(metadata) if metadata.is_file() && metadata.len() <= LARGEST => self.file(&path),
                Ok(metadata) if metadata.is_file() => {
                    if let Some(what) = marks::named(&self.own(&path)) {
                        self.note(&path, what);
                    }
                }
                _ => {}
            }
        }
    }

    fn file(&mut self, path: &Path) {
        match read_capped(path, LARGEST) {
            Ok(Some(content)) => {
                if let Some(what) = marks::of(&self.own(path), &content) {
                    self.note(path, what);
                }
            }
            // It has gone, or grown, meanwhile.
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {}
            Err(_) => self.note(path, "a file that cannot be read"),
        }
    }

    /// Whether it has gone far enough; said once.
    fn is_over(&mut self, at: &Path) -> bool {
        if self.left == 0 {
            return true;
        }
        self.left -= 1;
        let spent = self.left == 0;
        if spent || (self.left.is_multiple_of(256) && Instant::now() >= self.until) {
            self.left = 0;
            let what = match spent {
                true if self.limits.entries > 0 => {
                    "where the search ended: there are too many files"
                }
                _ => "where the search ended: it took too long",
            };
            self.note(at, what);
            return true;
        }
        false
    }
}

#[cfg(test)]
#[path = "tests/search.rs"]
mod tests;
