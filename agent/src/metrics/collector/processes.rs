//! How much goes on, from `/proc/stat`: processes that run or are blocked,
//! forks, context switches and interrupts. Looking at each process costs more;
//! `process_states` does that.

use super::source::Files;
use super::stat::{self, STAT};
use super::{CollectError, Collector};
use crate::metrics::sample::{Kind, Sample};

/// The lines, and the metrics that they become.
const LINES: [(&str, &str, Kind); 5] = [
    ("intr", "node_intr_total", Kind::Counter),
    ("ctxt", "node_context_switches_total", Kind::Counter),
    ("processes", "node_forks_total", Kind::Counter),
    ("procs_running", "node_procs_running", Kind::Gauge),
    ("procs_blocked", "node_procs_blocked", Kind::Gauge),
];

/// The collector of what goes on.
#[derive(Debug)]
pub struct Processes;

impl Collector for Processes {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Some(content) = files.read(STAT)? else { return Ok(()) };
        let before = out.len();
        out.extend(stat::parse(content).filter_map(|(line, count)| {
            let (_, name, kind) = LINES.into_iter().find(|(known, ..)| *known == line)?;
            Some(Sample::plain(kind, name, count as f64))
        }));
        if out.len() == before {
            return Err(files.lacks(STAT, "any count of processes"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    #[test]
    fn what_goes_on_is_counted() {
        let root = tempfile::tempdir().unwrap();
        assert!(collect(&mut Processes, root.path()).unwrap().is_empty(), "no /proc is no error");
        fs::create_dir(root.path().join("proc")).unwrap();
        let stat = root.path().join("proc/stat");
        let text = "cpu  1 2 3 4\nintr 900 1 2\nctxt 55\nbtime 1700000000\nprocesses 77\n\
            procs_running 2\nprocs_blocked 1\nsoftirq 10 1\n";
        fs::write(&stat, text).unwrap();
        let out = collect(&mut Processes, root.path()).unwrap();
        let expected = [
            "node_intr_total 900",
            "node_context_switches_total 55",
            "node_forks_total 77",
            "node_procs_running 2",
            "node_procs_blocked 1",
        ];
        assert_eq!(shown(&out), expected);
        assert_eq!((out[2].kind, out[3].kind), (Kind::Counter, Kind::Gauge));
        fs::write(&stat, "nothing here\n").unwrap();
        assert!(collect(&mut Processes, root.path()).is_err());
    }
}
