//! telegraf's figures, where they differ from the CloudWatch agent's.

use super::*;

fn telegraf(samples: &[Vec<Sample>]) -> Vec<Figure> {
    translated(CloudWatchSchema::Telegraf, samples)
}

#[test]
fn telegraf_sends_zero_where_there_is_no_swap_and_pages_as_bytes() {
    let tick = vec![
        sample("node_memory_SwapTotal_bytes", &[], 0.0),
        sample("node_memory_SwapFree_bytes", &[], 0.0),
        sample("node_vmstat_pswpin", &[], 3.0),
    ];
    let figures = telegraf(&[tick.clone(), tick]);
    assert_eq!(value(&figures, "swap_used_percent"), Some(0.0));
    assert_eq!(value(&figures, "swap_in"), Some(3.0 * 4096.0));
    assert!(figures.iter().all(|figure| figure.metric.unit == Unit::Unsaid));
}

#[test]
fn telegrafs_memory_is_used_as_far_as_it_is_not_available() {
    let tick = vec![
        sample("node_memory_MemTotal_bytes", &[], 1000.0),
        sample("node_memory_MemFree_bytes", &[], 300.0),
        sample("node_memory_MemAvailable_bytes", &[], 700.0),
        sample("node_memory_Cached_bytes", &[], 200.0),
        sample("node_memory_SReclaimable_bytes", &[], 50.0),
    ];
    let ticks = [tick.clone(), tick];
    let figures = telegraf(&ticks);
    assert_eq!(value(&figures, "mem_used"), Some(300.0));
    assert_eq!(value(&figures, "mem_cached"), Some(250.0));
    assert_eq!(value(&figures, "mem_used_percent"), Some(30.0));
    let of_agent = translated(CloudWatchSchema::CwAgent, &ticks);
    assert_eq!(value(&of_agent, "mem_used"), Some(450.0), "the agent has another formula");
    let native = translated(CloudWatchSchema::Native, &ticks);
    assert_eq!(value(&native, "mem_used_percent"), Some(30.0));
}

#[test]
fn telegrafs_counters_are_the_kernels_and_survive_a_reset() {
    let tick = |bytes: f64, reads: f64, seconds: f64| {
        let disk = |name| move |value| sample(name, &[("device", "sda")], value);
        vec![
            sample("node_network_receive_bytes_total", &[("device", "eth0")], bytes),
            disk("node_disk_reads_completed_total")(reads),
            disk("node_disk_writes_completed_total")(7.0),
            disk("node_disk_read_time_seconds_total")(seconds),
            disk("node_disk_write_time_seconds_total")(0.0),
            disk("node_disk_io_time_seconds_total")(seconds),
        ]
    };
    let grown = telegraf(&[tick(100.0, 10.0, 1.0), tick(150.0, 14.0, 2.0)]);
    assert_eq!(value(&grown, "net_bytes_recv"), Some(150.0));
    assert_eq!(value(&grown, "diskio_read_time"), Some(2000.0));
    assert_eq!(value(&grown, "diskio_io_await"), Some(250.0));
    assert_eq!(value(&grown, "diskio_io_svctm"), Some(250.0));
    assert_eq!(value(&grown, "diskio_io_util"), Some(10.0), "a second of ten");
    let reset = telegraf(&[tick(100.0, 10.0, 1.0), tick(20.0, 2.0, 0.5)]);
    assert_eq!(value(&reset, "net_bytes_recv"), Some(20.0));
    for name in ["diskio_io_await", "diskio_io_svctm", "diskio_io_util"] {
        assert_eq!(value(&reset, name), None, "{name}");
    }
    let idle = telegraf(&[tick(1.0, 10.0, 1.0), tick(1.0, 10.0, 1.0)]);
    assert_eq!(value(&idle, "diskio_io_await"), None, "there was no request");
    assert_eq!(value(&idle, "diskio_io_util"), Some(0.0));
}

#[test]
fn only_what_is_asked_for_is_written() {
    let tick = processor("0", [100.0, 0.0, 50.0, 1000.0, 10.0]);
    let later = processor("0", [101.0, 0.0, 50.0, 1009.0, 10.0]);
    let schema = CloudWatchSchema::Telegraf.schema();
    let patterns = ["cpu_usage_idle{cpu=cpu-total}", "cpu_usage_user"];
    let include = Include::new(schema, patterns.into_iter(), &[]).unwrap();
    let (mut translator, mut page) = (Translator::new(schema), Page::new(&include));
    for samples in [tick, later] {
        translator.figures(&Tick::new(SystemTime::now(), samples), &mut page);
    }
    let mut names: Vec<_> = page
        .figures
        .iter()
        .map(|figure| (figure.metric.name, &*figure.metric.about[0].1, figure.value))
        .collect();
    names.sort_by_key(|(name, cpu, _)| (*name, *cpu));
    assert_eq!(
        names,
        [
            ("cpu_usage_idle", "cpu-total", 90.0),
            ("cpu_usage_user", "cpu-total", 10.0),
            ("cpu_usage_user", "cpu0", 10.0),
        ]
    );
}
