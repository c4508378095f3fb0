//! gild's own names: short, and with as few dimensions as tell metrics apart, because each
//! combination costs money every month. Disks are told by where they are mounted, not by their
//! device, whose name changes from boot to boot. What grows is sent as what it grew by.

use std::sync::Arc;

use super::super::include::ALL_CORES;
use super::page::Page;
use super::shared::{self, Memory, SERVICES, Space};
use super::tables::{MODES, OfDevice, column};
use super::view::{Disk, Step, View};
use super::{Schema, Unit};

pub(super) const SCHEMA: Schema = Schema {
    dimensions: &[("InstanceId", "{instance_id}")],
    include: &[
        "cpu_active",
        "mem_used_percent",
        "disk_used_percent",
        "swap_used_percent",
        "services_unhealthy",
    ],
    on_request: &[],
    cores: false,
    units: true,
    host_first: false,
    names: &[
        &USAGE,
        column!(DEVICES.1),
        column!(PRESSURE.1),
        column!(GROWTH.1),
        column!(GAUGES.1),
        column!(PARTS.2),
        &SERVICES,
        &OTHERS,
    ],
    figures,
};

/// Shares of processors' time by mode, guest, guest_nice, and all but idle.
const USAGE: [&str; MODES.len() + 3] = [
    "cpu_user",
    "cpu_nice",
    "cpu_system",
    "cpu_idle",
    "cpu_iowait",
    "cpu_irq",
    "cpu_softirq",
    "cpu_steal",
    "cpu_guest",
    "cpu_guest_nice",
    "cpu_active",
];

const INTERFACE: &str = "interface";
const VOLUME: &str = "volume";

/// Interfaces and disks.
const DEVICES: [OfDevice; 13] = [
    ("node_network_receive_bytes_total", "net_in_bytes", Unit::Bytes, INTERFACE),
    ("node_network_transmit_bytes_total", "net_out_bytes", Unit::Bytes, INTERFACE),
    ("node_network_receive_packets_total", "net_in_packets", Unit::Count, INTERFACE),
    ("node_network_transmit_packets_total", "net_out_packets", Unit::Count, INTERFACE),
    ("node_network_receive_errs_total", "net_in_errors", Unit::Count, INTERFACE),
    ("node_network_transmit_errs_total", "net_out_errors", Unit::Count, INTERFACE),
    ("node_network_receive_drop_total", "net_in_drops", Unit::Count, INTERFACE),
    ("node_network_transmit_drop_total", "net_out_drops", Unit::Count, INTERFACE),
    ("node_disk_reads_completed_total", "io_reads", Unit::Count, VOLUME),
    ("node_disk_writes_completed_total", "io_writes", Unit::Count, VOLUME),
    ("node_disk_read_bytes_total", "io_read_bytes", Unit::Bytes, VOLUME),
    ("node_disk_written_bytes_total", "io_write_bytes", Unit::Bytes, VOLUME),
    (BUSY, "io_busy_percent", Unit::Percent, VOLUME),
];

/// Counted in seconds, and sent as a share of those that went by.
const BUSY: &str = "node_disk_io_time_seconds_total";

/// Seconds in which tasks waited, sent as a share of those that went by.
const PRESSURE: [(&str, &str); 3] = [
    ("node_pressure_cpu_waiting_seconds_total", "pressure_cpu"),
    ("node_pressure_io_waiting_seconds_total", "pressure_io"),
    ("node_pressure_memory_waiting_seconds_total", "pressure_memory"),
];

/// Counters of the whole host.
const GROWTH: [(&str, &str); 5] = [
    ("node_vmstat_oom_kill", "oom_kills"),
    ("node_vmstat_pgmajfault", "page_faults"),
    ("node_netstat_Tcp_RetransSegs", "tcp_retransmits"),
    ("node_netstat_TcpExt_ListenDrops", "tcp_listen_drops"),
    ("node_forks_total", "forks"),
];

/// Gauges of the whole host.
const GAUGES: [(&str, &str, Unit); 7] = [
    ("node_load1", "load1", Unit::None),
    ("node_load5", "load5", Unit::None),
    ("node_load15", "load15", Unit::None),
    ("node_netstat_Tcp_CurrEstab", "tcp_established", Unit::Count),
    ("node_sockstat_TCP_tw", "tcp_time_wait", Unit::Count),
    ("node_processes_pids", "processes", Unit::Count),
    ("node_processes_threads", "threads", Unit::Count),
];

/// Parts of a whole.
const PARTS: [(&str, &str, &str); 2] = [
    ("node_filefd_allocated", "node_filefd_maximum", "files_used_percent"),
    ("node_nf_conntrack_entries", "node_nf_conntrack_entries_limit", "conntrack_used_percent"),
];

/// The figures that no table names.
const OTHERS: [&str; 10] = [
    "mem_total",
    "mem_available",
    "mem_used_percent",
    "swap_total",
    "swap_used_percent",
    "disk_total",
    "disk_available",
    "disk_used_percent",
    "disk_inodes_used_percent",
    "disk_readonly",
];

fn figures(step: &Step, page: &mut Page) {
    for (cpu, shares) in shared::shares(step, page) {
        let about = [("cpu", cpu)];
        // All together need no dimension to say so.
        let about = if &*about[0].1 == ALL_CORES { &[][..] } else { &about[..] };
        for (name, share) in USAGE.into_iter().zip(shares) {
            page.add(name, Unit::Percent, about, share);
        }
    }
    mem(step.view, page);
    for disk in &step.view.disks {
        of_disk(disk, page);
    }
    of_devices(step, page);
    host(step, page);
    shared::services(step.view, page);
}

fn mem(view: &View, page: &mut Page) {
    if let Some(memory) = Memory::of(view) {
        let used = (memory.total - memory.available).max(0.0);
        page.plain("mem_total", Unit::Bytes, memory.total);
        page.plain("mem_available", Unit::Bytes, memory.available);
        page.plain("mem_used_percent", Unit::Percent, memory.percent(used));
    }
    if let Some((total, used)) = shared::swap(view).filter(|(total, _)| *total > 0.0) {
        page.plain("swap_total", Unit::Bytes, total);
        page.plain("swap_used_percent", Unit::Percent, shared::percent(used, total));
    }
}

fn of_disk(disk: &Disk, page: &mut Page) {
    let Some(space) = Space::of(disk) else { return };
    let about = [("path", Arc::clone(&disk.point))];
    let mut add = |name, unit, value| page.add(name, unit, &about, value);
    add("disk_total", Unit::Bytes, space.total);
    add("disk_available", Unit::Bytes, space.available);
    if space.used + space.available > 0.0 {
        add("disk_used_percent", Unit::Percent, space.used_percent());
    }
    if space.inodes.0 > 0.0 {
        add("disk_inodes_used_percent", Unit::Percent, space.inodes_used_percent());
    }
    if let Some(read_only) = disk.value("readonly") {
        add("disk_readonly", Unit::None, read_only);
    }
}

/// Interfaces by their names, and disks by their EBS volumes; one that has none by its device.
fn of_devices(step: &Step, page: &mut Page) {
    for key in step.now.devices.keys() {
        let Some(found) = DEVICES.iter().find(|(source, ..)| *source == key.0) else { continue };
        let (source, name, unit, dimension) = *found;
        let Some(grown) = step.grown_of(key) else { continue };
        let volume = step.view.volume(&key.1).filter(|_| dimension == VOLUME);
        let about = [(dimension, Arc::clone(volume.unwrap_or(&key.1)))];
        if source != BUSY {
            page.add(name, unit, &about, grown);
        } else if step.seconds() > 0.0 {
            page.add(name, unit, &about, share(grown, step));
        }
    }
}

/// What is known of the whole host.
fn host(step: &Step, page: &mut Page) {
    for (source, name, unit) in GAUGES {
        if let Some(value) = step.view.plain(source) {
            page.plain(name, unit, value);
        }
    }
    for (source, name) in GROWTH {
        if let Some(grown) = step.grown(source) {
            page.plain(name, Unit::Count, grown);
        }
    }
    for (source, name) in PRESSURE {
        if let Some(grown) = step.grown(source).filter(|_| step.seconds() > 0.0) {
            page.plain(name, Unit::Percent, share(grown, step));
        }
    }
    for (part, whole, name) in PARTS {
        if let (Some(part), Some(whole)) = (step.view.plain(part), step.view.plain(whole)) {
            page.plain(name, Unit::Percent, shared::percent(part, whole));
        }
    }
}

/// Seconds as a share of the time that went by, in percent. The clocks that both are read from
/// differ a little.
fn share(seconds: f64, step: &Step) -> f64 {
    (100.0 * seconds / step.seconds()).clamp(0.0, 100.0)
}
