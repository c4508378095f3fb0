//! Whole services, watched with short intervals; every test waits for what it
//! expects and for nothing else.
#![allow(clippy::unwrap_used)]

mod causes;

use std::ops::{Deref, DerefMut};
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;
use crate::config::schema::read_value;
use crate::health::fake_systemd::{FakeSystemd, service};

fn services(text: serde_json::Value) -> BTreeMap<String, ServiceSettings> {
    read_value(&text)
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
