//! Seconds of each processor in each mode, from `/proc/stat`.
//!
//! The kernel's counters are not quite counters: idle and iowait may fall a
//! little, and a processor that went away and came back starts over. A small
//! fall is smoothed over, a large one is a fresh start (node_exporter draws the
//! line at three seconds of idle time, and so does this).

use std::collections::HashMap;
use std::sync::Arc;

use super::labels::Labels;
use super::source::{Files, fields, lines};
use super::stat::STAT;
use super::{CollectError, Collector};
use crate::metrics::sample::{Sample, label};

/// The kernel counts in hundredths of a second towards user space (USER_HZ) on
/// every architecture that EC2 has.
const TICKS_PER_SECOND: f64 = 100.0;

/// A fall of idle time by this many ticks is a fresh start.
const FRESH_START: u64 = 300;

/// The modes in the order of `/proc/stat`.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
const IDLE: usize = 3;

/// What guests used, which user and nice hold as well.
const GUEST_MODES: [&str; 2] = ["user", "nice"];

/// Ticks by column: the eight modes, then guest and guest_nice.
pub type Ticks = [u64; 10];

/// The collector of processor time.
#[derive(Debug, Default)]
pub struct Cpu {
    /// Whether each processor is told by itself.
    per_core: bool,
    labels: Labels,
    last: HashMap<Arc<str>, Ticks>,
}

impl Cpu {
    /// A collector of each processor, or of all of them together.
    pub fn new(per_core: bool) -> Self {
        Self { per_core, ..Self::default() }
    }

    fn add(&mut self, cpu: &Arc<str>, ticks: &Ticks, out: &mut Vec<Sample>) {
        let (modes, guests) = ticks.split_at(MODES.len());
        let mut add = |name: &'static str, mode: &str, ticks: u64| {
            let labels = vec![label("cpu", cpu.clone()), label("mode", self.labels.get(mode))];
            out.push(Sample::counter(name, labels, ticks as f64 / TICKS_PER_SECOND));
        };
        for (mode, ticks) in MODES.into_iter().zip(modes) {
            add("node_cpu_seconds_total", mode, *ticks);
        }
        for (mode, ticks) in GUEST_MODES.into_iter().zip(guests) {
            add("node_cpu_guest_seconds_total", mode, *ticks);
        }
    }
}

impl Collector for Cpu {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Some(content) = files.read(STAT)? else { return Ok(()) };
        let mut any = false;
        for (cpu, now) in parse(content) {
            any = true;
            let cpu = self.labels.get(cpu);
            let last = self.last.entry(cpu.clone()).or_insert(now);
            *last = steady(*last, now);
            let ticks = *last;
            if self.per_core {
                self.add(&cpu, &ticks, out);
            }
        }
        if !any {
            return Err(files.lacks(STAT, "any processor"));
        }
        if !self.per_core {
            // With those that went away: what they did was done.
            let sum = |column| self.last.values().map(|ticks| ticks[column]).sum();
            let total = self.labels.get("total");
            self.add(&total, &std::array::from_fn(sum), out);
        }
        Ok(())
    }
}

/// The counters after `last` and `now`: none falls, unless all start over.
fn steady(last: Ticks, now: Ticks) -> Ticks {
    if last[IDLE].saturating_sub(now[IDLE]) >= FRESH_START {
        return now;
    }
    std::array::from_fn(|column| last[column].max(now[column]))
}

/// The processors of `/proc/stat` by number. Kernels differ in how many columns
/// they have: those that are missing are zero. Lines that cannot be read are
/// passed over.
pub fn parse(content: &[u8]) -> impl Iterator<Item = (&str, Ticks)> {
    // The processors come first; the line of interrupts after them is long.
    lines(content).take_while(|line| line.starts_with(b"cpu")).filter_map(|line| {
        let mut fields = fields(line);
        let number = fields.next()?.strip_prefix("cpu")?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut ticks = Ticks::default();
        let mut columns = 0;
        for (column, field) in ticks.iter_mut().zip(fields) {
            *column = field.parse().ok()?;
            columns += 1;
        }
        (columns > IDLE).then_some((number, ticks))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::super::tests::collect;
    use super::*;

    #[test]
    fn processors_are_read_and_the_sum_is_not() {
        let text = b"cpu  3 0 0 3 0 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu1 2 0 0 3\nintr 1 2\n";
        let found: Vec<_> = parse(text).collect();
        assert_eq!(
            found,
            [("0", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), ("1", [2, 0, 0, 3, 0, 0, 0, 0, 0, 0])]
        );
    }

    #[test]
    fn every_one_of_512_processors_is_read() {
        let text: String = (0..512).map(|cpu| format!("cpu{cpu} 1 2 3 4 5 6 7 8 9 10\n")).collect();
        assert_eq!(parse(text.as_bytes()).count(), 512);
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        let text =
            b"cpu0\ncpu1 1 2 3\ncpux 1 2 3 4\ncpu2 1 2 -3 4\ncpu3 1 2 3 99999999999999999999\n\
            cpu\xff 1 2 3 4\ncpu4 1 2 3 4 5 6 7 8 9 10 11 12\n";
        assert_eq!(parse(text).collect::<Vec<_>>(), [("4", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])]);
        assert_eq!(parse(b"").count(), 0);
        assert_eq!(parse(b"\0\0\0\xff").count(), 0);
    }

    #[test]
    fn a_small_fall_is_smoothed_and_a_large_one_starts_over() {
        let last = [10, 0, 0, 1000, 50, 0, 0, 0, 0, 0];
        assert_eq!(
            steady(last, [11, 0, 0, 900, 40, 0, 0, 0, 0, 0]),
            [11, 0, 0, 1000, 50, 0, 0, 0, 0, 0]
        );
        let fresh = [1, 0, 0, 2, 0, 0, 0, 0, 0, 0];
        assert_eq!(steady(last, fresh), fresh);
    }

    #[test]
    fn user_time_stands_with_its_processor_and_mode() {
        let root = tempfile::tempdir().unwrap();
        let collected = || collect(&mut Cpu::new(true), root.path());
        let out = collected().unwrap();
        assert!(out.is_empty(), "no /proc is no error");
        fs::create_dir(root.path().join("proc")).unwrap();
        fs::write(root.path().join("proc/stat"), "cpu0 150 0 0 0 0 0 0 0 50\n").unwrap();
        let out = collected().unwrap();
        assert_eq!(out.len(), 10);
        assert_eq!((out[0].label("cpu"), out[0].label("mode")), (Some("0"), Some("user")));
        assert_eq!(out[0].value, 1.5);
        assert_eq!(out[8].name, "node_cpu_guest_seconds_total");
        assert_eq!(out[8].value, 0.5);
        fs::write(root.path().join("proc/stat"), "nothing here\n").unwrap();
        assert!(collected().is_err());
    }

    #[test]
    fn all_processors_together_do_not_fall_when_one_goes_away() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("proc")).unwrap();
        let mut cpu = Cpu::new(false);
        let mut user = |stat: &str| {
            fs::write(root.path().join("proc/stat"), stat).unwrap();
            let out = collect(&mut cpu, root.path()).unwrap();
            assert_eq!(out.len(), 10);
            assert_eq!(out[0].label("cpu"), Some("total"));
            out[0].value
        };
        assert_eq!(user("cpu0 100 0 0 0\ncpu1 200 0 0 0\n"), 3.0);
        assert_eq!(user("cpu0 150 0 0 0\n"), 3.5);
        assert_eq!(user("cpu0 150 0 0 0\ncpu1 200 0 0 0\n"), 3.5);
    }
}
