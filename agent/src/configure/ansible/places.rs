//! Where Ansible finds roles and collections: beside the playbook, where its
//! settings say, in the usual places, and within its own installation.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::platform::fs::read_capped;
use crate::platform::paths::Paths;

/// The largest file of settings.
const LARGEST: u64 = 1 << 20;

/// Where roles are where no setting says so; `~` is the home directory.
const ROLES: &str = "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles";

/// Where collections are where no setting says so.
const COLLECTIONS: &str = "~/.ansible/collections:/usr/share/ansible/collections";

/// What Ansible calls the directory of collections.
const BELOW: &str = "ansible_collections";

/// The directories that are looked into.
#[derive(Debug)]
pub(super) struct Places {
    /// Those that hold a directory for each role.
    pub(super) roles: Vec<PathBuf>,
    /// Those that hold a directory for each namespace of collections.
    pub(super) collections: Vec<PathBuf>,
}

/// What it depends on where things are.
pub(super) struct Around<'a> {
    /// Where the host's files are.
    pub(super) paths: &'a Paths,
    /// The directory of the playbook.
    pub(super) playbook: &'a Path,
    /// The directory of its entry.
    pub(super) beside: &'a Path,
    /// The home directory of the user that runs it.
    pub(super) home: &'a Path,
    /// The program `ansible-playbook`.
    pub(super) program: &'a Path,
}

impl Places {
    /// The places around a playbook.
    pub(super) fn new(around: &Around<'_>) -> Self {
        let Around { playbook, beside, .. } = *around;
        let mut roles = vec![beside.join("roles"), beside.to_owned(), playbook.join("roles")];
        let mut collections = vec![beside.join("collections"), playbook.join("collections")];
        let (of_roles, of_collections) = configured(around);
        roles.extend(of_roles);
        collections.extend(of_collections);
        let mut collections: Vec<_> =
            collections.into_iter().map(|directory| directory.join(BELOW)).collect();
        collections.extend(installed(around.program));
        Self { roles, collections }
    }

    /// Whether a role of this name is there.
    pub(super) fn has_role(&self, name: &str) -> bool {
        self.roles.iter().any(|place| place.join(name).is_dir())
    }

    /// Whether a collection of this full name is there.
    pub(super) fn has_collection(&self, name: &str) -> bool {
        let below: PathBuf = name.split('.').collect();
        self.collections.iter().any(|place| place.join(&below).is_dir())
    }
}

/// What Ansible's settings say, or the usual places.
fn configured(around: &Around<'_>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let home = around.paths.host(around.home);
    let files = [
        around.playbook.join("ansible.cfg"),
        home.join(".ansible.cfg"),
        around.paths.host("/etc/ansible/ansible.cfg"),
    ];
    // Ansible reads the first that is there, and no other.
    let file = files.into_iter().find(|file| file.is_file());
    let bytes = file.as_ref().and_then(|file| read_capped(file, LARGEST).ok().flatten());
    let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
    let base = file.as_ref().and_then(|file| file.parent()).unwrap_or(around.playbook);
    let list = |names: &[&str], usual: &str| -> Vec<PathBuf> {
        let set = names.iter().find_map(|name| setting(&text, name));
        let paths = set.unwrap_or(usual).split(':').map(str::trim);
        let place = |path: &str| match path.strip_prefix("~/") {
            Some(below) => home.join(below),
            None if path.starts_with('/') => around.paths.host(path),
            None => base.join(path),
        };
        paths.filter(|path| !path.is_empty()).map(place).collect()
    };
    (list(&["roles_path"], ROLES), list(&["collections_path", "collections_paths"], COLLECTIONS))
}

/// A setting in the section `defaults`.
fn setting<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut section = "";
    text.lines().map(str::trim).find_map(|line| {
        if line.starts_with('[') {
            section = line;
        }
        let (key, value) = line.split_once('=')?;
        // What follows a semicolon is a comment.
        let value = value.split(" ;").next().unwrap_or_default();
        (section == "[defaults]" && key.trim() == name).then(|| value.trim())
    })
}

/// The collections that came with Ansible: in the `site-packages` of its Python.
fn installed(program: &Path) -> Vec<PathBuf> {
    let real = fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let mut found = Vec::new();
    for program in [program, &real] {
        let Some(prefix) = program.parent().and_then(Path::parent) else { continue };
        for library in ["lib", "lib64"] {
            let Ok(entries) = fs::read_dir(prefix.join(library)) else { continue };
            for python in entries.flatten().map(|entry| entry.path()) {
                let name = python.file_name().and_then(OsStr::to_str).unwrap_or_default();
                if name.starts_with("python3") {
                    let packages = ["site-packages", "dist-packages"];
                    found.extend(packages.map(|directory| python.join(directory).join(BELOW)));
                }
            }
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_collections_are_found_where_ansible_finds_them() {
        let root = tempfile::tempdir().unwrap();
        let path = |below: &str| root.path().join(below);
        for directory in [
            "play/roles/beside",
            "root/.ansible/roles/home",
            "usr/share/ansible/roles/shared",
            "play/collections/ansible_collections/n/beside",
            "root/.ansible/collections/ansible_collections/n/home",
            "venv/lib/python3.11/site-packages/ansible_collections/n/packaged",
            "venv/bin",
            "play/vendored/own",
        ] {
            fs::create_dir_all(path(directory)).unwrap();
        }
        let paths = Paths::installed(root.path());
        let (playbook, program) = (path("play"), path("venv/bin/ansible-playbook"));
        let places = || {
            Places::new(&Around {
                paths: &paths,
                playbook: &playbook,
                beside: &playbook,
                home: Path::new("/root"),
                program: &program,
            })
        };
        let usual = places();
        for (name, there) in
            [("beside", true), ("home", true), ("shared", true), ("own", false), ("none", false)]
        {
            assert_eq!(usual.has_role(name), there, "{name}");
        }
        for (name, there) in
            [("n.beside", true), ("n.home", true), ("n.packaged", true), ("n.x", false)]
        {
            assert_eq!(usual.has_collection(name), there, "{name}");
        }
        let settings = "[other]\nroles_path = nowhere\n[defaults]\nroles_path=vendored : /opt\n";
        fs::write(path("play/ansible.cfg"), settings).unwrap();
        let set = places();
        assert!(set.has_role("own") && set.has_role("beside") && !set.has_role("home"));
        assert!(set.has_collection("n.home"));
    }
}
