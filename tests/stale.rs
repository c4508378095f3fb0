//! What a receiver is told when a series ends.

use std::fs;
use std::process::Stdio;

use http::Method;

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
    let is_marker = |sample: &Sample| sample.value.to_bits() == STALE_BITS;
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
