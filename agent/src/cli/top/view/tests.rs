use super::*;
use crate::metrics::sample::{Kind, Sample, label};

fn reading(at: f64, idle: f64, user: f64) -> Reading {
    let mut reading = Reading { at, processors: 2, load: [0.5, 0.25, 0.1], ..Reading::default() };
    reading.modes = [("idle".to_owned(), idle), ("user".to_owned(), user)].into();
    reading.memory = [8.0 * 1073741824.0, 2.0 * 1073741824.0];
    reading.network = [at * 1024.0, 0.0];
    reading.requests = [0.0, at * 2048.0];
    let disk = Disk {
        size: 105.0 * 1048576.0,
        free: 10.0 * 1048576.0,
        available: 5.0 * 1048576.0,
        files: 100.0,
        files_free: 90.0,
        hangs: false,
    };
    reading.disks = [("/".to_owned(), disk.clone())].into();
    reading.disks.insert("/mnt/nfs".to_owned(), Disk { hangs: true, ..disk });
    reading
}

#[test]
fn shares_are_of_the_time_between_two_looks_and_of_what_is_there_for_users() {
    let (before, now) = (reading(100.0, 10.0, 10.0), reading(110.0, 25.0, 15.0));
    assert_eq!(
        lines(Some(&before), &now, Paint::off()),
        [
            "cpu         25.0 [|||||               ] load 0.50 0.25 0.10 on 2, user 25.0",
            "memory      75.0 [|||||||||||||||     ] 6.0 GiB of 8.0 GiB",
            "traffic    network in 1.0 KiB/s, out 0 B/s; disks read 0 B/s, written 2.0 KiB/s",
            "/           95.0 [||||||||||||||||||| ] 95.0 MiB of 100.0 MiB, inodes 10 %",
            "/mnt/nfs   does not answer",
        ]
    );
}

#[test]
fn the_first_look_has_no_rates_and_counters_that_go_back_are_no_negative_ones() {
    let now = reading(110.0, 25.0, 15.0);
    let first = lines(None, &now, Paint::off());
    assert_eq!(first[0].trim_end(), format!("{:<40}load 0.50 0.25 0.10 on 2", "cpu"));
    assert_eq!(first[2].trim_end(), "traffic");
    let back = lines(Some(&reading(105.0, 99.0, 99.0)), &reading(110.0, 1.0, 1.0), Paint::off());
    assert_eq!(back[0], first[0], "after a counter started over there is no share");
    let mut less = reading(110.0, 25.0, 15.0);
    less.network = [0.0, 0.0];
    let text = lines(Some(&reading(100.0, 10.0, 10.0)), &less, Paint::off());
    assert!(text[2].contains("in 0 B/s"), "{}", text[2]);
}

#[test]
fn names_from_outside_cannot_command_the_terminal() {
    let size = |value: &str| {
        Sample::gauge("node_filesystem_size_bytes", vec![label("mountpoint", value)], 1.0)
    };
    let samples = [size("/mnt/\u{1b}[2J")];
    let text = lines(None, &Reading::of(&samples), Paint::off()).join("\n");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn processors_and_devices_are_added_up() {
    let cpu = |cpu: &str, mode: &str, value| {
        let labels = vec![label("cpu", cpu), label("mode", mode)];
        Sample::of(Kind::Counter, "node_cpu_seconds_total".into(), labels, value)
    };
    let reading = Reading::of(&[
        cpu("0", "idle", 1.0),
        cpu("1", "idle", 2.0),
        cpu("0", "user", 4.0),
        Sample::counter("node_network_receive_bytes_total", vec![label("device", "a")], 8.0),
        Sample::counter("node_network_receive_bytes_total", vec![label("device", "b")], 16.0),
        Sample::gauge("node_time_seconds", vec![], 7.0),
    ]);
    assert_eq!((reading.processors, reading.modes["idle"], reading.at), (2, 3.0, 7.0));
    assert_eq!(reading.network, [24.0, 0.0]);
}
