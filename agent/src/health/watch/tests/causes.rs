//! What makes a whole service go down, by its unit and its probes.

use super::*;
use crate::health::unit::UnitState;

#[tokio::test]
async fn a_crash_loop_is_down_at_once_although_the_unit_is_active() {
    let systemd = FakeSystemd::start();
    systemd.set("web.service", service("active", 2));
    let services = serde_json::json!({ "web": { "unit": "web", "fail_after": 1_000_000 } });
    let watch = watch(&often(super::services(services)), Some(&systemd));
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
    assert!(
        message.ends_with("; the kernel killed a process of it for want of memory within 5m"),
        "{message}"
    );
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
