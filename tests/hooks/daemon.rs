//! What the daemon tells of services that stay down.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use http::Method;

use super::*;
use crate::host::wait_for;

const HEALTH: &str = "SetInstanceHealth";

/// How long the service may be down.
const LIMIT: Duration = Duration::from_secs(2);

/// A free port, and a host in a group whose critical service must listen there.
fn serving(state: &str) -> (Host, AutoScaling, u16) {
    let port = loopback().local_addr().unwrap().port();
    let (host, group) = host_in(state, "InService", "");
    host.configured(&format!(
        "{READY}[metrics]\ninterval = \"1s\"\n[lifecycle]\nunhealthy_after = \"2s\"\n\
         [service.web]\ntcp = \"127.0.0.1:{port}\"\ninterval = \"1s\"\nfail_after = 1\n\
         recover_after = 1\ncritical = true\n\
         [service.side]\ntcp = \"127.0.0.1:1\"\ninterval = \"1s\"\nfail_after = 1\n"
    ));
    (host, group, port)
}

fn is_up(host: &Host, name: &str) -> Value {
    host.ask(Method::GET, "/v1/status")["services"][name]["up"].clone()
}

#[test]
fn a_critical_service_that_stays_down_is_told_once_an_outage() {
    let (host, group, port) = serving("InService");
    assert_eq!(configured(&host).0, Some(0));
    let _daemon = host.started(&["run"]);
    wait_for("word", || group.health() == "Unhealthy");
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    wait_for("recovery", || is_up(&host, "web") == true);
    assert_eq!(group.called(HEALTH).len(), 1);
    // A service that is not critical may stay down for as long as it likes.
    assert_eq!(is_up(&host, "side"), false);
    drop(listener);
    wait_for("word of the second outage", || group.called(HEALTH).len() == 2);
    assert_eq!(group.called(HEALTH)[0].field("InstanceId"), "i-0123456789abcdef0");
}

#[test]
fn an_outage_counts_from_the_end_of_the_boot() {
    let (host, group, _) = serving("InService");
    let go = held_step(&host, 0);
    let _daemon = host.started(&["run"]);
    let mut boot = host.started(&["configure"]);
    wait_for("socket", || host.path("run/gild/status.sock").exists());
    wait_for("outage", || is_up(&host, "web") == false);
    let down = Instant::now();
    wait_for("time", || down.elapsed() > LIMIT * 2);
    assert_eq!(group.called(HEALTH).len(), 0);
    let over = Instant::now();
    fs::write(go, "").unwrap();
    assert!(boot.0.wait().unwrap().success());
    wait_for("word", || group.health() == "Unhealthy");
    let told = group.called(HEALTH)[0].at - over;
    // The daemon has seen the boot at work at its last measurement, not at its last moment.
    assert!(told > LIMIT - Duration::from_secs(1), "{told:?}");
}

#[test]
fn a_missing_permission_is_a_problem_in_the_status() {
    let (host, group, _) = serving("InService");
    group.deny(HEALTH);
    assert_eq!(configured(&host).0, Some(0));
    let _daemon = host.started(&["run"]);
    let problems = || host.ask(Method::GET, "/v1/status")["problems"].to_string();
    wait_for("socket", || host.path("run/gild/status.sock").exists());
    wait_for("problem", || problems().contains("allow its role autoscaling:SetInstanceHealth"));
    assert_eq!(group.called(HEALTH).len(), 1);
    assert_eq!(host.ask(Method::GET, "/v1/status")["state"], "ready");
}

#[test]
fn a_host_outside_any_group_tells_nobody_of_its_services() {
    let (host, group, _) = serving("InService");
    host.imds.set(TARGET, None);
    assert_eq!(configured(&host).0, Some(0));
    let asked = || host.imds.requests().iter().filter(|path| *path == TARGET).count();
    let before = asked();
    let _daemon = host.started(&["run"]);
    wait_for("question", || asked() > before);
    wait_for("outage", || is_up(&host, "web") == false);
    assert_eq!(group.calls().len(), 0);
}
