//! What is measured: one noun of the host a file, under node_exporter's names.
//!
//! To add a collector: a file with a type that implements `Collector`, a
//! `mod` line, and one line in `ENTRIES`. The schedule, the statistics and the
//! list of names that settings accept follow from the line.

/// Seconds of each processor in each mode.
pub mod cpu;
/// Space and inodes of mounted filesystems.
pub mod disk;
/// Label values, shared between ticks.
pub mod labels;
/// The load averages.
pub mod load;
/// The kernel's account of memory.
pub mod memory;
/// Traffic of network interfaces.
pub mod network;
/// Files of the kernel, read whole into one buffer.
pub mod source;
/// Swap space and swapping.
pub mod swap;

use std::io;
use std::path::PathBuf;
use std::pin::Pin;

use super::sample::Sample;
use crate::platform::paths::Paths;

/// Measures one noun of the host.
pub trait Collector: Send {
    /// Looks at what may hang, without blocking the runtime, before `collect`
    /// reports it. Most collectors read memory-backed files and have nothing to
    /// wait for. Dropping the future must lose nothing but this look.
    fn look(&mut self) -> Option<Pin<Box<dyn Future<Output = ()> + Send + '_>>> {
        None
    }

    /// Adds what can be measured now. What this host does not have is no error:
    /// nothing is added for it.
    fn collect(&mut self, out: &mut Vec<Sample>) -> Result<(), CollectError>;
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
    /// A thread could not be started.
    #[error("failed to start a thread that asks filesystems for their space")]
    Thread(#[source] io::Error),
}

/// One collector, as settings name it.
pub struct Entry {
    /// The name in `metrics.collectors`.
    pub name: &'static str,
    /// Makes the collector.
    pub build: fn(&Paths) -> Box<dyn Collector>,
}

/// The registry, in the order in which collectors run. Disk comes last, for it
/// alone may have to wait.
pub const ENTRIES: &[Entry] = &[
    Entry { name: "cpu", build: |paths| Box::new(cpu::Cpu::new(paths)) },
    Entry { name: "memory", build: |paths| Box::new(memory::Memory::new(paths)) },
    Entry { name: "swap", build: |paths| Box::new(swap::Swap::new(paths)) },
    Entry { name: "load", build: |paths| Box::new(load::Load::new(paths)) },
    Entry { name: "network", build: |paths| Box::new(network::Network::new(paths)) },
    Entry { name: "disk", build: |paths| Box::new(disk::Disk::new(paths)) },
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
