//! What the scenarios ask a machine: its status, its report, its rendered file.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::fakes::wait::until;
use crate::fixtures::RENDERED;
use crate::machine::Machine;
use crate::world::{Series, World};

/// The longest that a boot with a playbook may take here; far above what it takes.
pub(crate) const STEP: Duration = Duration::from_secs(180);
/// The longest for a sample to get from a collector to a receiver.
pub(crate) const FLOW: Duration = Duration::from_secs(60);

/// What `gild status` said and its exit code.
pub(crate) fn status(machine: &Machine) -> (Option<i32>, String) {
    let output = machine.exec(&["gild", "status"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), said + &String::from_utf8_lossy(&output.stderr))
}

/// Waits until `gild status` exits with `code`, and returns what it said.
#[track_caller]
pub(crate) fn wait_status(machine: &Machine, code: i32) -> String {
    until(&format!("status with exit code {code}"), FLOW, || match status(machine) {
        (Some(found), said) if found == code => Ok(said),
        other => Err(format!("{other:?}\n{}", machine.story())),
    })
}

/// What `gild status --json` said, whatever its exit code.
pub(crate) fn status_json(machine: &Machine) -> Value {
    let said = machine.say(&["gild", "status", "--json"]);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("status --json: {error}: {said}"))
}

/// The boot's report.
pub(crate) fn report(machine: &Machine) -> Value {
    let report = machine.read("/run/gild/report.json").expect("configure leaves a report");
    serde_json::from_str(&report).expect("the report is JSON")
}

/// The variables that the playbook wrote down.
#[track_caller]
pub(crate) fn rendered(machine: &Machine) -> BTreeMap<String, String> {
    let text =
        machine.read(RENDERED).unwrap_or_else(|error| panic!("{error}\n{}", machine.story()));
    let line = |line: &str| {
        let (name, value) = line.split_once('=').expect("name=value");
        (name.to_owned(), serde_json::from_str(value).expect("a value is a JSON text"))
    };
    text.lines().map(line).collect()
}

/// Whether the target was reached, with the rest of the boot over. Waits for the latter.
#[track_caller]
pub(crate) fn target(machine: &Machine) -> String {
    machine.wait_configured(STEP);
    machine.wait_for("multi-user.target", &["active"], STEP);
    let over = || match machine.say(&["systemctl", "list-jobs", "--no-legend"]) {
        jobs if jobs.is_empty() || jobs.starts_with("No jobs") => Ok(()),
        jobs => Err(jobs),
    };
    until("end of the boot's jobs", FLOW, over);
    machine.state_of("gild-configured.target")
}

/// Waits until Prometheus has points of a selector.
#[track_caller]
pub(crate) fn wait_points(world: &World, selector: &str) -> Vec<Series> {
    until(&format!("points of {selector}"), FLOW, || {
        let series = world.prometheus.points(selector, "5m");
        if series.is_empty() { Err("none".to_owned()) } else { Ok(series) }
    })
}

/// Now, as Prometheus counts.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// The group that waited for the instance has been told this, once, after a heartbeat.
#[track_caller]
pub(crate) fn group_was_told(world: &World, word: &str) {
    let calls = world.group.calls();
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.action.as_str(), call.field("LifecycleActionResult")))
        .collect();
    let beats = told.iter().filter(|(action, _)| *action == "RecordLifecycleActionHeartbeat");
    assert_eq!(beats.count(), 1, "{told:?}");
    let ended: Vec<_> = told.iter().filter(|(_, word)| !word.is_empty()).collect();
    assert_eq!(ended, [&("CompleteLifecycleAction", word)], "{told:?}");
    assert_eq!(world.group.state(), "Pending:Proceed");
}
