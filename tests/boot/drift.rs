//! A document that changes after the boot: the daemon sees it, shows it, and has systemd run
//! another configuration step, without a reboot and without disturbing what is configured.

use serde_json::{Value, json};

use crate::check::{FLOW, STEP, rendered, report, status_json, target};
use crate::fakes::wait::until;
use crate::fixtures::{Plan, boot, instance};
use crate::machine::Machine;
use crate::world::World;

const ASKED: &str = "/run/gild/daemon/reconfigure";
const TARGET: &str = "gild-configured.target";

fn document(word: &str, seconds: u32) -> String {
    format!(
        "configuration.run = \"on-change\"\n[metrics]\ncollectors = [\"cpu\", \"memory\"]\n\
         [vars]\nonly_global = \"{word}\"\nglobal_and_account = \"{word}\"\nin_all = \"global\"\n\
         [service.web]\ninterval = \"{seconds}s\"\n"
    )
}

fn property(machine: &Machine, unit: &str, name: &str) -> String {
    machine.say(&["systemctl", "show", "--value", &format!("--property={name}"), unit])
}

#[track_caller]
fn systemctl(machine: &Machine, verb: &str, unit: &str) {
    let output = machine.exec(&["systemctl", verb, unit]);
    assert!(output.status.success(), "{output:?}");
}

/// What must be the same at the end: when the target was reached, and which run of the boot's
/// step it stands on.
fn boot_s_own(machine: &Machine) -> [String; 4] {
    [
        machine.state_of(TARGET),
        property(machine, TARGET, "ActiveEnterTimestampMonotonic"),
        machine.state_of("gild-configure.service"),
        property(machine, "gild-configure.service", "InvocationID"),
    ]
}

#[track_caller]
fn wait_rendered(machine: &Machine, word: &str) {
    until(&format!("step with {word}"), STEP, || match rendered(machine) {
        found if found["only_global"] == word => Ok(()),
        found => Err(format!("{found:?}\n{}", machine.story())),
    });
}

#[track_caller]
fn wait_drift(machine: &Machine, holds: impl Fn(&Value) -> bool) -> Value {
    until("status", FLOW, || match status_json(machine) {
        status if holds(&status["drift"]) => Ok(status),
        status => Err(format!("{status:#}\n{}", machine.story())),
    })
}

#[test]
fn a_changed_document_leads_to_another_step_without_a_reboot() {
    let world = World::new(&instance());
    let scope = "deadline = \"60s\"\nrefresh = \"2s\"";
    let machine = boot(&world, &Plan { scope, ..Plan::default() });
    assert_eq!(target(&machine), "active", "{}", machine.story());
    assert_eq!(machine.state_of("gild-reconfigure.path"), "active");
    assert_eq!(machine.state_of("gild-reconfigure.service"), "inactive");
    let checked =
        ["systemd-analyze", "verify", "gild-reconfigure.path", "gild-reconfigure.service"];
    let checked = machine.exec(&checked);
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
    let first = status_json(&machine)["configuration"]["started_at"].clone();
    let own = boot_s_own(&machine);

    // With nobody to hear the daemon, the drift stays to be seen.
    systemctl(&machine, "stop", "gild-reconfigure.path");
    world.files.put("/gild/global.toml", document("second", 3));
    let status = wait_drift(&machine, |drift| drift["keys"].is_array());
    let keys = status["drift"]["keys"].as_array().unwrap();
    let key = |name: &str| {
        let found = keys.iter().find(|key| key["key"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {status:#}"))
    };
    let waits = key("vars.only_global");
    assert_eq!(
        (&waits["before"]["value"], &waits["after"]["value"]),
        (&json!("global"), &json!("second"))
    );
    assert_eq!(waits["in_force"], false);
    assert_eq!(key("metrics.collectors")["in_force"], true);
    until("question", FLOW, || machine.read(ASKED));
    assert_eq!(rendered(&machine)["only_global"], "global");

    systemctl(&machine, "start", "gild-reconfigure.path");
    wait_rendered(&machine, "second");
    wait_drift(&machine, Value::is_null);
    let again = until("end of the step", STEP, || match report(&machine) {
        report if report["ended_at"].is_string() => Ok(report),
        report => Err(format!("{report:#}")),
    });
    let reason = again["decision"]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.starts_with("the configuration changed"), "{again:#}");
    assert_ne!(again["started_at"], first);
    assert!(!machine.path(ASKED).exists());

    // And with everything at its place.
    world.files.put("/gild/global.toml", document("third", 4));
    wait_rendered(&machine, "third");
    wait_drift(&machine, Value::is_null);
    machine.wait_for("gild-reconfigure.service", &["inactive"], STEP);
    assert_eq!(property(&machine, "gild-reconfigure.service", "Result"), "success");
    assert_eq!(boot_s_own(&machine), own);

    // A daemon that leaves something that cannot be removed keeps nobody busy.
    let hostile = ["setpriv", "--reuid=gild", "--regid=gild", "--clear-groups", "mkdir", ASKED];
    assert!(machine.exec(&hostile).status.success());
    machine.wait_for("gild-reconfigure.path", &["failed"], FLOW);
    assert_eq!(boot_s_own(&machine), own);
}
