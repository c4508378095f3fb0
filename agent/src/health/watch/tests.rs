//! Whole services, watched with short intervals; every test waits for what it
//! expects and for nothing else.
#![allow(clippy::unwrap_used)]

use std::ops::{Deref, DerefMut};
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting};
use crate::health::fake_systemd::{FakeSystemd, service};
use crate::health::unit::UnitState;

fn services(text: serde_json::Value) -> BTreeMap<String, ServiceSettings> {
    let origin = crate::config::Origin {
        layer: crate::config::LayerName::Local,
        source: "test".into(),
        version: None,
        line: None,
        last_good: false,
    };
    let mut reader = Reader::default();
    let read =
        Setting::read(&Node::from_value(&text, &origin), &KeyPath::root(), &mut reader).unwrap();
    assert!(reader.problems.is_empty(), "{:?}", reader.problems);
    read
}

/// The same services, looked at more often than a document may ask for.
fn often(mut services: BTreeMap<String, ServiceSettings>) -> BTreeMap<String, ServiceSettings> {
    for service in services.values_mut() {
        service.interval = Duration::from_millis(5);
    }
    services
}

/// A watch, and the host without files that it looks at.
struct OnHost(Watch, #[allow(dead_code, reason = "held, not read")] TempDir);

impl Deref for OnHost {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.0
    }
}

impl DerefMut for OnHost {
    fn deref_mut(&mut self) -> &mut Watch {
        &mut self.0
    }
}

/// A watch over the given systemd, on a host without files.
fn watch(services: &BTreeMap<String, ServiceSettings>, systemd: Option<&FakeSystemd>) -> OnHost {
    let root = tempfile::tempdir().unwrap();
    OnHost(watch_in(root.path(), services, systemd), root)
}

/// A watch over the given systemd, on a host whose files are below `root`.
fn watch_in(
    root: &Path,
    services: &BTreeMap<String, ServiceSettings>,
    systemd: Option<&FakeSystemd>,
) -> Watch {
    if let Some(systemd) = systemd {
        std::fs::create_dir_all(root.join("run/dbus")).unwrap();
        symlink(systemd.socket(), root.join("run/dbus/system_bus_socket")).unwrap();
    }
    let client = crate::platform::http::client().unwrap();
    Watch::start(services, client, &Paths::installed(root))
}

async fn until(watch: &Watch, name: &str, up: Option<bool>) {
    let reached = watch.until(|found| found[name].looks > 0 && found[name].health.up == up);
    tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap();
}

fn value(watch: &Watch, name: &str) -> Option<f64> {
    watch.samples().iter().find(|sample| sample.name == name).map(|sample| sample.value)
}

#[tokio::test]
async fn a_stopped_unit_goes_down_and_a_started_one_comes_back() {
    let systemd = FakeSystemd::start();
    systemd.set("web.service", service("active", 2));
    let services = often(services(serde_json::json!({ "web": { "unit": "web" } })));
    let watch = watch(&services, Some(&systemd));
    until(&watch, "web", Some(true)).await;
    assert_eq!(value(&watch, "service_up"), Some(1.0));
    assert_eq!(value(&watch, "service_state"), Some(0.0));
    assert_eq!(value(&watch, "service_restarts_total"), Some(2.0));
    assert_eq!(value(&watch, "services_unhealthy"), Some(0.0));

    systemd.set("web.service", service("inactive", 2));
    until(&watch, "web", Some(false)).await;
    assert_eq!(value(&watch, "service_up"), Some(0.0));
    assert_eq!(value(&watch, "service_state"), Some(2.0));
    assert_eq!(value(&watch, "services_unhealthy"), Some(1.0));
    let web = watch.snapshot().remove("web").unwrap();
    assert!(web.message.starts_with("web.service is inactive"), "{}", web.message);

    systemd.set("web.service", service("active", 2));
    until(&watch, "web", Some(true)).await;
    let web = watch.snapshot().remove("web").unwrap();
    assert_eq!((web.message.as_str(), web.state.as_deref()), ("", Some("active")));
}

#[tokio::test]
async fn a_unit_that_runs_is_not_enough_where_a_probe_fails() {
    let systemd = FakeSystemd::start();
    systemd.set("web.service", service("active", 0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let services = often(services(serde_json::json!({
        "web": { "unit": "web.service", "tcp": address, "fail_after": 2 }
    })));
    let watch = watch(&services, Some(&systemd));
    until(&watch, "web", Some(true)).await;
    drop(listener);
    until(&watch, "web", Some(false)).await;
    assert_eq!(value(&watch, "service_state"), Some(0.0));
    assert!(value(&watch, "service_probe_seconds").is_some());
}

#[tokio::test]
async fn a_crash_loop_is_down_at_once_although_the_unit_is_active() {
    let systemd = FakeSystemd::start();
    systemd.set("web.service", service("active", 2));
    let services = serde_json::json!({ "web": { "unit": "web", "fail_after": 1_000_000 } });
    let watch = watch(&often(self::services(services)), Some(&systemd));
    until(&watch, "web", Some(true)).await;
    for restarts in [3, 4] {
        systemd.set("web.service", service("active", restarts));
        let counted = watch.until(|found| found["web"].restarts == Some(restarts));
        tokio::time::timeout(Duration::from_secs(20), counted).await.unwrap();
        assert_eq!(value(&watch, "service_up"), Some(1.0), "{restarts}");
    }
    systemd.set("web.service", service("active", 5));
    until(&watch, "web", Some(false)).await;
    let web = watch.snapshot().remove("web").unwrap();
    let why = "web.service is in a crash loop: restarted 3 times within 5m";
    assert_eq!((web.message.as_str(), web.state.as_deref()), (why, Some("active")));
}

#[tokio::test]
async fn a_unit_is_measured_and_a_kill_for_want_of_memory_is_told() {
    let root = tempfile::tempdir().unwrap();
    let group = root.path().join("sys/fs/cgroup/system.slice/web.service");
    std::fs::create_dir_all(&group).unwrap();
    std::fs::write(root.path().join("sys/fs/cgroup/cgroup.controllers"), "memory\n").unwrap();
    std::fs::write(group.join("memory.current"), "4096\n").unwrap();
    std::fs::write(group.join("cpu.stat"), "usage_usec 500000\n").unwrap();
    std::fs::write(group.join("cgroup.procs"), "7\n8\n").unwrap();
    let kills = |count: u32| {
        std::fs::write(group.join("new"), format!("oom_kill {count}\n")).unwrap();
        std::fs::rename(group.join("new"), group.join("memory.events")).unwrap();
    };
    kills(0);
    let systemd = FakeSystemd::start();
    systemd.set("web.service", service("active", 0));
    let services = often(services(serde_json::json!({ "web": { "unit": "web" } })));
    let watch = watch_in(root.path(), &services, Some(&systemd));
    until(&watch, "web", Some(true)).await;
    assert_eq!(value(&watch, "service_memory_bytes"), Some(4096.0));
    assert_eq!(value(&watch, "service_cpu_seconds_total"), Some(0.5));
    assert_eq!(value(&watch, "service_processes"), Some(2.0));
    assert_eq!(value(&watch, "service_oom_kills_total"), Some(0.0));
    kills(2);
    let counted = watch.until(|found| found["web"].usage.oom_kills == Some(2));
    tokio::time::timeout(Duration::from_secs(20), counted).await.unwrap();
    assert_eq!(value(&watch, "service_up"), Some(1.0), "it goes on");
    systemd.set("web.service", UnitState { control_group: None, ..service("inactive", 0) });
    until(&watch, "web", Some(false)).await;
    let message = watch.snapshot().remove("web").unwrap().message;
    assert!(message.ends_with("; the kernel killed it for want of memory within 5m"), "{message}");
    assert_eq!(value(&watch, "service_memory_bytes"), None);
}

#[tokio::test]
async fn a_program_alone_makes_a_service_and_one_failure_is_no_outage() {
    let directory = tempfile::tempdir().unwrap();
    let (flag, looks) = (directory.path().join("well"), directory.path().join("looks"));
    std::fs::write(&flag, "").unwrap();
    let script = format!("echo >> '{}'; test -e '{}'", looks.display(), flag.display());
    let services = often(services(serde_json::json!({
        "job": { "exec": ["/bin/sh", "-c", script], "fail_after": 3, "recover_after": 2 }
    })));
    let watch = watch(&services, None);
    until(&watch, "job", Some(true)).await;
    assert_eq!(watch.snapshot()["job"].state, None);
    std::fs::remove_file(&flag).unwrap();
    let failing = watch.until(|found| !found["job"].health.message.is_empty());
    tokio::time::timeout(Duration::from_secs(20), failing).await.unwrap();
    until(&watch, "job", Some(false)).await;
    let message = watch.snapshot().remove("job").unwrap().message;
    assert_eq!(message, "'/bin/sh' ended with 1");
    std::fs::write(&flag, "").unwrap();
    until(&watch, "job", Some(true)).await;
}

#[tokio::test]
async fn a_probe_that_hangs_delays_no_other_service() {
    let services = often(services(serde_json::json!({
        "hung": { "exec": ["/bin/sleep", "600"], "exec_timeout": "1h" },
        "well": { "file": "/" },
    })));
    let watch = watch(&services, None);
    let looked = watch.until(|found| found["well"].looks > 20);
    tokio::time::timeout(Duration::from_secs(20), looked).await.unwrap();
    let snapshot = watch.snapshot();
    assert_eq!((snapshot["hung"].up, snapshot["well"].up), (None, Some(true)));
    assert_eq!(value(&watch, "services_unhealthy"), None);
}

#[tokio::test]
async fn a_host_without_a_bus_has_services_that_are_unknown_and_then_down() {
    let services = services(serde_json::json!({
        "web": { "unit": "web", "interval": "1h" },
        "now": { "unit": "web", "interval": "1h", "fail_after": 1 },
    }));
    let watch = watch(&services, None);
    tokio::time::timeout(Duration::from_secs(20), watch.first_looks()).await.unwrap();
    let snapshot = watch.snapshot();
    assert_eq!((snapshot["web"].up, snapshot["now"].up), (None, Some(false)));
    assert!(snapshot["web"].message.contains("no D-Bus here"), "{}", snapshot["web"].message);
    // No sample claims anything about what is not known.
    let claims = |name: &str| {
        let samples = watch.samples();
        samples.iter().filter(|sample| sample.label("service") == Some(name)).count()
    };
    assert_eq!((claims("web"), claims("now")), (0, 1));
    assert_eq!(value(&watch, "services_unhealthy"), Some(1.0));
}

#[tokio::test]
async fn services_that_stay_keep_their_verdict_when_others_change() {
    let systemd = FakeSystemd::start();
    systemd.set("web.service", service("active", 0));
    let one = services(serde_json::json!({ "web": { "unit": "web", "interval": "1h" } }));
    let two = services(serde_json::json!({
        "api": { "unit": "api", "interval": "1h" },
        "web": { "unit": "web", "interval": "1h" },
    }));
    let mut watch = watch(&one, Some(&systemd));
    until(&watch, "web", Some(true)).await;
    let before = watch.snapshot().remove("web").unwrap();
    watch.update(&two);
    until(&watch, "api", Some(false)).await;
    assert_eq!(watch.snapshot()["web"], before);
    watch.update(&BTreeMap::new());
    assert_eq!(watch.snapshot().len(), 0);
    assert_eq!(value(&watch, "services_unhealthy"), Some(0.0));
}

#[tokio::test]
async fn a_service_with_nothing_to_look_at_says_so_and_is_never_up() {
    let services = services(serde_json::json!({ "web": { "fail_after": 1 } }));
    let watch = watch(&services, None);
    until(&watch, "web", Some(false)).await;
    assert!(watch.snapshot()["web"].message.contains("set unit, http, tcp, exec, file or timer"));
}

#[tokio::test]
async fn the_tasks_end_with_the_watch() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let services = often(services(serde_json::json!({ "web": { "tcp": address } })));
    let watch = watch(&services, None);
    until(&watch, "web", Some(true)).await;
    let looked = Arc::downgrade(&watch.found);
    drop(watch);
    while looked.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}
