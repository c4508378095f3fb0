//! OpenTelemetry metrics from the whole program, to a receiver that is strict.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use http::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::fakes::fault::Fault;
use crate::fakes::otlp::{Otlp, Point};
use crate::fakes::place::loopback;
use crate::fakes::sigv4::Expected;
use crate::host::{Running, ask, wait_for};
use crate::program::gild;

const EXPECTED: Expected = Expected {
    key: "AKIDEXAMPLE",
    secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    token: Some("a/session+token=="),
    region: "eu-west-1",
    service: "monitoring",
};

/// gild at work, with a sink of these settings besides.
struct Up {
    directory: TempDir,
    _running: Running,
}

impl Up {
    fn start(receiver: &Otlp, settings: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (documents, state) = (directory.path().join("d"), directory.path().join("s"));
        fs::create_dir(&documents).unwrap();
        let text = format!(
            "configuration.run = 'never'\nmetrics.interval = '1s'\n\
             [sink.out]\ntype = 'otlp'\nurl = '{}'\nresolution = '1s'\nflush = '1s'\n{settings}\n",
            receiver.url()
        );
        fs::write(documents.join("global.toml"), text).unwrap();
        let mut up = gild();
        up.arg("up").arg("--local").arg(&documents).arg("--state").arg(&state);
        up.env("AWS_ACCESS_KEY_ID", EXPECTED.key).env("AWS_SECRET_ACCESS_KEY", EXPECTED.secret);
        up.env("AWS_SESSION_TOKEN", EXPECTED.token.unwrap()).env("AWS_REGION", EXPECTED.region);
        let running = up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { directory, _running: Running(running) }
    }

    fn sink(&self) -> Value {
        let socket: PathBuf = self.directory.path().join("s/run/status.sock");
        ask(&socket, Method::GET, "/v1/status")["sinks"]["out"].clone()
    }
}

fn of(receiver: &Otlp, name: &str) -> Vec<Point> {
    receiver.points().into_iter().filter(|point| point.name == name).collect()
}

/// When the kernel says that the host was started.
fn booted() -> u64 {
    let stat = fs::read_to_string("/proc/stat").unwrap();
    let line = stat.lines().find_map(|line| line.strip_prefix("btime ")).unwrap();
    line.parse().unwrap()
}

#[test]
fn signed_requests_hold_what_was_measured() {
    let receiver = Otlp::start(loopback());
    receiver.wants_signatures(EXPECTED);
    let up =
        Up::start(&receiver, "auth = 'sigv4'\nresource = { team = 'web', \"host.name\" = '' }");
    wait_for("three ticks", || of(&receiver, "node_load1").len() > 2);
    assert_eq!(receiver.refused(), Vec::<String>::new());
    let cpu = of(&receiver, "node_cpu_seconds_total").remove(0);
    assert_eq!((cpu.unit.as_str(), cpu.labels["cpu"].as_str()), ("s", "0"));
    let start = cpu.start.unwrap() / 1_000_000_000;
    assert!(start.abs_diff(booted()) <= 1, "{start} is not when the host was started");
    assert!(cpu.resource.contains_key("host.id") && !cpu.resource.contains_key("host.name"));
    assert_eq!(cpu.resource["team"], "web");
    let memory = of(&receiver, "node_memory_MemTotal_bytes").remove(0);
    assert_eq!((memory.unit.as_str(), memory.start), ("By", None));
    let page = fs::read_to_string("/proc/meminfo").unwrap();
    let total: f64 = page.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!((memory.value - total * 1024.0).abs() < 1.0);
    let sink = up.sink();
    assert_eq!(sink["dropped"], serde_json::json!({}), "{sink}");
    assert_eq!(receiver.connections(), 1, "one connection serves all requests");
}

#[test]
fn a_wrong_secret_is_refused_by_the_receiver_that_checks_signatures() {
    let receiver = Otlp::start(loopback());
    receiver.wants_signatures(Expected { secret: "another", ..EXPECTED });
    let _up = Up::start(&receiver, "auth = 'sigv4'");
    wait_for("a refusal", || !receiver.refused().is_empty());
    assert!(receiver.refused()[0].starts_with("the signature of"), "{:?}", receiver.refused());
    assert!(receiver.points().is_empty());
}

#[test]
fn what_the_protocol_lets_a_sender_try_again_is_lost_to_nobody() {
    let receiver = Otlp::start(loopback());
    // The first is taken, though its answer breaks off: it must not come twice.
    receiver.faults.next("/", 1, Fault::CutOff);
    receiver.faults.next("/", 1, Fault::RetryAfter(503, 1));
    receiver.faults.next("/", 1, Fault::Status(502, String::new()));
    receiver.faults.next("/", 1, Fault::Close);
    receiver.faults.next("/", 1, Fault::Hang);
    let up = Up::start(&receiver, "timeout = '1s'");
    wait_for("points after all that", || of(&receiver, "node_load1").len() > 4);
    assert_eq!(receiver.refused(), Vec::<String>::new());
    let sink = up.sink();
    assert_eq!(sink["dropped"], serde_json::json!({}), "{sink}");
}

#[test]
fn what_it_does_not_is_sent_once_and_counted_and_no_redirect_is_followed() {
    let (receiver, other) = (Otlp::start(loopback()), Otlp::start(loopback()));
    receiver.faults.next("/", 1, Fault::Redirect(other.url()));
    for status in [408, 500] {
        receiver.faults.next("/", 1, Fault::Status(status, "no".to_owned()));
    }
    let up = Up::start(&receiver, "include = ['node_load1']");
    wait_for("points after all that", || receiver.requests().len() > 1);
    assert_eq!(receiver.refused(), Vec::<String>::new());
    let sink = up.sink();
    assert!(sink["dropped"]["rejected"].as_u64().unwrap() >= 3, "{sink}");
    assert_eq!((other.connections(), &sink["last_error"]), (0, &Value::Null));
}

#[test]
fn a_receiver_that_never_takes_one_metric_gets_all_others() {
    let receiver = Otlp::start(loopback());
    receiver.never_takes("node_load5");
    let up = Up::start(&receiver, "include = ['node_load*', 'node_memory_Mem*']");
    wait_for("the others", || of(&receiver, "node_load1").len() > 3);
    assert!(of(&receiver, "node_load5").is_empty());
    assert!(of(&receiver, "node_load15").len() > 3);
    assert!(of(&receiver, "node_memory_MemTotal_bytes").len() > 3);
    // It was looked for once, in halves, and is left out from then on.
    let refused = receiver.refused().len();
    assert!((2..=5).contains(&refused), "{:?}", receiver.refused());
    wait_for("two more", || of(&receiver, "node_load1").len() > 5);
    assert_eq!(receiver.refused().len(), refused);
    assert!(up.sink()["dropped"]["rejected"].as_u64().unwrap() > 3);
}
