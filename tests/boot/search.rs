//! Looking for a secret where it must not be: on disk, in the journal, and in the
//! arguments and environments of processes, while they run.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;

use crate::machine::Machine;

/// The forms in which a copy of a secret would be a copy.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let base64 = base64::engine::general_purpose::STANDARD.encode(secret);
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    // The last group of base64 depends on what follows, so it is left out.
    vec![secret.to_owned(), base64[..base64.len() / 4 * 4 - 4].to_owned(), hex]
}

/// The files below `places` that hold any of `needles`.
pub(crate) fn files_with(needles: &[String], places: &[PathBuf]) -> Vec<String> {
    // The needles go in through a pipe: as arguments they would be found in /proc.
    let mut grep = Command::new("grep")
        .args([
            "--recursive",
            "--text",
            "--fixed-strings",
            "--files-with-matches",
            "--devices=skip",
        ])
        .args(["--no-messages", "--file=-", "--"])
        .args(places)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("grep starts");
    grep.stdin.take().unwrap().write_all(needles.join("\n").as_bytes()).unwrap();
    let output = grep.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Everything that the machine's root shows, except what the kernel makes up.
pub(crate) fn whole_root(machine: &Machine) -> Vec<PathBuf> {
    let entries = fs::read_dir(machine.path("/")).unwrap().map(|entry| entry.unwrap());
    let real =
        entries.filter(|e| !["proc", "sys", "dev"].contains(&&*e.file_name().to_string_lossy()));
    let real = real.filter(|entry| !entry.path().is_symlink());
    real.map(|entry| entry.path()).chain([machine.path("/dev/shm")]).collect()
}

/// The journal as text, its compressed fields included.
pub(crate) fn journal(machine: &Machine) -> Vec<u8> {
    machine.exec(&["journalctl", "--output=export", "--all", "--no-pager"]).stdout
}

/// Whether any needle is in the text.
pub(crate) fn contains(text: &[u8], needles: &[String]) -> bool {
    needles.iter().any(|needle| text.windows(needle.len()).any(|part| part == needle.as_bytes()))
}

/// What a watch over the machine's processes saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Processes that showed a needle, with where.
    pub(crate) leaks: BTreeSet<String>,
    /// The programs that it looked at.
    pub(crate) programs: BTreeSet<String>,
    /// How many times it looked at all of them.
    pub(crate) rounds: usize,
}

/// A watch over the arguments and environments of all of a machine's processes.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Watch {
    /// Watches until `finish`.
    pub(crate) fn start(machine: &Machine, needles: Vec<String>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let inside = fs::read_link(format!("/proc/{}/ns/pid", machine.leader())).unwrap();
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !stopped.load(Ordering::Relaxed) {
                look(&inside, &needles, &mut seen);
                seen.rounds += 1;
                // How often it looks, not something to wait for.
                std::thread::sleep(Duration::from_millis(2));
            }
            seen
        });
        Self { stop, thread }
    }

    /// Ends the watch.
    pub(crate) fn finish(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn look(inside: &Path, needles: &[String], seen: &mut Seen) {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let process = entry.path();
        if !fs::read_link(process.join("ns/pid")).is_ok_and(|namespace| namespace == inside) {
            continue;
        }
        for file in ["cmdline", "environ"] {
            let Ok(content) = fs::read(process.join(file)) else { continue };
            if file == "cmdline" {
                let text = String::from_utf8_lossy(&content).replace('\0', " ");
                if !seen.programs.contains(&text) {
                    seen.programs.insert(text);
                }
            }
            if contains(&content, needles) {
                let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
                seen.leaks.insert(format!("{file} of {}", name.trim()));
            }
        }
    }
}
