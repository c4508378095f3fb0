//! What a receiver is told when a series ends.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use http::Method;
use nix::sys::signal::Signal;

use crate::fakes::fault::Fault;
use crate::fakes::place::loopback;
use crate::fakes::remote_write::{RemoteWrite, Sample};
use crate::host::{Running, ask, wait_for};
use crate::program::gild;

/// The bits of Prometheus' marker. A NaN has many; only these mean an end.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

#[test]
fn a_service_that_is_no_longer_watched_is_marked_once_and_the_others_go_on() {
    let receiver = RemoteWrite::start(loopback());
    let listener = loopback();
    let directory = tempfile::tempdir().unwrap();
    let (documents, state) = (directory.path().join("d"), directory.path().join("s"));
    fs::create_dir(&documents).unwrap();
    let watching = |services: &[&str]| {
        let mut text = format!(
            "configuration.run = 'never'\nmetrics.interval = '1s'\n\
             sink.out = {{ type = 'remote_write', url = '{}', flush = '1s' }}\n",
            receiver.url()
        );
        for service in services {
            let tcp = listener.local_addr().unwrap();
            text += &format!("service.{service} = {{ tcp = '{tcp}', interval = '1s' }}\n");
        }
        fs::write(documents.join("global.toml"), text).unwrap();
    };
    let of = |service: &str| -> Vec<Sample> {
        let mut samples = receiver.samples();
        samples.retain(|sample| {
            sample.name == "service_up"
                && sample.labels.get("service").is_some_and(|name| name == service)
        });
        samples
    };

    watching(&["gone", "stays"]);
    let mut up = gild();
    up.arg("up").arg("--local").arg(&documents).arg("--state").arg(&state);
    let _up = Running(up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_for("both services", || !of("gone").is_empty() && !of("stays").is_empty());
    watching(&["stays"]);
    ask(&state.join("run/status.sock"), Method::POST, "/v1/refresh");
    wait_for("the marker", || of("gone").last().is_some_and(is_marker));

    let seen = of("stays").len();
    wait_for("more ticks", || of("stays").len() > seen + 2);
    let gone = of("gone");
    assert_eq!(gone.iter().filter(|sample| is_marker(sample)).count(), 1);
    assert!(is_marker(gone.last().unwrap()), "and nothing comes after it");
    assert!(gone[..gone.len() - 1].iter().all(|sample| sample.value == 1.0));
    assert!(!of("stays").iter().any(is_marker));
    assert_eq!(receiver.refused(), Vec::<String>::new());
}

fn is_marker(sample: &Sample) -> bool {
    sample.value.to_bits() == STALE_BITS
}

/// Which samples of each series are markers, in the order in which they came.
fn lasts(receiver: &RemoteWrite) -> BTreeMap<String, Vec<bool>> {
    let mut series: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for sample in receiver.samples() {
        let key = format!("{}{:?}", sample.name, sample.labels);
        series.entry(key).or_default().push(is_marker(&sample));
    }
    series
}

/// `gild up` on documents of its own, which sends each second.
struct Up {
    directory: tempfile::TempDir,
    running: Running,
}

impl Up {
    fn start(receiver: &RemoteWrite) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("d")).unwrap();
        write(&directory, &receiver.url(), "a", "1s");
        let mut up = gild();
        up.arg("up").arg("--local").arg(directory.path().join("d"));
        up.arg("--state").arg(directory.path().join("s"));
        let up = up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { directory, running: Running(up) }
    }

    fn configure(&self, url: &str, label: &str, timeout: &str) {
        write(&self.directory, url, label, timeout);
        ask(&self.directory.path().join("s/run/status.sock"), Method::POST, "/v1/refresh");
    }
}

fn write(directory: &tempfile::TempDir, url: &str, label: &str, timeout: &str) {
    let text = format!(
        "configuration.run = 'never'\nmetrics = {{ interval = '1s', collectors = ['load'] }}\n\
         [sink.out]\ntype = 'remote_write'\nurl = '{url}'\nflush = '1s'\n\
         timeout = '{timeout}'\nlabels = {{ shard = '{label}' }}\n"
    );
    fs::write(directory.path().join("d/global.toml"), text).unwrap();
}

/// How many series of this shard live.
fn living(receiver: &RemoteWrite, shard: &str) -> usize {
    let shard = format!("\"shard\": \"{shard}\"");
    let of = lasts(receiver).into_iter().filter(|(key, _)| key.contains(&shard));
    of.filter(|(_, markers)| markers.last() == Some(&false)).count()
}

#[test]
fn a_daemon_that_is_told_to_stop_ends_all_its_series_after_their_last_samples() {
    let receiver = RemoteWrite::start(loopback());
    let mut up = Up::start(&receiver);
    wait_for("two ticks", || lasts(&receiver).values().any(|ticks| ticks.len() >= 2));
    up.running.signal(Signal::SIGTERM);
    assert!(up.running.0.wait().unwrap().success());
    let lasts = lasts(&receiver);
    assert!(lasts.len() >= 3, "{lasts:?}");
    for (series, markers) in lasts {
        let (last, before) = markers.split_last().unwrap();
        assert!(last & !before.contains(&true), "{series}: {markers:?}");
    }
    assert_eq!(receiver.refused(), Vec::<String>::new());
}

#[test]
fn a_daemon_whose_receiver_hangs_stops_in_time_and_marks_nothing() {
    let receiver = RemoteWrite::start(loopback());
    let mut up = Up::start(&receiver);
    wait_for("a tick", || living(&receiver, "a") > 0);
    receiver.faults.always("/", Fault::Hang);
    let begin = Instant::now();
    up.running.signal(Signal::SIGTERM);
    assert!(up.running.0.wait().unwrap().success());
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(!receiver.samples().iter().any(is_marker));
}

#[test]
fn series_that_go_on_under_new_settings_are_not_marked_and_those_with_other_labels_are() {
    let (receiver, other) = (RemoteWrite::start(loopback()), RemoteWrite::start(loopback()));
    let up = Up::start(&receiver);
    wait_for("a tick", || living(&receiver, "a") > 0);

    // The same series, sent by another sink.
    up.configure(&receiver.url(), "a", "9s");
    let seen = receiver.headers().len();
    wait_for("more ticks", || receiver.headers().len() >= seen + 3);
    assert!(!receiver.samples().iter().any(is_marker));

    up.configure(&receiver.url(), "b", "9s");
    wait_for("the old ones' end", || living(&receiver, "a") == 0 && living(&receiver, "b") > 0);

    up.configure(&other.url(), "b", "9s");
    wait_for("the others' end", || living(&receiver, "b") == 0 && living(&other, "b") > 0);
    assert!(!other.samples().iter().any(is_marker));
    for receiver in [receiver, other] {
        assert_eq!(receiver.refused(), Vec::<String>::new());
    }
}
