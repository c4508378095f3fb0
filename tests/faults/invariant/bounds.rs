//! Memory and open files stay within bounds.

use std::fs;

use super::{Invariant, Limits};
use crate::life::Stage;

pub(super) struct Bounds {
    most: [f64; 2],
    worst: [f64; 2],
}

impl Bounds {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { most: [limits.rss_kib, limits.handles], worst: [0.0; 2] }
    }
}

const NAMES: [&str; 2] = ["KiB of RSS", "open files"];

impl Invariant for Bounds {
    fn look(&mut self, stage: &mut Stage) -> Result<(), String> {
        // Before that it is the shell that starts it.
        if !stage.lives() || !is_gild(stage.process()) {
            return Ok(());
        }
        for (at, now) in
            [rss_kib(stage.process()), handles(stage.process())].into_iter().enumerate()
        {
            self.worst[at] = self.worst[at].max(now);
            if now > self.most[at] {
                return Err(format!("{now} {} are more than {:.0}", NAMES[at], self.most[at]));
            }
        }
        Ok(())
    }

    fn figure(&self, _: &Stage) -> String {
        let [rss, handles] = self.worst;
        format!("most {}: {rss:.0}, most {}: {handles:.0}", NAMES[0], NAMES[1])
    }
}

fn is_gild(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.starts_with("gild"))
}

fn rss_kib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

fn handles(process: u32) -> f64 {
    fs::read_dir(format!("/proc/{process}/fd")).map_or(0.0, |files| files.count() as f64)
}
