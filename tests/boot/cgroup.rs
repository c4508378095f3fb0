//! A control group for each machine. Without one of its own a machine's systemd would take
//! the test's for its root, and two machines would end each other's services.

use std::fs;
use std::path::{Path, PathBuf};

/// Removes a control group and those below it, as far as they are empty.
pub(crate) fn remove_tree(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_tree(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

/// This process's control group in each hierarchy that a machine's systemd will manage.
pub(crate) fn control_groups() -> Vec<PathBuf> {
    let mine = fs::read_to_string("/proc/self/cgroup").unwrap();
    let unified = if Path::new("/sys/fs/cgroup/cgroup.procs").exists() { "" } else { "/unified" };
    let group = |line: &str| {
        let (hierarchy, path) = match line.strip_prefix("0::") {
            Some(path) => (unified, path),
            None => ("/systemd", line.split_once(":name=systemd:")?.1),
        };
        Some(PathBuf::from(format!("/sys/fs/cgroup{hierarchy}{}", path.trim_end_matches('/'))))
    };
    mine.lines().filter_map(group).collect()
}
