//! A tick, sorted by what the figures need, in node_exporter's names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::UNHEALTHY;
use super::tables::MODES;
use crate::metrics::sample::{Kind, Sample, Tick};

/// Seconds of one processor: eight modes, guest, guest_nice.
pub(super) type Seconds = [f64; 10];

/// Values by their name and device.
pub(super) type Devices = HashMap<(Cow<'static, str>, Arc<str>), f64>;

/// What is compared with the tick before.
#[derive(Debug)]
pub(super) struct Counters {
    pub(super) at: Instant,
    pub(super) processors: HashMap<Arc<str>, Seconds>,
    pub(super) devices: Devices,
    /// Counters without labels.
    pub(super) totals: HashMap<Cow<'static, str>, f64>,
}

/// The time between two ticks.
pub(super) struct Step<'a> {
    pub(super) before: &'a Counters,
    pub(super) now: &'a Counters,
    pub(super) view: &'a View<'a>,
}

/// A tick, sorted by what the figures need.
#[derive(Default)]
pub(super) struct View<'a> {
    /// What has no labels.
    plain: HashMap<&'a str, f64>,
    pub(super) states: HashMap<&'a str, f64>,
    pub(super) disks: Vec<Disk<'a>>,
    pub(super) services: Vec<(Arc<str>, f64)>,
    volumes: HashMap<Arc<str>, Arc<str>>,
}

#[derive(Default)]
pub(super) struct Disk<'a> {
    pub(super) point: Arc<str>,
    /// Its name below `/dev`.
    pub(super) device: Arc<str>,
    pub(super) fstype: Arc<str>,
    values: HashMap<&'a str, f64>,
}

impl Disk<'_> {
    /// Such as `size_bytes`.
    pub(super) fn value(&self, key: &str) -> Option<f64> {
        self.values.get(key).copied()
    }
}

impl<'a> View<'a> {
    /// What the figures need of a tick, and what they will need of it at the next.
    pub(super) fn of(tick: &'a Tick) -> (Self, Counters) {
        let mut view = Self::default();
        let mut counters = Counters {
            at: tick.steady,
            processors: HashMap::new(),
            devices: HashMap::new(),
            totals: HashMap::new(),
        };
        for sample in &tick.samples {
            let name: &str = &sample.name;
            let of_host = name.starts_with("node_");
            if sample.labels.is_empty() && (of_host || name == UNHEALTHY) {
                view.plain.insert(name, sample.value);
                if sample.kind == Kind::Counter {
                    counters.totals.insert(sample.name.clone(), sample.value);
                }
            } else if let Some(key) = name.strip_prefix("node_filesystem_") {
                view.filesystem(key, sample);
            } else if let Some(kind) = name.strip_prefix("node_cpu_") {
                let mode = sample.label("mode").unwrap_or_default();
                let place = match kind {
                    "seconds_total" => MODES.iter().position(|known| *known == mode),
                    "guest_seconds_total" => Some(MODES.len() + usize::from(mode == "nice")),
                    _ => None,
                };
                if let Some(place) = place {
                    let cpu = arc(sample, "cpu");
                    counters.processors.entry(cpu).or_default()[place] = sample.value;
                }
            } else if name == "node_disk_info" {
                view.volumes.insert(arc(sample, "device"), arc(sample, "volume_id"));
            } else if name.starts_with("node_disk_") || name.starts_with("node_network_") {
                counters.devices.insert((sample.name.clone(), arc(sample, "device")), sample.value);
            } else if name == "node_processes_state" {
                view.states.insert(sample.label("state").unwrap_or_default(), sample.value);
            } else if name == "service_up" {
                view.services.push((arc(sample, "service"), sample.value));
            }
        }
        (view, counters)
    }

    fn filesystem(&mut self, key: &'a str, sample: &'a Sample) {
        let point = sample.label("mountpoint").unwrap_or_default();
        // The samples of one filesystem follow each other.
        if self.disks.last().is_none_or(|disk| *disk.point != *point) {
            let device = sample.label("device").unwrap_or_default().replace("/dev/", "");
            self.disks.push(Disk {
                point: arc(sample, "mountpoint"),
                device: Arc::from(device),
                fstype: arc(sample, "fstype"),
                values: HashMap::new(),
            });
        }
        if let Some(disk) = self.disks.last_mut() {
            disk.values.insert(key, sample.value);
        }
    }

    /// A value that has no labels.
    pub(super) fn plain(&self, name: &str) -> Option<f64> {
        self.plain.get(name).copied()
    }

    /// A field of the kernel's account of memory, such as `MemTotal_bytes`.
    pub(super) fn memory(&self, key: &str) -> Option<f64> {
        const PREFIX: &str = "node_memory_";
        let mut name = String::with_capacity(PREFIX.len() + key.len());
        name.push_str(PREFIX);
        name.push_str(key);
        self.plain(&name)
    }

    /// The EBS volume behind a disk or one of its partitions.
    pub(super) fn volume(&self, device: &str) -> Option<&Arc<str>> {
        let whole = |(disk, _): &(&Arc<str>, &Arc<str>)| {
            let rest = device.strip_prefix(&***disk);
            rest.is_some_and(|rest| rest.is_empty() || is_partition(rest))
        };
        let (_, volume) = self.volumes.iter().find(whole)?;
        Some(volume).filter(|volume| !volume.is_empty())
    }
}

/// Whether what follows the name of a disk makes it the name of a partition of it.
fn is_partition(rest: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    rest.strip_prefix('p').is_some_and(digits)
}

impl Step<'_> {
    /// How many seconds went by.
    pub(super) fn seconds(&self) -> f64 {
        self.now.at.saturating_duration_since(self.before.at).as_secs_f64()
    }

    /// What a counter without labels grew by. One that fell was reset, and says nothing.
    pub(super) fn grown(&self, name: &str) -> Option<f64> {
        let (before, now) = (self.before.totals.get(name)?, self.now.totals.get(name)?);
        (now >= before).then_some(now - before)
    }

    /// What a device's counter grew by.
    pub(super) fn grown_of(&self, key: &(Cow<'static, str>, Arc<str>)) -> Option<f64> {
        let (before, now) = (self.before.devices.get(key)?, self.now.devices.get(key)?);
        (now >= before).then_some(now - before)
    }
}

/// The value of a label; empty where there is none.
fn arc(sample: &Sample, label: &str) -> Arc<str> {
    let found = sample.labels.iter().find(|(key, _)| &**key == label);
    found.map(|(_, value)| Arc::clone(value)).unwrap_or_default()
}
