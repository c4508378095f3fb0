//! telegraf's inputs about the host itself. Each becomes names in the `include` of the sinks.

use std::time::Duration;

use super::super::draft::{DEVICES, Draft, Metric, PROCESSORS, TOO_MANY};
use super::super::read;
use super::super::tree::Item;
use super::filter::{Filter, is_pattern};
use crate::metrics::collector::disk::mountinfo::leaves_out;
use crate::metrics::sink::cloudwatch::include::ALL_CORES;

/// How often telegraf measures where nothing is said.
const USUAL: Duration = Duration::from_secs(10);

/// Values of a list that are no patterns of gild's.
const TOO_MUCH: &str =
    "gild's patterns have one * at their end; name what is wanted in the sink's include";

/// Adds what passes of a plugin's metrics, and notes which of telegraf's fields gild lacks.
fn add(table: &Item, draft: &mut Draft, metrics: Vec<Metric>, lacking: &[&str]) {
    own_interval(table, draft);
    read::left(
        table,
        &["tags"],
        "only tags of all plugins are carried; this one's metrics lack the dimension",
    );
    let filter = Filter::read(table);
    if let Some(plugin) = metrics.first().map(|metric| metric.plugin) {
        let lacks: Vec<_> =
            lacking.iter().filter(|field| filter.passes(plugin, field)).copied().collect();
        if !lacks.is_empty() {
            table.left(format!("gild has no {}", lacks.join(", ")));
        }
    }
    let metrics = filter.apply(metrics);
    if !draft.add(metrics) {
        table.left(TOO_MANY);
    }
}

/// All metrics of a plugin, so many of each.
fn all(draft: &Draft, plugin: &'static str, count: u32) -> Vec<Metric> {
    let metric = |name| Metric { plugin, name, about: Vec::new(), count };
    draft.names_of(plugin).into_iter().map(metric).collect()
}

/// All collectors run as often.
fn own_interval(table: &Item, draft: &Draft) {
    let Some(interval) = table.get("interval") else { return };
    match read::duration(interval) {
        Some(own) if own == draft.interval.unwrap_or(USUAL) => interval.carried(),
        _ => interval.left("metrics.interval holds for all that gild measures of the host"),
    }
}

/// The metrics that have one of the values of a list as a dimension, such as a mount point.
fn only(table: &Item, key: &str, dimension: &str, metrics: Vec<Metric>) -> Vec<Metric> {
    let Some(item) = table.get(key) else { return metrics };
    let texts = item.texts().filter(|texts| texts.iter().all(|text| is_pattern(text)));
    let Some(texts) = texts else {
        item.left(TOO_MUCH);
        return metrics;
    };
    item.carried();
    if texts.is_empty() || texts.contains(&"*") {
        return metrics;
    }
    let each = |metric: &Metric| {
        let with = |text: &&str| {
            let about = vec![[dimension, "=", text].concat()];
            Metric { about, count: 1, ..metric.clone() }
        };
        texts.iter().map(with).collect::<Vec<_>>()
    };
    metrics.iter().flat_map(each).collect()
}

pub(super) fn cpu(table: &Item, draft: &mut Draft) {
    let each = read::truth(table, "percpu", true);
    let total = read::truth(table, "totalcpu", true);
    let active = read::truth(table, "report_active", false);
    let time = read::truth(table, "collect_cpu_time", false);
    if let Some(tags) = table.get("core_tags") {
        match tags.truth() {
            Some(false) => tags.carried(),
            _ => tags.left("gild has no dimensions core_id and physical_id"),
        }
    }
    let (about, count) = match (each, total) {
        (true, true) => (None, PROCESSORS + 1),
        (true, false) => (Some("!="), PROCESSORS),
        (false, _) => (Some("="), 1),
    };
    let about: Vec<String> =
        about.map(|sign| ["cpu", sign, ALL_CORES].concat()).into_iter().collect();
    let mut metrics = all(draft, "cpu", count);
    metrics.retain(|metric| {
        (each || total)
            && (time || !metric.name.starts_with("cpu_time_"))
            && (active || !metric.name.ends_with("_active"))
    });
    metrics.iter_mut().for_each(|metric| metric.about.clone_from(&about));
    add(table, draft, metrics, &[]);
}

pub(super) fn mem(table: &Item, draft: &mut Draft) {
    add(table, draft, all(draft, "mem", 1), &[]);
}

pub(super) fn swap(table: &Item, draft: &mut Draft) {
    add(table, draft, all(draft, "swap", 1), &[]);
}

/// Conditions that leave out the types of filesystems that the list under `key` names and that
/// gild measures; none where that would be too much for a pattern, which is then told.
pub(in crate::import) fn left_out(table: &Item, key: &str) -> Vec<String> {
    let Some(item) = table.get(key) else { return Vec::new() };
    let types = item.texts().unwrap_or_default();
    // No Linux has devfs any more, though telegraf's own default names it.
    let foreign = types.iter().filter(|fstype| !leaves_out(fstype) && **fstype != "devfs");
    let foreign: Vec<&&str> = foreign.collect();
    if foreign.len() > 10 || !foreign.iter().all(|fstype| is_pattern(fstype)) {
        item.left(
            "gild measures some of these: leave them out by {fstype!=NAME} in the sink's include",
        );
        return Vec::new();
    }
    item.carried();
    foreign.iter().map(|fstype| ["fstype!=", fstype].concat()).collect()
}

pub(super) fn disk(table: &Item, draft: &mut Draft) {
    let without = left_out(table, "ignore_fs");
    read::left(
        table,
        &["ignore_mount_opts"],
        "gild has no filter by options; leave mounts out by {path!=/PLACE} in the sink's include",
    );
    let metrics = all(draft, "disk", DEVICES);
    let mut metrics = only(table, "mount_points", "path", metrics);
    metrics.iter_mut().for_each(|metric| metric.about.extend(without.iter().cloned()));
    add(table, draft, metrics, &[]);
}

pub(super) fn diskio(table: &Item, draft: &mut Draft) {
    if let Some(serial) = table.get("skip_serial_number") {
        match serial.truth() {
            Some(true) => serial.carried(),
            _ => serial.left("gild has no dimension serial"),
        }
    }
    read::left(
        table,
        &["device_tags", "name_templates"],
        "gild has no dimensions of udev; VolumeId = \"{volume_id}\" among the sink's dimensions \
         tells filesystems by their EBS volumes",
    );
    let metrics = all(draft, "diskio", DEVICES);
    let metrics = only(table, "devices", "name", metrics);
    add(table, draft, metrics, &[]);
}

pub(super) fn net(table: &Item, draft: &mut Draft) {
    let without = read::truth(table, "ignore_protocol_stats", false);
    let of_protocol =
        |metric: &Metric| ["net_tcp_", "net_udp_"].iter().any(|it| metric.name.starts_with(it));
    let (mut protocols, interfaces): (Vec<_>, Vec<_>) =
        all(draft, "net", DEVICES).into_iter().partition(of_protocol);
    protocols.iter_mut().for_each(|metric| metric.count = 1);
    let mut metrics = only(table, "interfaces", "interface", interfaces);
    if !without {
        metrics.extend(protocols);
    }
    let lacking = ["speed", "icmp_*", "icmpmsg_*", "ip_*", "udplite_*", "tcp_maxconn"];
    add(table, draft, metrics, &lacking[..if without { 1 } else { lacking.len() }]);
}

pub(super) fn netstat(table: &Item, draft: &mut Draft) {
    let lacking = [
        "tcp_syn_sent",
        "tcp_syn_recv",
        "tcp_fin_wait1",
        "tcp_fin_wait2",
        "tcp_close",
        "tcp_close_wait",
        "tcp_last_ack",
        "tcp_listen",
        "tcp_closing",
        "tcp_none",
    ];
    add(table, draft, all(draft, "netstat", 1), &lacking);
}

pub(super) fn system(table: &Item, draft: &mut Draft) {
    let lacking = ["n_users", "n_unique_users", "n_physical_cpus"];
    add(table, draft, all(draft, "system", 1), &lacking);
}

pub(super) fn kernel(table: &Item, draft: &mut Draft) {
    if let Some(collect) = table.get("collect") {
        match collect.items().is_empty() {
            true => collect.carried(),
            false => collect.left(
                "gild sends pressure to remote write, and to CloudWatch as pressure_* with \
                 schema = \"native\"; it has no ksm",
            ),
        }
    }
    add(table, draft, all(draft, "kernel", 1), &["entropy_avail"]);
}

pub(super) fn processes(table: &Item, draft: &mut Draft) {
    read::needless(table, &["force_ps", "force_proc", "use_sudo"], "gild reads /proc");
    add(table, draft, all(draft, "processes", 1), &["parked"]);
}

pub(super) fn internal(table: &Item, _: &mut Draft) {
    const OWN: &str = "gild tells of itself as gild_* to remote write and in `gild status`, not \
                       to CloudWatch";
    read::needless(table, &["collect_memstats", "collect_gostats", "per_instance"], OWN);
    table.left(OWN);
}
