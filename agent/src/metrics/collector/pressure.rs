//! Time that tasks waited for a resource, from `/proc/pressure`: the best single
//! sign that a host is too small. A kernel without it, or one that was told to
//! leave it out, is no error.

use super::source::{Files, fields, lines};
use super::{CollectError, Collector};
use crate::metrics::sample::Sample;

/// File, line and metric. All of a processor's tasks never wait at once.
const LINES: [(&str, &str, &str); 5] = [
    ("/proc/pressure/cpu", "some", "node_pressure_cpu_waiting_seconds_total"),
    ("/proc/pressure/io", "some", "node_pressure_io_waiting_seconds_total"),
    ("/proc/pressure/io", "full", "node_pressure_io_stalled_seconds_total"),
    ("/proc/pressure/memory", "some", "node_pressure_memory_waiting_seconds_total"),
    ("/proc/pressure/memory", "full", "node_pressure_memory_stalled_seconds_total"),
];

/// The collector of pressure.
#[derive(Debug)]
pub struct Pressure;

impl Collector for Pressure {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        for (path, line, name) in LINES {
            let Some(content) = files.read(path)? else { continue };
            let Some((_, seconds)) = parse(content).find(|(found, _)| *found == line) else {
                return Err(files.lacks(path, "the time that tasks waited"));
            };
            out.push(Sample::counter(name, vec![], seconds));
        }
        Ok(())
    }
}

/// The lines by name, with the seconds that tasks have waited in all. Lines that
/// cannot be read are passed over.
pub fn parse(content: &[u8]) -> impl Iterator<Item = (&str, f64)> {
    lines(content).filter_map(|line| {
        let mut fields = fields(line);
        let name = fields.next()?;
        let total: u64 = fields.find_map(|field| field.strip_prefix("total="))?.parse().ok()?;
        Some((name, total as f64 / 1e6))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::{collect, shown};
    use super::*;

    #[test]
    fn waiting_is_told_in_seconds() {
        let root = tempfile::tempdir().unwrap();
        assert!(collect(&mut Pressure, root.path()).unwrap().is_empty(), "no /proc is no error");
        let pressure = root.path().join("proc/pressure");
        fs::create_dir_all(&pressure).unwrap();
        let some = |total: u64| format!("some avg10=0.00 avg60=1.50 avg300=0.00 total={total}\n");
        let full = |total: u64| format!("full avg10=0.00 avg60=0.00 avg300=0.00 total={total}\n");
        fs::write(pressure.join("cpu"), some(1_500_000) + &full(0)).unwrap();
        fs::write(pressure.join("io"), some(2_000_000) + &full(3_000_000)).unwrap();
        fs::write(pressure.join("memory"), some(4) + &full(5)).unwrap();
        let expected = [
            "node_pressure_cpu_waiting_seconds_total 1.5",
            "node_pressure_io_waiting_seconds_total 2",
            "node_pressure_io_stalled_seconds_total 3",
            "node_pressure_memory_waiting_seconds_total 0.000004",
            "node_pressure_memory_stalled_seconds_total 0.000005",
        ];
        assert_eq!(shown(&collect(&mut Pressure, root.path()).unwrap()), expected);
        fs::write(pressure.join("io"), some(1)).unwrap();
        assert!(collect(&mut Pressure, root.path()).is_err(), "a line is missing");
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        let text =
            b"some\nfull total=\nsome total=-1\nfull avg10=1 total=x\ntotal=1\n\xff total=y\n";
        assert_eq!(parse(text).count(), 0);
    }
}
