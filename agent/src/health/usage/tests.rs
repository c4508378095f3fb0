//! Control groups that are made of files, of both versions.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

const WEB: &str = "/system.slice/web.service";

/// Writes a file of the tree, and the directories above it.
fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A tree of version 2 with `web.service` in it.
fn version_2(kills: u64, in_slice: u64) -> TempDir {
    let root = TempDir::new().unwrap();
    put(root.path(), "cgroup.controllers", "cpu memory pids\n");
    fill(root.path(), kills, in_slice);
    root
}

fn fill(root: &Path, kills: u64, in_slice: u64) {
    let events = |kills| format!("low 0\nhigh 0\nmax 3\noom 1\noom_kill {kills}\n");
    put(root, "system.slice/memory.events", &events(in_slice));
    let unit = |file: &str, text: &str| put(root, &format!("{}/{file}", &WEB[1..]), text);
    unit("memory.current", "4096000\n");
    unit("memory.events", &events(kills));
    unit("cpu.stat", "usage_usec 2500000\nuser_usec 1\nsystem_usec 1\n");
    unit("cgroup.procs", "11\n12\n");
}

#[test]
fn version_2_has_all_in_one_directory() {
    let root = version_2(0, 0);
    // A service may divide its group.
    put(root.path(), "system.slice/web.service/worker/cgroup.procs", "13\n14\n15\n");
    let usage = Meter::new(root.path().to_owned()).read(WEB, Some(0));
    let expected =
        Usage { memory: Some(4_096_000), cpu: Some(2.5), processes: Some(5), oom_kills: Some(0) };
    assert_eq!(usage, expected);
}

#[test]
fn version_1_has_a_tree_for_each_controller() {
    let root = TempDir::new().unwrap();
    let unit = |file: &str, text: &str| put(root.path(), file, text);
    unit("systemd/system.slice/web.service/cgroup.procs", "11\n");
    unit("cpuacct/system.slice/web.service/cpuacct.usage", "1500000000\n");
    let mut meter = Meter::new(root.path().to_owned());
    let bare = Usage { cpu: Some(1.5), processes: Some(1), ..Usage::default() };
    assert_eq!(meter.read(WEB, None), bare, "nothing is accounted for but processor time");
    unit("memory/system.slice/web.service/memory.usage_in_bytes", "8192\n");
    let control = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n";
    unit("memory/system.slice/web.service/memory.oom_control", control);
    let whole = Usage { memory: Some(8192), oom_kills: Some(2), ..bare };
    assert_eq!(meter.read(WEB, None), whole);
}

#[test]
fn what_is_not_there_or_not_understood_is_a_gap() {
    let root = version_2(0, 0);
    let mut meter = Meter::new(root.path().to_owned());
    for name in ["", "/", "web.service", "/../../etc", "/system.slice/../web.service", "/gone"] {
        assert_eq!(meter.read(name, None), Usage::default(), "{name:?}");
    }
    let unit = |file: &str, text: &str| put(root.path(), &format!("{}/{file}", &WEB[1..]), text);
    unit("memory.current", "max\n");
    unit("memory.events", "oom_kill_disable 7\noom_kill\n");
    unit("cpu.stat", "usage_usec -1\n");
    let usage = meter.read(WEB, None);
    assert_eq!(usage, Usage { processes: Some(2), ..Usage::default() });
    // However large a file is, little of it is read.
    unit("memory.current", &"9".repeat(1 << 20));
    assert_eq!(meter.read(WEB, None).memory, None);
}

#[test]
fn kills_are_counted_across_the_restarts_that_they_cause() {
    let root = version_2(1, 5);
    let mut meter = Meter::new(root.path().to_owned());
    let mut read = |restarts| meter.read(WEB, Some(restarts)).oom_kills;
    assert_eq!(read(0), Some(1));
    fill(root.path(), 3, 7);
    assert_eq!(read(0), Some(3), "in the same group");
    // Another service's kill, while this one goes on, is not this one's.
    fill(root.path(), 3, 9);
    assert_eq!(read(0), Some(3));
    // Killed and started anew between two looks: a new group that knows nothing.
    fs::rename(root.path().join(&WEB[1..]), root.path().join("old")).unwrap();
    fill(root.path(), 0, 10);
    assert_eq!(read(1), Some(4));
    assert_eq!(read(1), Some(4));
    // Killed, and not started again.
    fs::remove_dir_all(root.path().join(&WEB[1..])).unwrap();
    put(root.path(), "system.slice/memory.events", "oom_kill 11\n");
    assert_eq!(read(1), Some(5));
    put(root.path(), "system.slice/memory.events", "oom_kill 12\n");
    assert_eq!(read(1), Some(5), "it did not run, so it was not killed");
    // In a loop, never seen alive.
    put(root.path(), "system.slice/memory.events", "oom_kill 13\n");
    assert_eq!(read(2), Some(6));
}

#[test]
fn a_group_without_an_end_is_looked_into_so_far() {
    let root = version_2(0, 0);
    let mut path = WEB[1..].to_owned();
    for depth in 0..200 {
        path = format!("{path}/{depth}");
        put(root.path(), &format!("{path}/cgroup.procs"), "1\n");
    }
    let processes = Meter::new(root.path().to_owned()).read(WEB, None).processes;
    assert!(processes.is_some_and(|found| (2..100).contains(&found)), "{processes:?}");
}
