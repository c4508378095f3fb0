//! The names, units and dimensions of the CloudWatch agent. Counters of interfaces and disks are
//! what they grew by since the tick before.

use std::sync::Arc;

use super::page::Page;
use super::shared::{self, Memory, SERVICES, Space};
use super::tables::{COUNTS, DEVICES, STATES, USAGE, column};
use super::view::{Disk, Step, View};
use super::{Schema, Unit};

pub(super) const SCHEMA: Schema = Schema {
    dimensions: &[("InstanceId", "{instance_id}")],
    include: &[
        "cpu_usage_active",
        "mem_used_percent",
        "disk_used_percent",
        "swap_used_percent",
        "services_unhealthy",
    ],
    // Who asked for `*` before gild measured these did not ask to pay for them.
    on_request: &["diskio", "netstat", "processes"],
    cores: false,
    units: true,
    host_first: false,
    names: &[&USAGE, column!(DEVICES.1), column!(COUNTS.1), column!(STATES.1), &SERVICES, &OTHERS],
    figures,
};

/// The figures that no table names.
const OTHERS: [&str; 22] = [
    "mem_total",
    "mem_used",
    "mem_free",
    "mem_available",
    "mem_cached",
    "mem_buffered",
    "mem_active",
    "mem_inactive",
    "mem_shared",
    "mem_used_percent",
    "mem_available_percent",
    "swap_free",
    "swap_used",
    "swap_total",
    "swap_used_percent",
    "disk_total",
    "disk_used",
    "disk_free",
    "disk_used_percent",
    "disk_inodes_total",
    "disk_inodes_used",
    "disk_inodes_free",
];

fn figures(step: &Step, page: &mut Page) {
    for (cpu, shares) in shared::shares(step, page) {
        let about = [("cpu", cpu)];
        for (name, share) in USAGE.into_iter().zip(shares) {
            page.add(name, Unit::Percent, &about, share);
        }
    }
    shared::devices(step, page, &DEVICES, |page, (_, name, unit, _), about, _, grown| {
        if let Some(grown) = grown {
            page.add(name, *unit, about, grown);
        }
    });
    mem(step.view, page);
    swap(step.view, page);
    for disk in &step.view.disks {
        of_disk(disk, step, page);
    }
    shared::counts(step.view, page);
    shared::services(step.view, page);
}

/// Memory: cache does not count as used.
fn mem(view: &View, page: &mut Page) {
    let Some(memory) = Memory::of(view) else { return };
    let Memory { total, free, buffered, cached, available } = memory;
    let used = (total - free - buffered - cached).max(0.0);
    page.plain("mem_total", Unit::Bytes, total);
    page.plain("mem_used", Unit::Bytes, used);
    page.plain("mem_free", Unit::Bytes, free);
    page.plain("mem_available", Unit::Bytes, available);
    page.plain("mem_cached", Unit::Bytes, cached);
    page.plain("mem_buffered", Unit::Bytes, buffered);
    for (name, key) in [
        ("mem_active", "Active_bytes"),
        ("mem_inactive", "Inactive_bytes"),
        ("mem_shared", "Shmem_bytes"),
    ] {
        if let Some(value) = view.memory(key) {
            page.plain(name, Unit::Bytes, value);
        }
    }
    page.plain("mem_used_percent", Unit::Percent, memory.percent(used));
    page.plain("mem_available_percent", Unit::Percent, memory.percent(available));
}

/// Swap space; nothing where there is none.
fn swap(view: &View, page: &mut Page) {
    let Some((total, used)) = shared::swap(view).filter(|(total, _)| *total > 0.0) else { return };
    page.plain("swap_free", Unit::Bytes, total - used);
    page.plain("swap_used", Unit::Bytes, used);
    page.plain("swap_total", Unit::Bytes, total);
    page.plain("swap_used_percent", Unit::Percent, 100.0 * used / total);
}

fn of_disk(disk: &Disk, step: &Step, page: &mut Page) {
    let Some(space) = Space::of(disk) else { return };
    let mut about = vec![
        ("path", Arc::clone(&disk.point)),
        ("device", Arc::clone(&disk.device)),
        ("fstype", Arc::clone(&disk.fstype)),
    ];
    about.extend(shared::volume(step, page, disk));
    let mut add = |name, unit, value| page.add(name, unit, &about, value);
    add("disk_total", Unit::Bytes, space.total);
    add("disk_used", Unit::Bytes, space.used);
    add("disk_free", Unit::Bytes, space.available);
    if space.used + space.available > 0.0 {
        add("disk_used_percent", Unit::Percent, space.used_percent());
    }
    if space.inodes.0 > 0.0 {
        add("disk_inodes_total", Unit::Count, space.inodes.0);
        add("disk_inodes_used", Unit::Count, space.inodes_used());
        add("disk_inodes_free", Unit::Count, space.inodes.1);
    }
}
