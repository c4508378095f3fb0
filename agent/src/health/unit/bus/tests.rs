//! The bus, played by a fake systemd.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::health::fake_systemd::{FakeSystemd, oneshot, service};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_unit_is_read_over_one_connection() {
    let systemd = FakeSystemd::start();
    systemd.set("web.service", service("active", 4));
    let bus = SystemBus::new(systemd.socket());
    for _ in 0..3 {
        let state = bus.unit("web.service", LIMIT).await.unwrap();
        assert_eq!((state.active.as_str(), state.restarts), ("active", Some(4)));
        assert_eq!(state.kind.as_deref(), Some("simple"));
    }
    assert_eq!(systemd.connections(), 1);
}

#[tokio::test]
async fn a_unit_that_rests_or_does_not_exist_is_loaded_by_the_question() {
    let systemd = FakeSystemd::start();
    let bus = SystemBus::new(systemd.socket());
    let state = bus.unit("nothing.service", LIMIT).await.unwrap();
    assert_eq!((state.load.as_str(), state.result), ("not-found", None));
}

#[tokio::test]
async fn a_systemd_without_a_restart_count_is_read_all_the_same() {
    let systemd = FakeSystemd::start();
    let mut old = service("active", 0);
    old.restarts = None;
    systemd.set("web.service", old);
    let state = SystemBus::new(systemd.socket()).unit("web.service", LIMIT).await.unwrap();
    assert_eq!((state.restarts, state.started), (None, Some(7)));
}

#[tokio::test]
async fn a_oneshot_that_rests_is_asked_what_it_did() {
    let systemd = FakeSystemd::start();
    systemd.set("backup.service", oneshot("exit-code", 9));
    let state = SystemBus::new(systemd.socket()).unit("backup.service", LIMIT).await.unwrap();
    assert_eq!((state.started, state.remains, state.status), (Some(9), Some(false), Some(3)));
    // What depends on nothing is not asked for.
    systemd.set("web.service", service("active", 0));
    let state = SystemBus::new(systemd.socket()).unit("web.service", LIMIT).await.unwrap();
    assert_eq!((state.started, state.remains, state.status), (None, None, None));
    assert_eq!(state.control_group.as_deref(), Some("/system.slice/web.service"));
}

#[tokio::test]
async fn a_timer_says_what_it_triggers_and_when_it_last_did() {
    let systemd = FakeSystemd::start();
    let then = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let timer =
        TimerState { unit: "backup.service".to_owned(), triggered: Some(then), active_since: None };
    systemd.set_timer("backup.timer", timer.clone());
    let bus = SystemBus::new(systemd.socket());
    let (state, found) = bus.timer("backup.timer", LIMIT).await.unwrap();
    assert_eq!((state.active.as_str(), found), ("active", timer));
    let (state, found) = bus.timer("nothing.timer", LIMIT).await.unwrap();
    assert_eq!((state.load.as_str(), found), ("not-found", TimerState::default()));
}

#[tokio::test]
async fn a_broken_connection_is_made_again() {
    let systemd = FakeSystemd::start();
    systemd.set("web.service", service("active", 0));
    let bus = SystemBus::new(systemd.socket());
    bus.unit("web.service", LIMIT).await.unwrap();
    systemd.hang_up();
    assert!(bus.unit("web.service", LIMIT).await.is_err());
    bus.unit("web.service", LIMIT).await.unwrap();
    assert_eq!(systemd.connections(), 2);
}

#[tokio::test]
async fn a_host_without_a_bus_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let bus = SystemBus::new(directory.path().join("nothing"));
    for _ in 0..2 {
        let error = bus.unit("web.service", LIMIT).await.unwrap_err();
        assert!(matches!(error, UnitError::NoBus { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_silent_bus_costs_no_more_than_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("bus");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let limit = Duration::from_millis(30);
    let error = SystemBus::new(socket).unit("web.service", limit).await.unwrap_err();
    assert!(matches!(error, UnitError::Timeout { .. }), "{error}");
}
