//! Everything that is measured at once, on a host that is made of files: which
//! metrics there are, whether Prometheus likes them, and how a large host does.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;

use super::collector::NAMES;
use super::help;
use super::openmetrics::{Format, render};
use super::runner::Runner;
use super::sample::{Kind, Sample, Tick};
use super::scrape::Scrapes;
use crate::config::format::Format as Language;
use crate::config::{Document, Layer, LayerName, Merged, Settings, builtin};
use crate::health::fake_systemd::{FakeSystemd, service};
use crate::health::watch::Watch;
use crate::platform::paths::Paths;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests");

/// Settings with all collectors, and what else a document says.
fn settings(document: &str) -> Settings {
    let text = format!("metrics.collectors = {NAMES:?}\n{document}");
    let document = Document::parse(text.as_bytes(), Language::Toml).unwrap();
    let layer = Layer {
        name: LayerName::Local,
        source: "test".into(),
        version: None,
        last_good: false,
        document,
    };
    Settings::typed(&Merged::fold([&builtin::layer(), &layer]).root).settings.unwrap()
}

/// What a small instance of EC2 with a service measures at one tick.
async fn instance() -> Tick {
    let root = TempDir::new().unwrap();
    for directory in ["proc", "sys"] {
        let fixture = Path::new(TESTS).join("fixtures/host").join(directory);
        symlink(fixture, root.path().join(directory)).unwrap();
    }
    let systemd = FakeSystemd::start();
    systemd.set("web.service", service("active", 2));
    fs::create_dir_all(root.path().join("run/dbus")).unwrap();
    symlink(systemd.socket(), root.path().join("run/dbus/system_bus_socket")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = listener.local_addr().unwrap().to_string();
    fs::create_dir(root.path().join("text")).unwrap();
    fs::write(root.path().join("text/job.prom"), "# Nothing yet.\n").unwrap();
    let settings = settings(&format!(
        "metrics.textfile_directory = '/text'\n[service.web]\nunit = 'web.service'\ntcp = '{tcp}'\n\
         [scrape.page]\nurl = 'http://{tcp}/'\ntimeout = '100ms'"
    ));
    let paths = Paths::installed(root.path());
    let client = crate::platform::http::client().unwrap();
    let watch = Watch::start(&settings.service, client.clone(), &paths);
    let scrapes = Scrapes::start(&settings.scrape, client);
    let mut runner = Runner::new(&settings.metrics, &paths);
    let mut tick = runner.tick().await;
    assert!(runner.stats().values().all(|stats| stats.ok), "{:?}", runner.stats());
    tokio::time::timeout(Duration::from_secs(30), watch.first_looks()).await.unwrap();
    tick.samples.extend(watch.samples());
    scrapes.first_fetches().await;
    scrapes.add_to(&mut tick.samples);
    tick
}

/// Each metric once: its type, the names of its labels and what it is. Where its
/// series differ in their labels, each set of them.
fn listed(tick: &Tick) -> String {
    let mut metrics = BTreeMap::new();
    for sample in &tick.samples {
        let labels: Vec<_> = sample.labels.iter().map(|(name, _)| &**name).collect();
        let (_, sets) = metrics.entry(&*sample.name).or_insert((sample.kind, BTreeSet::new()));
        sets.insert(labels.join(","));
    }
    let mut text = String::new();
    for (name, (kind, sets)) in metrics {
        // As the page says it: what only grows and is not called a total has no type.
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter if name.ends_with("_total") => "counter",
            Kind::Counter => "untyped",
        };
        let sets: Vec<_> = sets.iter().map(|labels| format!("{{{labels}}}")).collect();
        writeln!(text, "{name} {kind} {} {}", sets.join(" or "), help::of(name)).unwrap();
    }
    text
}

#[tokio::test]
async fn every_metric_is_the_one_in_the_golden_list() {
    let text = listed(&instance().await);
    let path = Path::new(TESTS).join("golden/metrics.txt");
    if std::env::var_os("GILD_REFRESH_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "tests/golden/metrics.txt is not what is measured now:\n{text}");
    assert!(
        !text.contains("Measured by another program."),
        "every metric has a help of its own:\n{text}"
    );
}

#[tokio::test]
async fn promtool_finds_nothing_to_complain_of() {
    let page = render(&instance().await, Format::Text);
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = promtool.expect("promtool is in Debian's package 'prometheus'");
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    // These names are the kernel's own, and node_exporter's.
    let of_kernel = |line: &str| {
        let named = line.starts_with("node_memory_") || line.starts_with("node_netstat_");
        named && line.ends_with("'snake_case' not 'camelCase'")
    };
    let found: Vec<_> = said.lines().filter(|line| !of_kernel(line)).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert!(said.contains("node_memory_MemTotal_bytes"), "it did look: {said}");
}

/// `/proc` of a host with 512 processors and 5,000 mounts, all but one of which
/// went away since.
fn large_host(root: &Path, idle: u64) {
    let cpus: String =
        (0..512).map(|cpu| format!("cpu{cpu} 100 0 50 {idle} 7 0 1 2 0 0\n")).collect();
    let rest = "intr 9\nctxt 9\nbtime 1700000000\nprocesses 9\nprocs_running 1\n";
    let mounts: String = (0..5000)
        .map(|mount| format!("{mount} 1 8:{mount} / /srv/{mount} rw - ext4 /dev/x rw\n"))
        .collect();
    let root_mount = "9999 1 9:1 / / rw - ext4 /dev/root rw\n";
    fs::create_dir_all(root.join("proc/1")).unwrap();
    fs::write(root.join("proc/stat"), format!("cpu  1 0 0 1\n{cpus}{rest}")).unwrap();
    fs::write(root.join("proc/1/mountinfo"), mounts + root_mount).unwrap();
}

#[tokio::test]
async fn a_host_with_512_processors_and_5000_mounts_is_measured_whole() {
    let root = TempDir::new().unwrap();
    large_host(root.path(), 0);
    let mut runner = Runner::new(&settings("").metrics, &Paths::installed(root.path()));
    let count =
        |tick: &Tick, name: &str| tick.samples.iter().filter(|sample| sample.name == name).count();
    let idle = |tick: &Tick| {
        let of = |label, value| move |sample: &&Sample| sample.label(label) == Some(value);
        let mut modes = tick.samples.iter().filter(of("cpu", "511"));
        modes.find(of("mode", "idle")).map(|sample| sample.value)
    };
    // Idle time falls a little, as it does, and then starts over.
    for (ticks, expected) in [(100_000, 1000.0), (99_900, 1000.0), (100_100, 1001.0), (5, 0.05)] {
        large_host(root.path(), ticks);
        // Within the time to the next tick, whose default that is.
        let tick = tokio::time::timeout(Duration::from_secs(10), runner.tick()).await.unwrap();
        assert_eq!(count(&tick, "node_cpu_seconds_total"), 8 * 512);
        assert_eq!(count(&tick, "node_filesystem_device_error"), 5001);
        assert_eq!(count(&tick, "node_filesystem_size_bytes"), 1);
        assert_eq!(idle(&tick), Some(expected));
        assert!(runner.stats().values().all(|stats| stats.ok), "{:?}", runner.stats());
    }
}

#[tokio::test]
async fn all_processors_together_are_ten_series_however_many_there_are() {
    let root = TempDir::new().unwrap();
    large_host(root.path(), 100_000);
    let settings = settings("metrics.per_core_cpu = false");
    let mut runner = Runner::new(&settings.metrics, &Paths::installed(root.path()));
    let tick = runner.tick().await;
    let of_cpu = |sample: &&Sample| sample.name.starts_with("node_cpu_");
    assert_eq!(tick.samples.iter().filter(of_cpu).count(), 10);
    let idle = tick.samples.iter().find(|sample| sample.label("mode") == Some("idle")).unwrap();
    assert_eq!((idle.label("cpu"), idle.value), (Some("total"), 512.0 * 1000.0));
}
