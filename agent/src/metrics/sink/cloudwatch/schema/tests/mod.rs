//! The CloudWatch agent's figures, from ticks under node_exporter's names.
#![allow(clippy::unwrap_used)]

mod telegraf;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::super::include::Include;
use super::*;
use crate::metrics::sample::{Sample, label};

fn sample(name: &'static str, labels: &[(&'static str, &str)], value: f64) -> Sample {
    let labels = labels.iter().map(|(name, value)| label(name, *value)).collect();
    Sample::gauge(name, labels, value)
}

/// All that a schema can say of the last of these ticks, which are ten seconds apart.
fn translated(schema: CloudWatchSchema, ticks: &[Vec<Sample>]) -> Vec<Figure> {
    let schema = schema.schema();
    let groups: Vec<_> = schema.on_request.iter().map(|group| format!("{group}*")).collect();
    let patterns = ["*", "*{cpu=*}"].into_iter().chain(groups.iter().map(String::as_str));
    let include = Include::new(schema, patterns, &[]).unwrap();
    let mut translator = Translator::new(schema);
    let start = Instant::now();
    let mut last = Vec::new();
    for (tick, samples) in ticks.iter().enumerate() {
        let steady = start + Duration::from_secs(10 * tick as u64);
        let tick = Tick { at: SystemTime::now(), steady, samples: samples.clone() };
        let mut page = Page::new(&include);
        translator.figures(&tick, &mut page);
        last = page.figures;
    }
    last
}

fn figures(ticks: &[Vec<Sample>]) -> Vec<Figure> {
    translated(CloudWatchSchema::CwAgent, ticks)
}

fn value(figures: &[Figure], name: &str) -> Option<f64> {
    let of_host = |figure: &&Figure| {
        figure.metric.about.iter().all(|(name, value)| *name != "cpu" || &**value == "cpu-total")
    };
    let mut found = figures.iter().filter(of_host).filter(|figure| figure.metric.name == name);
    let value = found.next().map(|figure| figure.value);
    assert!(found.next().is_none(), "{name} stands twice");
    value
}

/// A processor: user, nice, system, idle, and the guest's part of user.
fn processor(cpu: &str, seconds: [f64; 5]) -> Vec<Sample> {
    let [user, nice, system, idle, guest] = seconds;
    let mode = |mode: &str, value| {
        sample("node_cpu_seconds_total", &[("cpu", cpu), ("mode", mode)], value)
    };
    let guest = sample("node_cpu_guest_seconds_total", &[("cpu", cpu), ("mode", "user")], guest);
    vec![mode("user", user), mode("nice", nice), mode("system", system), mode("idle", idle), guest]
}

#[test]
fn cpu_is_the_share_of_the_time_between_two_ticks() {
    let first = processor("0", [100.0, 0.0, 50.0, 1000.0, 10.0]);
    let second = processor("0", [102.0, 0.0, 51.0, 1007.0, 11.0]);
    let figures = figures(&[first, second]);
    assert_eq!(value(&figures, "cpu_usage_active"), Some(30.0));
    assert_eq!(value(&figures, "cpu_usage_idle"), Some(70.0));
    assert_eq!(value(&figures, "cpu_usage_user"), Some(10.0), "without the guest");
    assert_eq!(value(&figures, "cpu_usage_guest"), Some(10.0));
    assert_eq!(value(&figures, "cpu_usage_system"), Some(10.0));
    assert_eq!(figures.len(), 22, "of the one processor too, as it is asked for");
    for figure in figures {
        let (name, cpu) = &figure.metric.about[0];
        assert!(*name == "cpu" && ["cpu-total", "cpu0"].contains(&&**cpu), "{cpu}");
        assert_eq!(figure.metric.unit, Unit::Percent);
    }
}

#[test]
fn cpu_counters_that_fall_count_as_zero_and_new_processors_wait() {
    let first = processor("0", [100.0, 0.0, 0.0, 1000.0, 0.0]);
    let mut second = processor("0", [105.0, 0.0, 0.0, 999.0, 0.0]);
    second.extend(processor("1", [5000.0, 0.0, 0.0, 90000.0, 0.0]));
    let grown = figures(&[first.clone(), second]);
    assert_eq!(value(&grown, "cpu_usage_active"), Some(100.0));
    assert_eq!(value(&grown, "cpu_usage_idle"), Some(0.0));
    assert!(figures(&[first.clone(), first]).is_empty(), "no time went by");
}

#[test]
fn the_first_tick_yields_nothing() {
    let all = vec![
        sample("node_memory_MemTotal_bytes", &[], 1.0),
        sample("node_memory_MemFree_bytes", &[], 1.0),
        sample("service_up", &[("service", "web")], 1.0),
    ];
    assert!(figures(&[all]).is_empty());
}

fn steady(samples: Vec<Sample>) -> Vec<Figure> {
    figures(&[samples.clone(), samples])
}

#[test]
fn memory_follows_the_agents_formula() {
    let figures = steady(vec![
        sample("node_memory_MemTotal_bytes", &[], 1000.0),
        sample("node_memory_MemFree_bytes", &[], 300.0),
        sample("node_memory_MemAvailable_bytes", &[], 700.0),
        sample("node_memory_Buffers_bytes", &[], 50.0),
        sample("node_memory_Cached_bytes", &[], 200.0),
        sample("node_memory_SReclaimable_bytes", &[], 50.0),
        sample("node_memory_Shmem_bytes", &[], 7.0),
        sample("node_memory_SwapTotal_bytes", &[], 0.0),
        sample("node_memory_SwapFree_bytes", &[], 0.0),
    ]);
    assert_eq!(value(&figures, "mem_used"), Some(400.0));
    assert_eq!(value(&figures, "mem_cached"), Some(250.0));
    assert_eq!(value(&figures, "mem_used_percent"), Some(40.0));
    assert_eq!(value(&figures, "mem_available_percent"), Some(70.0));
    assert_eq!(value(&figures, "mem_shared"), Some(7.0));
    assert_eq!(value(&figures, "swap_used_percent"), None, "there is no swap");
}

#[test]
fn swap_is_used_as_far_as_it_is_not_free() {
    let figures = steady(vec![
        sample("node_memory_SwapTotal_bytes", &[], 200.0),
        sample("node_memory_SwapFree_bytes", &[], 150.0),
    ]);
    assert_eq!(value(&figures, "swap_used"), Some(50.0));
    assert_eq!(value(&figures, "swap_used_percent"), Some(25.0));
}

#[test]
fn disks_follow_df_and_the_agents_dimensions() {
    let labels = [("device", "/dev/nvme0n1p1"), ("fstype", "xfs"), ("mountpoint", "/")];
    let stuck = [("device", "/dev/sdb"), ("fstype", "ext4"), ("mountpoint", "/stuck")];
    let figures = steady(vec![
        sample("node_filesystem_size_bytes", &labels, 1000.0),
        sample("node_filesystem_free_bytes", &labels, 400.0),
        sample("node_filesystem_avail_bytes", &labels, 200.0),
        sample("node_filesystem_files", &labels, 10.0),
        sample("node_filesystem_files_free", &labels, 4.0),
        sample("node_filesystem_device_error", &labels, 0.0),
        sample("node_filesystem_device_error", &stuck, 1.0),
    ]);
    assert_eq!(value(&figures, "disk_used_percent"), Some(75.0));
    assert_eq!(value(&figures, "disk_used"), Some(600.0));
    assert_eq!(value(&figures, "disk_free"), Some(200.0), "what is reserved is not free");
    assert_eq!(value(&figures, "disk_inodes_used"), Some(6.0));
    let about = [("path", "/"), ("device", "nvme0n1p1"), ("fstype", "xfs")]
        .map(|(name, value)| (name, Arc::from(value)));
    assert!(figures.iter().all(|figure| figure.metric.about == about), "nothing of the stuck one");
}

#[test]
fn traffic_is_what_came_since_the_tick_before() {
    let tick = |received, sent| {
        vec![
            sample("node_network_receive_bytes_total", &[("device", "eth0")], received),
            sample("node_network_transmit_bytes_total", &[("device", "eth0")], sent),
        ]
    };
    let figures = figures(&[tick(100.0, 500.0), tick(150.0, 20.0)]);
    assert_eq!(value(&figures, "net_bytes_recv"), Some(50.0));
    assert_eq!(value(&figures, "net_bytes_sent"), None, "the counter was reset");
    assert_eq!(figures[0].metric.about, [("interface", Arc::from("eth0"))]);
}

#[test]
fn disks_are_what_they_did_since_the_tick_before() {
    let tick = |read: f64, seconds: f64| {
        let disk = |name, value| sample(name, &[("device", "nvme0n1")], value);
        vec![
            disk("node_disk_read_bytes_total", read),
            disk("node_disk_io_time_seconds_total", seconds),
            disk("node_disk_io_now", 3.0),
        ]
    };
    let figures = figures(&[tick(512.0, 0.1), tick(1024.0, 0.3)]);
    assert_eq!(value(&figures, "diskio_read_bytes"), Some(512.0));
    assert_eq!(value(&figures, "diskio_io_time"), Some(200.0), "whole milliseconds");
    assert_eq!(value(&figures, "diskio_iops_in_progress"), Some(3.0));
    assert!(figures.iter().all(|figure| figure.metric.about == [("name", Arc::from("nvme0n1"))]));
    let unit = |name| {
        figures.iter().find(|figure| figure.metric.name == name).map(|figure| figure.metric.unit)
    };
    assert_eq!(unit("diskio_io_time"), Some(Unit::Milliseconds));
}

#[test]
fn sockets_and_processes_are_counted_over_their_kinds() {
    let state = |state, count| sample("node_processes_state", &[("state", state)], count);
    let figures = steady(vec![
        sample("node_netstat_Tcp_CurrEstab", &[], 7.0),
        sample("node_sockstat_UDP_inuse", &[], 2.0),
        sample("node_sockstat_UDP6_inuse", &[], 3.0),
        state("S", 40.0),
        state("T", 1.0),
        state("t", 1.0),
        sample("node_processes_pids", &[], 42.0),
    ]);
    assert_eq!(value(&figures, "netstat_tcp_established"), Some(7.0));
    assert_eq!(value(&figures, "netstat_udp_socket"), Some(5.0));
    assert_eq!(value(&figures, "processes_sleeping"), Some(40.0));
    assert_eq!(value(&figures, "processes_stopped"), Some(2.0));
    assert_eq!(value(&figures, "processes_total"), Some(42.0));
    assert_eq!(value(&figures, "processes_running"), None, "nobody counted");
}

#[test]
fn services_are_as_the_health_checks_say() {
    let figures = steady(vec![
        sample("service_up", &[("service", "web")], 1.0),
        sample("service_up", &[("service", "db")], 0.0),
        sample("services_unhealthy", &[], 1.0),
    ]);
    assert_eq!(value(&figures, "services_unhealthy"), Some(1.0));
    let up: Vec<_> = figures.iter().filter(|figure| figure.metric.name == "service_up").collect();
    assert_eq!((up.len(), up[1].value), (2, 0.0));
}

/// CloudWatch bills each metric; what a service uses is for receivers that do not.
#[test]
fn what_services_use_makes_no_figure() {
    let web = &[("service", "web")];
    let figures = steady(vec![
        sample("service_up", web, 1.0),
        sample("service_memory_bytes", web, 4096.0),
        sample("service_cpu_seconds_total", web, 7.0),
        sample("service_processes", web, 2.0),
        sample("service_oom_kills_total", web, 1.0),
    ]);
    let names: Vec<_> = figures.iter().map(|figure| figure.metric.name).collect();
    assert_eq!(names, ["service_up"]);
}

#[test]
fn no_service_is_called_well_while_another_is_unknown() {
    // The health checks hold the count back as long as a verdict is missing.
    let figures = steady(vec![sample("service_up", &[("service", "web")], 1.0)]);
    assert_eq!(value(&figures, "services_unhealthy"), None);
    assert_eq!(value(&figures, "service_up"), Some(1.0));
}

#[test]
fn a_volume_is_found_behind_a_disk_and_its_partitions() {
    let disk = |device, point| {
        let labels = [("device", device), ("fstype", "xfs"), ("mountpoint", point)];
        let sized = |name| sample(name, &labels, 9.0);
        ["node_filesystem_size_bytes", "node_filesystem_free_bytes", "node_filesystem_avail_bytes"]
            .map(sized)
    };
    let mut tick: Vec<_> = [
        disk("/dev/nvme1n1p2", "/a"),
        disk("/dev/nvme1n1", "/b"),
        disk("/dev/nvme1n10", "/c"),
        disk("/dev/mapper/x", "/d"),
    ]
    .concat();
    let labels = [("device", "nvme1n1"), ("serial", "vol1"), ("volume_id", "vol-1")];
    tick.push(sample("node_disk_info", &labels, 1.0));
    let schema = CloudWatchSchema::CwAgent.schema();
    let include = Include::new(schema, ["disk_total"].into_iter(), &[]).unwrap();
    for (volumes, expected) in [
        (true, [("/a", true), ("/b", true), ("/c", false), ("/d", false)]),
        (false, [("/a", false), ("/b", false), ("/c", false), ("/d", false)]),
    ] {
        let mut translator = Translator::new(schema);
        let mut page = Page::new(&include);
        page.volumes = volumes;
        for _ in 0..2 {
            translator.figures(&Tick::new(SystemTime::now(), tick.clone()), &mut page);
        }
        let found: Vec<_> = page
            .figures
            .iter()
            .map(|figure| {
                let of = |wanted| {
                    let mut about = figure.metric.about.iter();
                    about.find(|(name, _)| *name == wanted).map(|(_, value)| &**value)
                };
                (of("path").unwrap(), of(VOLUME) == Some("vol-1"))
            })
            .collect();
        assert_eq!(found, expected);
    }
}
