//! The names, units and dimensions of the CloudWatch agent, so that alarms and
//! dashboards made for it go on working. An alarm is bound to the exact name
//! and set of dimensions.
//!
//! To add a metric: one line where its group is computed below.

mod view;

use std::collections::HashMap;
use std::sync::Arc;

use self::view::{Counters, Disk, Seconds, View};
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

/// The processor's modes: as node_exporter names them, and as the figure is
/// named. The last two are also part of the first two.
const MODES: [(&str, &str); 8] = [
    ("user", "cpu_usage_user"),
    ("nice", "cpu_usage_nice"),
    ("system", "cpu_usage_system"),
    ("idle", "cpu_usage_idle"),
    ("iowait", "cpu_usage_iowait"),
    ("irq", "cpu_usage_irq"),
    ("softirq", "cpu_usage_softirq"),
    ("steal", "cpu_usage_steal"),
];
const IDLE: usize = 3;
const GUESTS: [&str; 2] = ["cpu_usage_guest", "cpu_usage_guest_nice"];

/// Interfaces' counters: node_exporter's name, the figure's name and unit.
const TRAFFIC: [(&str, &str, Unit); 8] = [
    ("node_network_receive_bytes_total", "net_bytes_recv", Unit::Bytes),
    ("node_network_transmit_bytes_total", "net_bytes_sent", Unit::Bytes),
    ("node_network_receive_packets_total", "net_packets_recv", Unit::Count),
    ("node_network_transmit_packets_total", "net_packets_sent", Unit::Count),
    ("node_network_receive_errs_total", "net_err_in", Unit::Count),
    ("node_network_transmit_errs_total", "net_err_out", Unit::Count),
    ("node_network_receive_drop_total", "net_drop_in", Unit::Count),
    ("node_network_transmit_drop_total", "net_drop_out", Unit::Count),
];

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
        net(&before.traffic, &now.traffic, &mut out);
        mem(&view.memory, &mut out);
        swap(&view.memory, &mut out);
        for disk in &view.disks {
            disk.figures(&mut out);
        }
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

/// What interfaces' counters grew by. One that fell was reset, and says nothing.
fn net(
    before: &HashMap<Arc<str>, [Option<f64>; TRAFFIC.len()]>,
    now: &HashMap<Arc<str>, [Option<f64>; TRAFFIC.len()]>,
    out: &mut Vec<Figure>,
) {
    for (interface, now) in now {
        let Some(before) = before.get(interface) else { continue };
        for (place, (_, name, unit)) in TRAFFIC.into_iter().enumerate() {
            let (Some(before), Some(now)) = (before[place], now[place]) else { continue };
            if now >= before {
                let about = vec![("interface", interface.clone())];
                out.push(Figure { name, unit, about, value: now - before });
            }
        }
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
