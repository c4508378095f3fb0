//! The files of control groups. Each is small, and read with a cap all the same.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The most that is read of a file with figures.
const FIGURES_BYTES: u64 = 4 << 10;

/// The most that is read of a list of processes: some 30,000.
const LIST_BYTES: u64 = 256 << 10;

/// How many control groups below a unit's are looked into. Units that divide theirs
/// have a few.
const GROUPS: usize = 64;

/// The directory of a control group in a tree; `None` where it is not there.
pub(super) fn control_group(tree: &Path, name: &str) -> Option<PathBuf> {
    let below = Path::new(name.strip_prefix('/')?);
    // The root's own figures are those of the host, and nobody's.
    let plain = below.components().all(|part| matches!(part, Component::Normal(_)));
    if below.as_os_str().is_empty() || !plain {
        return None;
    }
    let group = tree.join(below);
    group.is_dir().then_some(group)
}

/// What tells a control group from a later one with its name.
pub(super) fn identity(group: &Path) -> Option<u64> {
    fs::metadata(group).ok().map(|metadata| metadata.ino())
}

/// The number that a file holds.
pub(super) fn number(path: &Path) -> Option<u64> {
    text(path)?.trim().parse().ok()
}

/// The number after a key, in a file of `key number` lines.
pub(super) fn field(path: &Path, key: &str) -> Option<u64> {
    find(&text(path)?, key)
}

fn find(text: &str, key: &str) -> Option<u64> {
    let of_line = |line: &str| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok();
    text.lines().find_map(of_line)
}

fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(FIGURES_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The processes of a control group and of those below it.
pub(super) fn processes(group: &Path) -> u64 {
    let mut waiting = vec![group.to_owned()];
    let (mut found, mut looked) = (0, 0);
    while let Some(group) = waiting.pop() {
        found += listed(&group);
        looked += 1;
        // The kernel's count of links says whether there is anything below. Other
        // filesystems than its own do not count.
        let divided = fs::metadata(&group).is_ok_and(|metadata| metadata.nlink() != 2);
        if divided && let Ok(entries) = fs::read_dir(&group) {
            let below =
                entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            let room = GROUPS.saturating_sub(looked + waiting.len());
            waiting.extend(below.take(room).map(|entry| entry.path()));
        }
    }
    found
}

fn listed(group: &Path) -> u64 {
    let Ok(file) = File::open(group.join("cgroup.procs")) else { return 0 };
    let mut list = file.take(LIST_BYTES);
    let mut buffer = [0; 4096];
    let mut lines = 0;
    while let Ok(count @ 1..) = list.read(&mut buffer) {
        lines += buffer[..count].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_figure_is_found_among_whatever_else_there_is(
            before in "([a-z_]{1,9} [^\n]{0,9}\n){0,4}",
            value: u64,
            after in "[^\n]{0,20}",
        ) {
            // No other line can begin as this one does.
            let text = format!("{before}Oom_kill {value}\n{after}");
            prop_assert_eq!(find(&text, "Oom_kill"), Some(value));
        }

        #[test]
        fn no_text_and_no_name_is_too_odd(text in any::<String>(), name in any::<String>()) {
            find(&text, "oom_kill");
            if let Some(group) = control_group(Path::new("/sys"), &name) {
                prop_assert!(group.starts_with("/sys") && group != Path::new("/sys"));
            }
        }
    }
}
