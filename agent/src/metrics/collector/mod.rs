//! What is measured: one noun of the host a file, under node_exporter's names.
//!
//! To add a collector: a file with a type that implements `Collector`, a
//! `mod` line, and one line in `ENTRIES`. The schedule, the statistics and the
//! list of names that settings accept follow from the line.

/// Connections that the packet filter follows.
pub mod conntrack;
/// Seconds of each processor in each mode.
pub mod cpu;
/// Space and inodes of mounted filesystems.
pub mod disk;
/// Reads and writes of disks.
pub mod diskio;
/// Which EBS volume is behind which device.
pub mod ebs;
/// File handles of the whole host.
pub mod filefd;
/// Label values, shared between ticks.
pub mod labels;
/// The load averages.
pub mod load;
/// The kernel's account of memory.
pub mod memory;
/// The kernel's account of protocols.
pub mod netstat;
/// Traffic of network interfaces.
pub mod network;
/// Time that tasks waited for a resource.
pub mod pressure;
/// Processes by state.
pub mod process_states;
/// How much goes on.
pub mod processes;
/// Sockets.
pub mod sockstat;
/// Files of the kernel, read whole into one buffer.
pub mod source;
/// `/proc/stat` besides the processors' times.
pub mod stat;
/// Swap space and swapping.
pub mod swap;
/// Metrics that jobs leave in files.
pub mod textfile;
/// Since when the host is up.
pub mod uptime;
/// Paging, faults and the OOM killer.
pub mod vmstat;

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::SystemTime;

use self::source::Files;
use super::sample::Sample;
use super::settings::MetricsSettings;
use crate::platform::paths::Paths;

/// Measures one noun of the host.
///
/// What only one collector reads it may read by itself; what is read whole at
/// every tick it asks `files` for, which other collectors may have done already.
pub trait Collector: Send {
    /// Looks at what may hang, without blocking the runtime, before `collect`
    /// reports it. Most collectors read memory-backed files and have nothing to
    /// wait for. Dropping the future must lose nothing but this look.
    fn look(&mut self) -> Option<Pin<Box<dyn Future<Output = ()> + Send + '_>>> {
        None
    }

    /// Adds what can be measured now. What this host does not have is no error:
    /// nothing is added for it.
    fn collect(&mut self, files: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError>;
}

/// Something that a collector could not read or understand.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A file could not be read.
    #[error("failed to read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file holds nothing that the collector knows.
    #[error("failed to find {what} in '{}'", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// A file of metrics was not taken.
    #[error("failed to take metrics from '{}'", path.display())]
    Textfile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: textfile::FileError,
    },
    /// A thread could not be started.
    #[error("failed to start a thread that asks filesystems for their space")]
    Thread(#[source] io::Error),
}

/// One collector, as settings name it.
pub struct Entry {
    /// The name in `metrics.collectors`.
    pub name: &'static str,
    /// Makes the collector.
    pub build: fn(&MetricsSettings, &Paths) -> Box<dyn Collector>,
}

/// The registry, in the order in which collectors run. Disk comes last, for it
/// alone may have to wait.
pub const ENTRIES: &[Entry] = &[
    Entry { name: "cpu", build: |settings, _| Box::new(cpu::Cpu::new(settings.per_core_cpu)) },
    Entry { name: "memory", build: |_, _| Box::new(memory::Memory) },
    Entry { name: "swap", build: |_, _| Box::new(swap::Swap) },
    Entry { name: "load", build: |_, _| Box::new(load::Load) },
    Entry { name: "uptime", build: |_, _| Box::new(uptime::Uptime::new(SystemTime::now)) },
    Entry { name: "processes", build: |_, _| Box::new(processes::Processes) },
    Entry { name: "pressure", build: |_, _| Box::new(pressure::Pressure) },
    Entry { name: "vmstat", build: |_, _| Box::new(vmstat::Vmstat) },
    Entry { name: "filefd", build: |_, _| Box::new(filefd::Filefd) },
    Entry { name: "network", build: |_, paths| Box::new(network::Network::new(paths)) },
    Entry { name: "netstat", build: |_, _| Box::new(netstat::Netstat) },
    Entry { name: "sockstat", build: |_, _| Box::<sockstat::Sockstat>::default() },
    Entry { name: "conntrack", build: |_, _| Box::new(conntrack::Conntrack) },
    Entry { name: "diskio", build: |_, _| Box::<diskio::Diskio>::default() },
    Entry { name: "ebs", build: |_, paths| Box::new(ebs::Ebs::new(paths)) },
    Entry {
        name: "process_states",
        build: |_, paths| Box::new(process_states::ProcessStates::new(paths)),
    },
    Entry {
        name: "textfile",
        build: |settings, paths| {
            Box::new(textfile::Textfile::new(settings.textfile_directory.as_deref(), paths))
        },
    },
    Entry { name: "disk", build: |_, paths| Box::new(disk::Disk::new(paths)) },
];

/// The names of all collectors.
pub const NAMES: &[&str] = &names();

const fn names() -> [&'static str; ENTRIES.len()] {
    let mut names = [""; ENTRIES.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = ENTRIES[index].name;
        index += 1;
    }
    names
}

#[cfg(test)]
mod tests;
