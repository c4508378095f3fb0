//! Timers of a fake systemd.

use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::health::fake_systemd::{FakeSystemd, oneshot, service};
use crate::health::unit::UnitState;
use crate::health::unit::timer::TimerState;

/// A root whose system bus is the given systemd.
fn root(systemd: &FakeSystemd) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("run/dbus")).unwrap();
    symlink(systemd.socket(), root.path().join("run/dbus/system_bus_socket")).unwrap();
    root
}

async fn look(systemd: &FakeSystemd) -> String {
    let root = root(systemd);
    let probe = probe(serde_json::json!({ "timer": "backup", "max_age": "26h" }));
    let probed = run(&*probe, &means(root.path()), LIMIT).await;
    probed.result.map_or_else(|error| chain_text(&error), |()| String::new())
}

fn ago(hours: u64) -> Option<SystemTime> {
    Some(SystemTime::now() - Duration::from_secs(hours * 3600))
}

fn timer(triggered: Option<SystemTime>, active_since: Option<SystemTime>) -> TimerState {
    TimerState { unit: "backup.service".to_owned(), triggered, active_since }
}

#[tokio::test]
async fn a_timer_is_well_while_it_triggers_and_what_it_starts_ends_well() {
    let systemd = FakeSystemd::start();
    systemd.set("backup.service", oneshot("success", 9));
    for (timer, expected) in [
        (timer(ago(25), ago(400)), ""),
        (timer(ago(30), ago(400)), "backup.timer last triggered 1day 6h ago, and 1day 2h are"),
        (timer(None, ago(3)), ""),
        (timer(None, ago(30)), "backup.timer has never triggered and was started 1day 6h ago"),
        (timer(None, None), "backup.timer has never triggered"),
    ] {
        systemd.set_timer("backup.timer", timer);
        let found = look(&systemd).await;
        assert_eq!(found.is_empty(), expected.is_empty(), "{found}");
        assert!(found.starts_with(expected), "{found}");
    }
}

#[tokio::test]
async fn what_the_timer_starts_must_not_have_failed() {
    let systemd = FakeSystemd::start();
    systemd.set_timer("backup.timer", timer(ago(1), ago(400)));
    let failed = "backup.timer triggers backup.service, which has failed: ";
    assert_eq!(look(&systemd).await, format!("{failed}it is not-found"));
    systemd.set("backup.service", oneshot("exit-code", 9));
    assert_eq!(look(&systemd).await, format!("{failed}its process ended with 3"));
    systemd
        .set("backup.service", UnitState { active: "failed".to_owned(), ..oneshot("timeout", 9) });
    assert_eq!(look(&systemd).await, format!("{failed}it took too long to start or to stop"));
    // It is at work, or runs for ever.
    for state in ["activating", "active"] {
        systemd.set("backup.service", service(state, 0));
        assert_eq!(look(&systemd).await, "", "{state}");
    }
}

#[tokio::test]
async fn a_timer_that_does_not_run_is_not_well() {
    let systemd = FakeSystemd::start();
    assert_eq!(look(&systemd).await, "backup.timer is not-found");
    systemd.set("backup.timer", service("inactive", 0));
    assert_eq!(look(&systemd).await, "backup.timer is inactive and triggers nothing");
    systemd.set_timer("backup.timer", TimerState { unit: String::new(), ..timer(ago(1), None) });
    assert_eq!(look(&systemd).await, "backup.timer triggers nothing");
}

#[tokio::test]
async fn a_host_without_a_bus_has_no_timer_that_is_well() {
    let root = tempfile::tempdir().unwrap();
    let probe = probe(serde_json::json!({ "timer": "backup" }));
    let said = why(run(&*probe, &means(root.path()), LIMIT).await);
    assert!(said.starts_with("there is no D-Bus here"), "{said}");
}
