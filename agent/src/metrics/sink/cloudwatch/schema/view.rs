//! A tick, sorted by what the figures need.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::UNHEALTHY;
use super::tables::{COUNTS, DEVICE_COUNTERS, MODES};
use crate::metrics::sample::{Sample, Tick};

/// Seconds of one processor: eight modes, guest, guest_nice.
pub(super) type Seconds = [f64; 10];

/// What only grows, and is compared with the tick before.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) processors: HashMap<Arc<str>, Seconds>,
    pub(super) devices: Devices,
}

/// Counters by their place in the table and by device.
pub(super) type Devices = HashMap<(usize, Arc<str>), f64>;

/// A tick, sorted by what the figures need.
#[derive(Default)]
pub(super) struct View<'a> {
    pub(super) counters: Counters,
    pub(super) memory: HashMap<&'a str, f64>,
    pub(super) disks: Vec<Disk<'a>>,
    pub(super) requests: Vec<(Arc<str>, f64)>,
    pub(super) counts: BTreeMap<&'static str, f64>,
    pub(super) services: Vec<(Arc<str>, f64)>,
    pub(super) unhealthy: Option<f64>,
}

#[derive(Default)]
pub(super) struct Disk<'a> {
    pub(super) point: Arc<str>,
    pub(super) device: Arc<str>,
    pub(super) fstype: Arc<str>,
    pub(super) values: HashMap<&'a str, f64>,
}

impl<'a> View<'a> {
    pub(super) fn of(tick: &'a Tick) -> Self {
        let mut view = Self::default();
        for sample in &tick.samples {
            let name: &str = &sample.name;
            let arc = |label: &str| {
                let found = sample.labels.iter().find(|(key, _)| **key == *label);
                found.map(|(_, value)| Arc::clone(value)).unwrap_or_default()
            };
            if let Some(key) = name.strip_prefix("node_memory_") {
                view.memory.insert(key, sample.value);
            } else if let Some(key) = name.strip_prefix("node_filesystem_") {
                let point = arc("mountpoint");
                // The samples of one filesystem follow each other.
                if view.disks.last().is_none_or(|disk| disk.point != point) {
                    let (device, fstype) = (arc("device"), arc("fstype"));
                    view.disks.push(Disk { point, device, fstype, values: HashMap::new() });
                }
                if let Some(disk) = view.disks.last_mut() {
                    disk.values.insert(key, sample.value);
                }
            } else if name == "node_cpu_seconds_total" {
                let mode = sample.label("mode").unwrap_or_default();
                if let Some(place) = MODES.iter().position(|(known, _)| *known == mode) {
                    view.processor(arc("cpu"))[place] = sample.value;
                }
            } else if name == "node_cpu_guest_seconds_total" {
                let nice = sample.label("mode") == Some("nice");
                view.processor(arc("cpu"))[MODES.len() + usize::from(nice)] = sample.value;
            } else if let Some(place) =
                DEVICE_COUNTERS.iter().position(|(known, ..)| *known == name)
            {
                view.counters.devices.insert((place, arc("device")), sample.value);
            } else if name == "node_disk_io_now" {
                view.requests.push((arc("device"), sample.value));
            } else if let Some(figure) = count(sample) {
                *view.counts.entry(figure).or_default() += sample.value;
            } else if name == "service_up" {
                view.services.push((arc("service"), sample.value));
            } else if name == UNHEALTHY {
                view.unhealthy = Some(sample.value);
            }
        }
        view
    }

    fn processor(&mut self, cpu: Arc<str>) -> &mut Seconds {
        self.counters.processors.entry(cpu).or_default()
    }
}

/// The figure to which a count of the whole host is added.
fn count(sample: &Sample) -> Option<&'static str> {
    let of = |(name, ..): &&(&str, &str, _)| *name == sample.name;
    let mut named = COUNTS.iter().filter(of);
    // Most samples have other names, and are not asked for their labels.
    let first = named.next()?;
    let state = sample.label("state").unwrap_or_default();
    std::iter::once(first).chain(named).find(|(_, of, _)| *of == state).map(|(.., figure)| *figure)
}
