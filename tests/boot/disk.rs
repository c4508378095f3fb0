//! What a machine's disk gets on top of the image with gild's package.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::base::run;

/// What the machine's disk gets on top of the base image and the package.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// Path, content.
    pub(crate) files: Vec<(String, String)>,
    /// Path, a directory of this host whose content it gets.
    pub(crate) trees: Vec<(String, PathBuf)>,
    /// Units that the package enables and this machine does not want.
    pub(crate) disable: Vec<&'static str>,
}

impl Disk {
    /// Adds a file.
    pub(crate) fn add(&mut self, path: &str, content: &str) {
        self.files.push((path.to_owned(), content.to_owned()));
    }
}

/// Lays out what the scenario adds.
pub(crate) fn lay_out(files: &Path, disk: &Disk) {
    for (path, tree) in &disk.trees {
        let path = files.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        run(Command::new("cp").arg("-a").arg(tree).arg(path));
    }
    for (path, content) in &disk.files {
        let path = files.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let etc = files.join("etc");
    fs::create_dir_all(&etc).unwrap();
    fs::write(etc.join("hostname"), "gild-test\n").unwrap();
    // Empty: the machine makes its own at the first boot, as an instance does.
    fs::write(etc.join("machine-id"), "").unwrap();
    symlink("/usr/share/zoneinfo/UTC", etc.join("localtime")).unwrap();
}
