//! The names, units and dimensions of the CloudWatch agent, so that alarms and
//! dashboards made for it go on working. An alarm is bound to the exact name
//! and set of dimensions.
//!
//! To add a metric: one line in `tables`, or where its group is computed below.

mod tables;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use self::tables::ON_REQUEST;
use self::tables::{DEVICE_COUNTERS, DISK, GUESTS, IDLE, MODES};
use self::view::{Counters, Devices, Disk, Seconds, View};
use crate::metrics::sample::Tick;

/// What a value counts, as CloudWatch names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// `Percent`
    Percent,
    /// `Bytes`
    Bytes,
    /// `Count`
    Count,
    /// `Milliseconds`
    Milliseconds,
    /// `None`
    None,
}

/// One value under the schema's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Such as `disk_used_percent`.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// What it is about, in the order in which the CloudWatch agent names it.
    pub about: Vec<(&'static str, Arc<str>)>,
    /// The value.
    pub value: f64,
}

/// Translates ticks. Counters become what they grew by since the tick before,
/// so the first tick yields nothing at all.
#[derive(Debug, Default)]
pub struct Translator {
    before: Option<Counters>,
}

impl Translator {
    /// The figures of a tick.
    pub fn figures(&mut self, tick: &Tick) -> Vec<Figure> {
        let view = View::of(tick);
        let mut out = Vec::new();
        let Some(before) = self.before.replace(view.counters) else { return out };
        let Some(now) = &self.before else { return out };
        cpu(&before.processors, &now.processors, &mut out);
        devices(&before.devices, &now.devices, &mut out);
        mem(&view.memory, &mut out);
        swap(&view.memory, &mut out);
        for disk in &view.disks {
            disk.figures(&mut out);
        }
        disks_at_work(&view.requests, &mut out);
        counts(&view.counts, &mut out);
        services(&view.services, view.unhealthy, &mut out);
        out
    }
}

/// Shares of all processors' time. Only processors that were there before
/// count; a mode whose counter fell counts as zero.
fn cpu(
    before: &HashMap<Arc<str>, Seconds>,
    now: &HashMap<Arc<str>, Seconds>,
    out: &mut Vec<Figure>,
) {
    let mut grown = Seconds::default();
    for (cpu, now) in now {
        let Some(before) = before.get(cpu) else { continue };
        for (sum, (now, before)) in grown.iter_mut().zip(now.iter().zip(before)) {
            *sum += (now - before).max(0.0);
        }
    }
    let (modes, guests) = grown.split_at(MODES.len());
    let total: f64 = modes.iter().sum();
    if total <= 0.0 {
        return;
    }
    let about: Arc<str> = Arc::from("cpu-total");
    let mut add = |name, seconds: f64| {
        let value = (100.0 * seconds / total).clamp(0.0, 100.0);
        out.push(Figure { name, unit: Unit::Percent, about: vec![("cpu", about.clone())], value });
    };
    add("cpu_usage_active", total - modes[IDLE]);
    for (place, ((_, name), seconds)) in MODES.iter().zip(modes).enumerate() {
        // The kernel counts a guest's time twice, the CloudWatch agent does not.
        add(name, seconds - guests.get(place).copied().unwrap_or_default());
    }
    for (name, seconds) in GUESTS.into_iter().zip(guests) {
        add(name, *seconds);
    }
}

/// What devices' counters grew by. One that fell was reset, and says nothing.
fn devices(before: &Devices, now: &Devices, out: &mut Vec<Figure>) {
    for ((place, device), now) in now {
        let Some(before) = before.get(&(*place, Arc::clone(device))) else { continue };
        let (_, name, unit, dimension) = DEVICE_COUNTERS[*place];
        if now >= before {
            // Whole bytes, packets and milliseconds, as the kernel counts them.
            let per_second = if unit == Unit::Milliseconds { 1000.0 } else { 1.0 };
            let value = ((now - before) * per_second).round();
            out.push(Figure { name, unit, about: vec![(dimension, device.clone())], value });
        }
    }
}

/// Requests at work, by disk.
fn disks_at_work(requests: &[(Arc<str>, f64)], out: &mut Vec<Figure>) {
    for (device, value) in requests {
        let about = vec![(DISK, device.clone())];
        let (name, unit) = ("diskio_iops_in_progress", Unit::Count);
        out.push(Figure { name, unit, about, value: *value });
    }
}

/// What is counted of the whole host.
fn counts(counts: &BTreeMap<&'static str, f64>, out: &mut Vec<Figure>) {
    for (name, value) in counts {
        out.push(Figure { name, unit: Unit::Count, about: vec![], value: *value });
    }
}

/// Memory, by the CloudWatch agent's formula: what can be reclaimed counts as
/// cache, and cache does not count as used.
fn mem(memory: &HashMap<&str, f64>, out: &mut Vec<Figure>) {
    let field = |key: &str| memory.get(key).copied();
    let (Some(total), Some(free)) = (field("MemTotal_bytes"), field("MemFree_bytes")) else {
        return;
    };
    let buffered = field("Buffers_bytes").unwrap_or_default();
    let reclaimable = field("SReclaimable_bytes").unwrap_or_default();
    let cached = field("Cached_bytes").unwrap_or_default() + reclaimable;
    let used = (total - free - buffered - cached).max(0.0);
    // Kernels before 3.14 do not say it themselves.
    let available = field("MemAvailable_bytes").unwrap_or(free + buffered + cached);
    let mut add = |name, unit, value| out.push(Figure { name, unit, about: vec![], value });
    add("mem_total", Unit::Bytes, total);
    add("mem_used", Unit::Bytes, used);
    add("mem_free", Unit::Bytes, free);
    add("mem_available", Unit::Bytes, available);
    add("mem_cached", Unit::Bytes, cached);
    add("mem_buffered", Unit::Bytes, buffered);
    for (name, key) in [
        ("mem_active", "Active_bytes"),
        ("mem_inactive", "Inactive_bytes"),
        ("mem_shared", "Shmem_bytes"),
    ] {
        if let Some(value) = field(key) {
            add(name, Unit::Bytes, value);
        }
    }
    if total > 0.0 {
        add("mem_used_percent", Unit::Percent, 100.0 * used / total);
        add("mem_available_percent", Unit::Percent, 100.0 * available / total);
    }
}

/// Swap space; nothing where there is none.
fn swap(memory: &HashMap<&str, f64>, out: &mut Vec<Figure>) {
    let field = |key: &str| memory.get(key).copied();
    let (Some(total), Some(free)) = (field("SwapTotal_bytes"), field("SwapFree_bytes")) else {
        return;
    };
    if total <= 0.0 {
        return;
    }
    let used = (total - free).max(0.0);
    let mut add = |name, unit, value| out.push(Figure { name, unit, about: vec![], value });
    add("swap_free", Unit::Bytes, free);
    add("swap_used", Unit::Bytes, used);
    add("swap_total", Unit::Bytes, total);
    add("swap_used_percent", Unit::Percent, 100.0 * used / total);
}

impl Disk<'_> {
    fn figures(&self, out: &mut Vec<Figure>) {
        let field = |key: &str| self.values.get(key).copied();
        let sizes = (field("size_bytes"), field("free_bytes"), field("avail_bytes"));
        // One that did not answer has no sizes.
        let (Some(total), Some(free), Some(available)) = sizes else { return };
        let device = Arc::from(self.device.replace("/dev/", ""));
        let about =
            vec![("path", self.point.clone()), ("device", device), ("fstype", self.fstype.clone())];
        let mut add =
            |name, unit, value| out.push(Figure { name, unit, about: about.clone(), value });
        let used = (total - free).max(0.0);
        add("disk_total", Unit::Bytes, total);
        add("disk_used", Unit::Bytes, used);
        add("disk_free", Unit::Bytes, free);
        // What is reserved for root is neither used nor available, as in df.
        if used + available > 0.0 {
            add("disk_used_percent", Unit::Percent, 100.0 * used / (used + available));
        }
        if let (Some(inodes), Some(free)) = (field("files"), field("files_free"))
            && inodes > 0.0
        {
            add("disk_inodes_total", Unit::Count, inodes);
            add("disk_inodes_used", Unit::Count, (inodes - free).max(0.0));
            add("disk_inodes_free", Unit::Count, free);
        }
    }
}

/// The services, as far as the health checks say anything about them.
fn services(services: &[(Arc<str>, f64)], unhealthy: Option<f64>, out: &mut Vec<Figure>) {
    if let Some(value) = unhealthy {
        out.push(Figure { name: UNHEALTHY, unit: Unit::Count, about: vec![], value });
    }
    for (service, up) in services {
        let about = vec![("service", service.clone())];
        out.push(Figure { name: "service_up", unit: Unit::None, about, value: *up });
    }
}

/// How many services are not healthy, under the name that it has everywhere. It
/// appears later than the rest, when there is a verdict on every service.
pub const UNHEALTHY: &str = "services_unhealthy";

#[cfg(test)]
mod tests;
