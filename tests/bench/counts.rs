//! How many instructions a tick, an encoding and a merge take, counted by callgrind: the same
//! binary with the same work gives the same count, however busy the machine is.
//!
//! The host is the one of `tests/fixtures/host`, so that the machine's own disks and processes are
//! not in it. What is counted is held against `counts.toml` beside this file, with a margin;
//! `GILD_REFRESH_GOLDEN=1` writes that anew.
//!
//! A new row is a line in `counted` and in `counts.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fakes::imds::{Imds, Instance};
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::fakes::wait::until;

/// What is kept, by row.
type Counts = BTreeMap<String, u64>;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/bench/counts.toml");
/// How far a count may be above what is kept: another patch release of the compiler moves it by
/// less, one more allocation for each sample by more.
const MARGIN_PERCENT: u64 = 10;
/// Ticks that are counted.
const TICKS: usize = 20;
/// Keys in each of the documents that are merged.
const KEYS: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn run(gild: &Path) {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        panic!("valgrind is not installed");
    }
    let found = counted(gild);
    if std::env::var_os("GILD_REFRESH_GOLDEN").is_some() {
        let text = "# Instructions, as callgrind counts them: see counts.rs.\n".to_owned();
        fs::write(KEPT, text + &toml::to_string(&found).unwrap()).unwrap();
    }
    let kept: Counts = toml::from_str(&fs::read_to_string(KEPT).unwrap()).unwrap();
    println!("{:<12} {:>14} {:>14} {:>9}", "instructions", "now", "kept", "ratio");
    let mut above = Vec::new();
    for (name, now) in &found {
        let kept = kept.get(name).copied().unwrap_or_default();
        println!("{name:<12} {now:>14} {kept:>14} {:>9.3}", *now as f64 / kept as f64);
        if now * 100 > kept * (100 + MARGIN_PERCENT) {
            above.push(name.as_str());
        }
    }
    assert!(
        above.is_empty(),
        "more than {MARGIN_PERCENT}% above what is kept: {}; where that is meant, \
         GILD_REFRESH_GOLDEN=1 keeps it",
        above.join(", ")
    );
}

fn counted(gild: &Path) -> Counts {
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| tick(gild, 1));
        (one.join().unwrap(), tick(gild, 2))
    });
    let merge = merge(gild, KEYS).checked_sub(merge(gild, 0)).unwrap();
    // A second sink of the same kind has the same to encode and to send, and nothing else.
    let encode = two.checked_sub(one).unwrap();
    [("tick", one), ("encode", encode), ("merge", merge)]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
}

/// Makes `root` the root of an instance that is the same everywhere.
pub(crate) fn fixture(root: &Path) {
    for directory in ["run/gild", "var/lib/gild", "etc/gild/config.d", "usr/lib/gild/config.d"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    let host = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/host/.");
    assert!(Command::new("cp").arg("-a").args([Path::new(host), root]).status().unwrap().success());
}

/// What counts on such a host.
fn install(root: &Path, imds: &Imds) -> Command {
    fixture(root);
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!("--vgdb-prefix={}", root.join("vgdb").display()))
        .arg(format!("--callgrind-out-file={}", root.join("counts").display()))
        .arg("--quiet")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.endpoint())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Instructions of a tick with so many sinks.
fn tick(gild: &Path, sinks: usize) -> u64 {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let imds = Imds::start(loopback(), &Instance::default());
    let mut command = install(root, &imds);
    let receivers: Vec<_> = (0..sinks).map(|_| RemoteWrite::start(loopback())).collect();
    let mut text =
        "scope.local_targets = true\nmetrics.interval = '1s'\nconfiguration.run = 'never'\n"
            .to_owned();
    for (number, receiver) in receivers.iter().enumerate() {
        text += &format!(
            "[sink.s{number}]\ntype = 'remote_write'\nurl = '{}'\nflush = '1s'\n",
            receiver.url()
        );
    }
    fs::write(root.join("etc/gild/config.d/10-local.toml"), text).unwrap();
    let mut boot = Command::new(gild);
    boot.env_clear().env("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.endpoint());
    let status = boot.arg("--root").arg(root).arg("configure").stderr(Stdio::null()).status();
    assert!(status.unwrap().success(), "gild configure failed");
    let child = command.arg(gild).arg("--root").arg(root).arg("run").spawn().unwrap();
    let mut daemon = Daemon { child, root };
    // All sinks have the tick: what is counted begins and ends with the same.
    let ticks = || {
        let seen = |receiver: &RemoteWrite| {
            let times: BTreeSet<i64> =
                receiver.samples().iter().map(|sample| sample.timestamp_ms).collect();
            times.len()
        };
        receivers.iter().map(seen).min().unwrap_or(0)
    };
    let wait = |wanted: usize| {
        until("ticks", PATIENCE, || match ticks() {
            seen if seen >= wanted => Ok(seen),
            seen => Err(format!("{seen} ticks of {wanted}")),
        })
    };
    let begin = wait(3);
    daemon.control("--zero");
    let end = wait(begin + TICKS);
    daemon.control("--dump");
    daemon.stop();
    total(&root.join("counts.1")) / (end - begin) as u64
}

/// Instructions of showing what three documents with so many keys each come to.
fn merge(gild: &Path, keys: usize) -> u64 {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let imds = Imds::start(loopback(), &Instance::default());
    let mut command = install(root, &imds);
    // Half of the keys of each are of the next too.
    for (number, file) in
        ["usr/lib/gild/config.d/10", "etc/gild/config.d/10", "etc/gild/config.d/20"]
            .into_iter()
            .enumerate()
    {
        let first = number * keys / 2;
        let lines = (first..first + keys).map(|key| format!("key_{key} = 'value {number}'\n"));
        let text = format!("[vars]\n{}", lines.collect::<String>());
        fs::write(root.join(format!("{file}-keys.toml")), text).unwrap();
    }
    let status = command.arg(gild).arg("--root").arg(root).args(["config", "show"]).status();
    assert!(status.unwrap().success(), "gild config show failed");
    total(&root.join("counts"))
}

/// What a file of callgrind's counts in all.
pub(crate) fn total(file: &Path) -> u64 {
    let text = fs::read_to_string(file).unwrap();
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    found.and_then(|count| count.trim().parse().ok()).unwrap()
}

/// The daemon under valgrind; ends when dropped.
struct Daemon<'a> {
    child: Child,
    root: &'a Path,
}

impl Daemon<'_> {
    fn control(&self, what: &str) {
        let prefix = format!("--vgdb-prefix={}", self.root.join("vgdb").display());
        let mut command = Command::new("callgrind_control");
        command.args([prefix.as_str(), what, &self.child.id().to_string()]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "callgrind_control {what}: {output:?}");
    }

    fn stop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}
