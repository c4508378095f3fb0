//! A tick, sorted by what the figures need.

use std::collections::HashMap;
use std::sync::Arc;

use super::{MODES, TRAFFIC, UNHEALTHY};
use crate::metrics::sample::Tick;

/// Seconds of one processor: eight modes, guest, guest_nice.
pub(super) type Seconds = [f64; 10];

/// What only grows, and is compared with the tick before.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) processors: HashMap<Arc<str>, Seconds>,
    pub(super) traffic: HashMap<Arc<str>, [Option<f64>; TRAFFIC.len()]>,
}

/// A tick, sorted by what the figures need.
#[derive(Default)]
pub(super) struct View<'a> {
    pub(super) counters: Counters,
    pub(super) memory: HashMap<&'a str, f64>,
    pub(super) disks: Vec<Disk<'a>>,
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
                let found = sample.labels.iter().find(|(key, _)| *key == label);
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
            } else if let Some(place) = TRAFFIC.iter().position(|(known, ..)| *known == name) {
                let device = view.counters.traffic.entry(arc("device")).or_default();
                device[place] = Some(sample.value);
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
