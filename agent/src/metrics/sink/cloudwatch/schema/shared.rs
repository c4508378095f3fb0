//! What several schemas compute in the same way.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::include::ALL_CORES;
use super::page::{Page, VOLUME};
use super::tables::{COUNTS, IDLE, IN_PROGRESS, MODES, OfDevice, STATES};
use super::view::{Disk, Seconds, Step, View};
use super::{UNHEALTHY, Unit};

/// Percentages: by mode, guest, guest_nice, and all but idle.
pub(super) type Shares = [f64; 11];

/// Shares of the time of all processors together, then of each where they are asked for. Only
/// processors that were there before count; a mode whose counter fell counts as zero.
pub(super) fn shares(step: &Step, page: &Page) -> Vec<(Arc<str>, Shares)> {
    let mut all = Seconds::default();
    let mut each = Vec::new();
    for (cpu, now) in &step.now.processors {
        let Some(before) = step.before.processors.get(cpu) else { continue };
        let grown: Seconds = std::array::from_fn(|mode| (now[mode] - before[mode]).max(0.0));
        add_up(&mut all, &grown);
        if page.wants_cores() {
            each.extend(of_seconds(&grown).map(|shares| (core(cpu), shares)));
        }
    }
    each.extend(of_seconds(&all).map(|shares| (Arc::from(ALL_CORES), shares)));
    each
}

/// The name of a processor.
pub(super) fn core(cpu: &str) -> Arc<str> {
    Arc::from(["cpu", cpu].concat())
}

/// Adds the seconds of one processor to those of others.
pub(super) fn add_up(sums: &mut Seconds, seconds: &Seconds) {
    sums.iter_mut().zip(seconds).for_each(|(sum, seconds)| *sum += seconds);
}

/// All seconds but those of a guest, which the kernel counts twice, and all but idle.
pub(super) fn total_and_active(seconds: &Seconds) -> (f64, f64) {
    let total = seconds[..MODES.len()].iter().sum::<f64>();
    (total, total - seconds[IDLE])
}

fn of_seconds(seconds: &Seconds) -> Option<Shares> {
    let (total, active) = total_and_active(seconds);
    let guests = &seconds[MODES.len()..];
    let share = |place: usize| match place {
        10 => active,
        // A guest's time is that of user and nice as well; it counts once.
        0 | 1 => seconds[place] - guests[place],
        _ => seconds[place],
    };
    let percent = |place| (100.0 * share(place) / total).clamp(0.0, 100.0);
    (total > 0.0).then(|| std::array::from_fn(percent))
}

/// Writes the values of devices that a table names: counters as what `of` makes of their value
/// now and what they grew by, if that is known.
pub(super) fn devices(
    step: &Step,
    page: &mut Page,
    table: &[OfDevice],
    write: impl Fn(&mut Page, &OfDevice, &[(&'static str, Arc<str>)], f64, Option<f64>),
) {
    for (key, now) in &step.now.devices {
        let Some(found) = table.iter().find(|(source, ..)| *source == key.0) else { continue };
        let (source, name, unit, dimension) = *found;
        let about = [(dimension, Arc::clone(&key.1))];
        if source == IN_PROGRESS {
            page.add(name, unit, &about, *now);
            continue;
        }
        // Whole bytes, packets and milliseconds, as the kernel counts them.
        let factor = if unit == Unit::Milliseconds { 1000.0 } else { 1.0 };
        let grown = step.grown_of(key).map(|grown| (grown * factor).round());
        write(page, found, &about, (now * factor).round(), grown);
    }
}

/// Writes what is counted of the whole host.
pub(super) fn counts(view: &View, page: &mut Page) {
    sums(&COUNTS, |name| view.plain(name), page);
    sums(&STATES, |state| view.states.get(state).copied(), page);
}

fn sums(table: &[(&str, &'static str)], value: impl Fn(&str) -> Option<f64>, page: &mut Page) {
    for group in table.chunk_by(|(_, one), (_, next)| one == next) {
        let known: Vec<f64> = group.iter().filter_map(|(source, _)| value(source)).collect();
        if let Some((_, figure)) = group.first().filter(|_| !known.is_empty()) {
            page.plain(figure, Unit::Count, known.iter().sum());
        }
    }
}

/// The kernel's account of memory, as far as all formulas need it. What can be reclaimed counts
/// as cache.
pub(super) struct Memory {
    pub(super) total: f64,
    pub(super) free: f64,
    pub(super) buffered: f64,
    pub(super) cached: f64,
    pub(super) available: f64,
}

impl Memory {
    pub(super) fn of(view: &View) -> Option<Self> {
        let (total, free) = (view.memory("MemTotal_bytes")?, view.memory("MemFree_bytes")?);
        let field = |key| view.memory(key).unwrap_or_default();
        let buffered = field("Buffers_bytes");
        let cached = field("Cached_bytes") + field("SReclaimable_bytes");
        // Kernels before 3.14 do not say it themselves.
        let available = view.memory("MemAvailable_bytes").unwrap_or(free + buffered + cached);
        (total > 0.0).then_some(Self { total, free, buffered, cached, available })
    }

    /// A part of all memory, in percent.
    pub(super) fn percent(&self, part: f64) -> f64 {
        100.0 * part / self.total
    }
}

/// Swap space and how much of it is used.
pub(super) fn swap(view: &View) -> Option<(f64, f64)> {
    let (total, free) = (view.memory("SwapTotal_bytes")?, view.memory("SwapFree_bytes")?);
    Some((total, (total - free).max(0.0)))
}

/// Space of a filesystem, as df has it: what is reserved for root is neither used nor available.
pub(super) struct Space {
    pub(super) total: f64,
    pub(super) used: f64,
    pub(super) available: f64,
    /// How many inodes there are, and how many of them are free.
    pub(super) inodes: (f64, f64),
}

impl Space {
    /// Nothing where the filesystem did not answer.
    pub(super) fn of(disk: &Disk) -> Option<Self> {
        let (total, free) = (disk.value("size_bytes")?, disk.value("free_bytes")?);
        let inodes = |key| disk.value(key).unwrap_or_default();
        Some(Self {
            total,
            used: (total - free).max(0.0),
            available: disk.value("avail_bytes")?,
            inodes: (inodes("files"), inodes("files_free")),
        })
    }

    pub(super) fn used_percent(&self) -> f64 {
        percent(self.used, self.used + self.available)
    }

    pub(super) fn inodes_used(&self) -> f64 {
        (self.inodes.0 - self.inodes.1).max(0.0)
    }

    pub(super) fn inodes_used_percent(&self) -> f64 {
        percent(self.inodes_used(), self.inodes.0)
    }
}

/// A part of something that may be nothing.
pub(super) fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { 100.0 * part / whole } else { 0.0 }
}

/// The EBS volume of a disk, where disks are told by it.
pub(super) fn volume(step: &Step, page: &Page, disk: &Disk) -> Option<(&'static str, Arc<str>)> {
    let volume = step.view.volume(&disk.device).filter(|_| page.volumes)?;
    Some((VOLUME, Arc::clone(volume)))
}

/// The figures of services.
pub(super) const SERVICES: [&str; 2] = [UNHEALTHY, "service_up"];

/// Writes the services, as far as the health checks say anything about them.
pub(super) fn services(view: &View, page: &mut Page) {
    if let Some(value) = view.plain(UNHEALTHY) {
        page.plain(UNHEALTHY, Unit::Count, value);
    }
    for (service, up) in &view.services {
        page.add("service_up", Unit::None, &[("service", Arc::clone(service))], *up);
    }
}

/// The devices of a step, each once, with what its counters grew by.
pub(super) fn grown_by_device<'a>(
    step: &'a Step,
    prefix: &str,
) -> HashMap<&'a Arc<str>, HashMap<&'a str, f64>> {
    let mut devices: HashMap<_, HashMap<_, _>> = HashMap::new();
    for key in step.now.devices.keys().filter(|(name, _)| name.starts_with(prefix)) {
        if let Some(grown) = step.grown_of(key) {
            devices.entry(&key.1).or_default().insert(&*key.0, grown);
        }
    }
    devices
}
