//! Since when the host is up, and what time it has: the difference is how long.
//!
//! The kernel's own uptime is not used: it would change at every tick, and the
//! time at which the host was started, which alerts on reboots compare, would
//! have to be guessed from it.

use std::time::{SystemTime, UNIX_EPOCH};

use super::source::Files;
use super::stat::{self, STAT};
use super::{CollectError, Collector};
use crate::metrics::sample::{Kind, Sample};

/// The collector of time.
#[derive(Debug)]
pub struct Uptime {
    clock: fn() -> SystemTime,
}

impl Uptime {
    /// Takes the time from a clock.
    pub fn new(clock: fn() -> SystemTime) -> Self {
        Self { clock }
    }
}

impl Collector for Uptime {
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let now = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        out.push(Sample::plain(Kind::Gauge, "node_time_seconds", now.as_secs_f64()));
        let Some(content) = files.read(STAT)? else { return Ok(()) };
        let Some((_, seconds)) = stat::parse(content).find(|(line, _)| *line == "btime") else {
            return Err(files.lacks(STAT, "the time of the boot"));
        };
        out.push(Sample::plain(Kind::Gauge, "node_boot_time_seconds", seconds as f64));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::time::Duration;

    use super::super::tests::{collect, shown};
    use super::*;

    #[test]
    fn the_boot_and_the_present_are_told() {
        let root = tempfile::tempdir().unwrap();
        let mut uptime = Uptime::new(|| UNIX_EPOCH + Duration::from_millis(1_700_000_100_500));
        let out = collect(&mut uptime, root.path()).unwrap();
        assert_eq!(shown(&out), ["node_time_seconds 1700000100.5"], "no /proc is no error");
        fs::create_dir(root.path().join("proc")).unwrap();
        let stat = root.path().join("proc/stat");
        fs::write(&stat, "cpu  1 2 3 4\nbtime 1700000000\n").unwrap();
        let out = collect(&mut uptime, root.path()).unwrap();
        assert_eq!(shown(&out)[1..], ["node_boot_time_seconds 1700000000"]);
        fs::write(&stat, "cpu  1 2 3 4\n").unwrap();
        assert!(collect(&mut uptime, root.path()).is_err());
    }

    #[test]
    fn a_clock_before_1970_is_no_trouble() {
        let mut uptime = Uptime::new(|| UNIX_EPOCH - Duration::from_secs(9));
        let root = tempfile::tempdir().unwrap();
        assert_eq!(shown(&collect(&mut uptime, root.path()).unwrap()), ["node_time_seconds 0"]);
    }
}
