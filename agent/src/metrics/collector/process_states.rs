//! Processes by state, and their threads, from `/proc/PID/stat`. It reads one
//! file for each process, so it runs only where it is asked for. Where /proc
//! hides the processes of others, it counts those that it sees.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::labels::Labels;
use super::source::{Files, Source, fields};
use super::{CollectError, Collector};
use crate::metrics::sample::{Kind, Sample, label};
use crate::platform::paths::Paths;

/// The states, as ps shows them: running, sleeping, waiting for a disk, stopped,
/// stopped by a debugger, zombie, idle thread of the kernel. Each is told even
/// when no process is in it.
const STATES: [&str; 7] = ["R", "S", "D", "T", "t", "Z", "I"];

/// The collector of processes' states.
#[derive(Debug)]
pub struct ProcessStates {
    paths: Paths,
    stat: Source,
    labels: Labels,
}

impl ProcessStates {
    /// Reads below `paths`.
    pub fn new(paths: &Paths) -> Self {
        let stat = Source::new(paths.host("/proc"));
        Self { paths: paths.clone(), stat, labels: Labels::default() }
    }
}

impl Collector for ProcessStates {
    fn collect(&mut self, _: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Ok(entries) = fs::read_dir(self.paths.host("/proc")) else { return Ok(()) };
        let (mut states, mut processes, mut threads) = ([0u32; STATES.len()], 0u32, 0u64);
        for entry in entries.flatten() {
            if !entry.file_name().as_bytes().iter().all(u8::is_ascii_digit) {
                continue;
            }
            self.stat.turn_to(&entry.path().join("stat"));
            // A process that has ended meanwhile is none.
            let Ok(Some(content)) = self.stat.read() else { continue };
            let Some((state, of_process)) = parse(content) else { continue };
            processes += 1;
            threads = threads.saturating_add(of_process);
            if let Some(place) = STATES.iter().position(|known| *known == state) {
                states[place] += 1;
            }
        }
        for (state, count) in STATES.into_iter().zip(states) {
            let labels = vec![label("state", self.labels.get(state))];
            out.push(Sample::gauge("node_processes_state", labels, count.into()));
        }
        out.push(Sample::plain(Kind::Gauge, "node_processes_pids", processes.into()));
        out.push(Sample::plain(Kind::Gauge, "node_processes_threads", threads as f64));
        Ok(())
    }
}

/// The state of a process and how many threads it has. Its name may hold
/// anything, also brackets and blanks; what follows the last bracket does not.
pub fn parse(content: &[u8]) -> Option<(&str, u64)> {
    let end = content.iter().rposition(|byte| *byte == b')')?;
    let mut fields = fields(&content[end + 1..]);
    let state = fields.next()?;
    Some((state, fields.nth(16)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::{collect, shown};
    use super::*;

    fn line(name: &str, state: &str, threads: u32) -> String {
        format!("7 ({name}) {state} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0 {threads} 0 99\n")
    }

    #[test]
    fn processes_are_counted_by_state() {
        let root = tempfile::tempdir().unwrap();
        let mut states = ProcessStates::new(&Paths::installed(root.path()));
        assert!(collect(&mut states, root.path()).unwrap().is_empty(), "no /proc is no error");
        let processes = [("1", "S", 1), ("22", "S", 9), ("333", "Z", 1), ("4", "X", 1)];
        for (pid, state, threads) in processes {
            let directory = root.path().join("proc").join(pid);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("stat"), line("sh", state, threads)).unwrap();
        }
        fs::create_dir_all(root.path().join("proc/net")).unwrap();
        fs::write(root.path().join("proc/net/stat"), line("net", "R", 1)).unwrap();
        // It has ended between the two looks.
        fs::create_dir_all(root.path().join("proc/5")).unwrap();
        let expected = [
            "node_processes_state{state=\"R\"} 0",
            "node_processes_state{state=\"S\"} 2",
            "node_processes_state{state=\"D\"} 0",
            "node_processes_state{state=\"T\"} 0",
            "node_processes_state{state=\"t\"} 0",
            "node_processes_state{state=\"Z\"} 1",
            "node_processes_state{state=\"I\"} 0",
            "node_processes_pids 4",
            "node_processes_threads 12",
        ];
        assert_eq!(shown(&collect(&mut states, root.path()).unwrap()), expected);
    }

    #[test]
    fn a_name_may_hold_anything() {
        for name in ["a b", "a) R 1 (b", ")", "", "\n", "é"] {
            assert_eq!(parse(line(name, "D", 3).as_bytes()), Some(("D", 3)), "{name:?}");
        }
    }

    #[test]
    fn anything_else_is_no_process() {
        for text in ["", "1", "1 (sh", "1 (sh)", "1 (sh) S 1 2 3", &line("sh", "S", 1)[..40]] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
