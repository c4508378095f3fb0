//! What a tick says of the host, as far as `gild top` shows it.

use std::collections::BTreeMap;

use crate::metrics::sample::Sample;

/// The metrics that are looked at; everything else of a page is passed over.
pub(super) const WANTED: &[&str] = &[
    "node_cpu_seconds_total",
    "node_disk_read_bytes_total",
    "node_disk_written_bytes_total",
    "node_filesystem_*",
    "node_load*",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemTotal_bytes",
    "node_memory_Swap*",
    "node_network_receive_bytes_total",
    "node_network_transmit_bytes_total",
    "node_time_seconds",
];

/// A filesystem.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Disk {
    pub(super) size: f64,
    pub(super) free: f64,
    pub(super) available: f64,
    pub(super) files: f64,
    pub(super) files_free: f64,
    pub(super) hangs: bool,
}

/// One look at the host. Bytes and seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reading {
    /// When it was measured, in seconds since 1970.
    pub(super) at: f64,
    /// Seconds of all processors, by mode.
    pub(super) modes: BTreeMap<String, f64>,
    /// How many processors there are.
    pub(super) processors: usize,
    /// Load averages over 1, 5 and 15 minutes.
    pub(super) load: [f64; 3],
    /// All memory, and what programs can still get.
    pub(super) memory: [f64; 2],
    /// All swap, and what is free.
    pub(super) swap: [f64; 2],
    /// Filesystems, by where they are mounted.
    pub(super) disks: BTreeMap<String, Disk>,
    /// Bytes read and written so far, of all disks.
    pub(super) requests: [f64; 2],
    /// Bytes received and sent so far, of all interfaces.
    pub(super) network: [f64; 2],
}

impl Reading {
    /// What these samples say.
    pub(super) fn of(samples: &[Sample]) -> Self {
        let mut reading = Self::default();
        for sample in samples {
            reading.add(sample);
        }
        reading
    }

    fn add(&mut self, sample: &Sample) {
        let value = sample.value;
        match &*sample.name {
            "node_time_seconds" => self.at = value,
            "node_load1" => self.load[0] = value,
            "node_load5" => self.load[1] = value,
            "node_load15" => self.load[2] = value,
            "node_memory_MemTotal_bytes" => self.memory[0] = value,
            "node_memory_MemAvailable_bytes" => self.memory[1] = value,
            "node_memory_SwapTotal_bytes" => self.swap[0] = value,
            "node_memory_SwapFree_bytes" => self.swap[1] = value,
            "node_disk_read_bytes_total" => self.requests[0] += value,
            "node_disk_written_bytes_total" => self.requests[1] += value,
            "node_network_receive_bytes_total" => self.network[0] += value,
            "node_network_transmit_bytes_total" => self.network[1] += value,
            "node_cpu_seconds_total" => {
                let mode = sample.label("mode").unwrap_or_default().to_owned();
                self.processors += usize::from(mode == "idle");
                *self.modes.entry(mode).or_default() += value;
            }
            name => {
                if let Some(field) = name.strip_prefix("node_filesystem_") {
                    self.add_disk(field, sample);
                }
            }
        }
    }

    fn add_disk(&mut self, field: &str, sample: &Sample) {
        let Some(mountpoint) = sample.label("mountpoint") else { return };
        let disk = self.disks.entry(mountpoint.to_owned()).or_default();
        match field {
            "size_bytes" => disk.size = sample.value,
            "free_bytes" => disk.free = sample.value,
            "avail_bytes" => disk.available = sample.value,
            "files" => disk.files = sample.value,
            "files_free" => disk.files_free = sample.value,
            "device_error" => disk.hangs = sample.value != 0.0,
            _ => {}
        }
    }
}
