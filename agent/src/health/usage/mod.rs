//! What a service's unit uses: memory, processor, processes, and how often the kernel
//! killed for want of memory. Read from its control group, of version 2 or 1.
//!
//! Nothing is asked of the unit's processes, and nothing is guessed: where the kernel
//! does not account for a resource, there is no figure. Version 1 has figures for what
//! the unit, or `DefaultMemoryAccounting=` and its like, has turned on.
//!
//! To add a figure: a field of `Usage`, where it is in both versions, and a line in
//! `watch`.

mod files;
mod kills;

use std::path::PathBuf;

use self::files::{control_group, field, identity, number, processes};
use self::kills::Kills;

/// What a unit uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Memory in bytes, with the files that the kernel keeps for it.
    pub memory: Option<u64>,
    /// Processor time in seconds since the control group was made.
    pub cpu: Option<f64>,
    /// Processes.
    pub processes: Option<u64>,
    /// Processes killed for want of memory, over all control groups that were seen.
    pub oom_kills: Option<u64>,
}

/// Reads what one unit uses, again and again.
#[derive(Debug)]
pub struct Meter {
    root: PathBuf,
    kills: Kills,
}

impl Meter {
    /// A meter over the control groups at `root`, mostly `/sys/fs/cgroup`.
    pub fn new(root: PathBuf) -> Self {
        Self { root, kills: Kills::default() }
    }

    /// What the unit uses now. `name` is its control group, as systemd says it; empty
    /// where it has none.
    pub fn read(&mut self, name: &str, restarts: Option<u32>) -> Usage {
        // In version 2 all controllers are in one tree, and this file at its root.
        let unified = self.root.join("cgroup.controllers").exists();
        let group = |controller: &str| match unified {
            true => control_group(&self.root, name),
            false => control_group(&self.root.join(controller), name),
        };
        let memory = group("memory");
        let other = |controller: &str| match unified {
            true => memory.clone(),
            false => group(controller),
        };
        let (bytes, events) = match unified {
            true => ("memory.current", "memory.events"),
            false => ("memory.usage_in_bytes", "memory.oom_control"),
        };
        let cpu = other("cpuacct").and_then(|group| match unified {
            true => field(&group.join("cpu.stat"), "usage_usec").map(|micros| micros as f64 / 1e6),
            false => number(&group.join("cpuacct.usage")).map(|nanos| nanos as f64 / 1e9),
        });
        // systemd's own tree has every unit, whatever is accounted for.
        let processes = other("systemd").map(|group| processes(&group));
        let own = memory
            .as_deref()
            .and_then(|group| Some((identity(group)?, field(&group.join(events), "oom_kill")?)));
        Usage {
            memory: memory.as_deref().and_then(|group| number(&group.join(bytes))),
            cpu,
            processes,
            oom_kills: self.kills.see(memory.as_deref(), events, own, restarts),
        }
    }
}

#[cfg(test)]
mod tests;
