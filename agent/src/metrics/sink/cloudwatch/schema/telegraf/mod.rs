//! The names and dimensions of telegraf's CloudWatch output: `measurement_field`, tags as
//! dimensions, no units, and counters as the kernel has them. Fields that telegraf has on every
//! Linux, though they are always 0, are sent as well: they are there to be left out by `include`.

mod tables;

use std::sync::Arc;

use self::tables::{GAUGES, MEMORY, MORE_OF_DISKS, NEVER, PROTOCOLS, TIME, TOTALS};
use super::page::Page;
use super::shared::{self, Memory, SERVICES, Space};
use super::tables::{COUNTS, DEVICES, DISK, INTERFACE, STATES, USAGE, column};
use super::view::{Disk, Seconds, Step, View};
use super::{Schema, Unit};
use crate::metrics::sink::cloudwatch::include::ALL_CORES;

pub(super) const SCHEMA: Schema = Schema {
    dimensions: &[("host", "{kernel_hostname}")],
    include: &[
        "cpu_usage_idle{cpu=cpu-total}",
        "mem_used_percent",
        "disk_used_percent",
        "swap_used_percent",
        "services_unhealthy",
    ],
    // `report_active` and `collect_cpu_time` are off in telegraf.
    on_request: &["cpu_usage_active", "cpu_time"],
    cores: true,
    units: false,
    host_first: true,
    names: &[
        &USAGE,
        &TIME,
        column!(DEVICES.1),
        column!(MORE_OF_DISKS.1),
        column!(MEMORY.0),
        column!(TOTALS.1),
        column!(PROTOCOLS.1),
        column!(GAUGES.1),
        column!(COUNTS.1),
        column!(STATES.1),
        &NEVER,
        &SERVICES,
        &OTHERS,
    ],
    figures,
};

/// The figures that no table names.
const OTHERS: [&str; 25] = [
    "diskio_io_await",
    "diskio_io_svctm",
    "diskio_io_util",
    "mem_total",
    "mem_used",
    "mem_available",
    "mem_cached",
    "mem_used_percent",
    "mem_available_percent",
    "swap_free",
    "swap_used",
    "swap_total",
    "swap_used_percent",
    "swap_in",
    "swap_out",
    "disk_total",
    "disk_used",
    "disk_free",
    "disk_used_percent",
    "disk_inodes_total",
    "disk_inodes_used",
    "disk_inodes_free",
    "disk_inodes_used_percent",
    "system_n_cpus",
    "system_uptime",
];

fn figures(step: &Step, page: &mut Page) {
    cpu(step, page);
    shared::devices(step, page, &DEVICES, |page, (_, name, unit, _), about, now, _| {
        page.total(name, *unit, about, now);
    });
    shared::devices(step, page, &MORE_OF_DISKS, |page, (_, name, unit, _), about, now, _| {
        page.total(name, *unit, about, now);
    });
    work_of_disks(step, page);
    mem(step.view, page);
    swap(step.view, page);
    for disk in &step.view.disks {
        of_disk(disk, step, page);
    }
    let all = [(INTERFACE, Arc::from("all"))];
    for (about, table) in [(&[][..], &TOTALS[..]), (&all[..], &PROTOCOLS[..])] {
        for (source, name) in table {
            if let Some(value) = step.view.plain(source) {
                page.total(name, Unit::Count, about, value);
            }
        }
    }
    system(step, page);
    shared::counts(step.view, page);
    if !step.view.states.is_empty() {
        NEVER.into_iter().for_each(|name| page.plain(name, Unit::Count, 0.0));
    }
    shared::services(step.view, page);
}

fn cpu(step: &Step, page: &mut Page) {
    for (cpu, shares) in shared::shares(step, page) {
        let about = [("cpu", cpu)];
        for (name, share) in USAGE.into_iter().zip(shares) {
            page.add(name, Unit::Percent, &about, share);
        }
    }
    let mut all = Seconds::default();
    for (cpu, seconds) in &step.now.processors {
        shared::add_up(&mut all, seconds);
        if page.wants_cores() {
            time(shared::core(cpu), seconds, page);
        }
    }
    time(Arc::from(ALL_CORES), &all, page);
}

fn time(cpu: Arc<str>, seconds: &Seconds, page: &mut Page) {
    let (_, active) = shared::total_and_active(seconds);
    let about = [("cpu", cpu)];
    for (name, value) in TIME.into_iter().zip(seconds.iter().copied().chain([active])) {
        page.total(name, Unit::Seconds, &about, value);
    }
}

/// How long a disk's requests took and how busy it was, since the tick before. Nothing where one
/// of its counters fell.
fn work_of_disks(step: &Step, page: &mut Page) {
    const PER_SECOND: f64 = 1000.0;
    for (device, grown) in shared::grown_by_device(step, "node_disk_") {
        let [reads, writes, reading, writing, working] = [
            "node_disk_reads_completed_total",
            "node_disk_writes_completed_total",
            "node_disk_read_time_seconds_total",
            "node_disk_write_time_seconds_total",
            "node_disk_io_time_seconds_total",
        ]
        .map(|source| grown.get(source).copied());
        let (Some(reads), Some(writes)) = (reads, writes) else { continue };
        let (Some(reading), Some(writing), Some(working)) = (reading, writing, working) else {
            continue;
        };
        let about = [(DISK, Arc::clone(device))];
        let requests = reads + writes;
        if requests > 0.0 {
            let wait = PER_SECOND * (reading + writing) / requests;
            page.add("diskio_io_await", Unit::Milliseconds, &about, wait);
            let service = PER_SECOND * working / requests;
            page.add("diskio_io_svctm", Unit::Milliseconds, &about, service);
        }
        if step.seconds() > 0.0 {
            page.add("diskio_io_util", Unit::Percent, &about, 100.0 * working / step.seconds());
        }
    }
}

/// Memory: what is not available is used, since telegraf 1.36.
fn mem(view: &View, page: &mut Page) {
    let Some(memory) = Memory::of(view) else { return };
    let Memory { total, cached, available, .. } = memory;
    let used = (total - available).max(0.0);
    page.plain("mem_total", Unit::Bytes, total);
    page.plain("mem_used", Unit::Bytes, used);
    page.plain("mem_available", Unit::Bytes, available);
    page.plain("mem_cached", Unit::Bytes, cached);
    for (name, key) in MEMORY {
        page.plain(name, Unit::Bytes, view.memory(key).unwrap_or_default());
    }
    page.plain("mem_used_percent", Unit::Percent, memory.percent(used));
    page.plain("mem_available_percent", Unit::Percent, memory.percent(available));
}

/// Swap space, also where there is none, and swapping in pages of 4 KiB.
fn swap(view: &View, page: &mut Page) {
    const PAGE: f64 = 4096.0;
    let Some((total, used)) = shared::swap(view) else { return };
    page.plain("swap_free", Unit::Bytes, total - used);
    page.plain("swap_used", Unit::Bytes, used);
    page.plain("swap_total", Unit::Bytes, total);
    page.plain("swap_used_percent", Unit::Percent, shared::percent(used, total));
    for (source, name) in [("node_vmstat_pswpin", "swap_in"), ("node_vmstat_pswpout", "swap_out")] {
        if let Some(pages) = view.plain(source) {
            page.total(name, Unit::Bytes, &[], pages * PAGE);
        }
    }
}

/// A filesystem, also one that counts no inodes.
fn of_disk(disk: &Disk, step: &Step, page: &mut Page) {
    let Some(space) = Space::of(disk).filter(|space| space.total > 0.0) else { return };
    let read_only = disk.value("readonly").is_some_and(|value| value > 0.0);
    let mut about = vec![
        ("device", Arc::clone(&disk.device)),
        ("fstype", Arc::clone(&disk.fstype)),
        ("mode", Arc::from(if read_only { "ro" } else { "rw" })),
        ("path", Arc::clone(&disk.point)),
    ];
    about.extend(shared::volume(step, page, disk));
    let mut add = |name, unit, value| page.add(name, unit, &about, value);
    add("disk_total", Unit::Bytes, space.total);
    add("disk_used", Unit::Bytes, space.used);
    add("disk_free", Unit::Bytes, space.available);
    add("disk_used_percent", Unit::Percent, space.used_percent());
    add("disk_inodes_total", Unit::Count, space.inodes.0);
    add("disk_inodes_used", Unit::Count, space.inodes_used());
    add("disk_inodes_free", Unit::Count, space.inodes.1);
    add("disk_inodes_used_percent", Unit::Percent, space.inodes_used_percent());
}

fn system(step: &Step, page: &mut Page) {
    for (source, name) in GAUGES {
        if let Some(value) = step.view.plain(source) {
            page.plain(name, Unit::None, value);
        }
    }
    if !step.now.processors.is_empty() {
        page.plain("system_n_cpus", Unit::Count, step.now.processors.len() as f64);
    }
    let times = ["node_time_seconds", "node_boot_time_seconds"].map(|name| step.view.plain(name));
    if let [Some(now), Some(boot)] = times {
        page.plain("system_uptime", Unit::Seconds, (now - boot).max(0.0).floor());
    }
}
