//! The life of a package on a host that is at work: another version comes and goes, and then
//! gild goes altogether.

use std::path::Path;

use serde_json::Value;

use crate::check::{FLOW, report, status_json, target, wait_points, wait_status};
use crate::fakes::wait::until;
use crate::fixtures::{Plan, TICK_SECONDS, boot, instance};
use crate::machine::Machine;
use crate::package::{DEB, package};
use crate::world::World;

/// Every tick writes it, whatever the host does.
const STEADY: &str = "node_memory_MemTotal_bytes";
/// Of the same binary: what is looked at is what the package does.
const NEWER: &str = "9999.0.0";

#[test]
fn another_version_restarts_the_daemon_and_loses_neither_state_nor_a_sample() {
    let world = World::new(&instance());
    let machine = boot(&world, &Plan::default());
    assert_eq!(target(&machine), "active", "{}", machine.story());
    wait_status(&machine, 0);
    wait_points(&world, STEADY);
    let step = step(&machine);
    let original = version(&machine);

    for (package, wanted) in
        [(package(DEB, Some(NEWER)), format!("{NEWER}-1")), (package(DEB, None), original)]
    {
        let before = daemon(&machine);
        dpkg(&machine, "--install", &bring(&machine, &package));
        assert_eq!(version(&machine), wanted);
        assert_ne!(daemon(&machine), before, "the old daemon still runs");
        wait_status(&machine, 0);
        no_sample_is_missing(&world);
        assert_eq!(self::step(&machine), step, "the step of the boot is another one");
        assert_eq!(machine.state_of("gild-configured.target"), "active");
        assert_eq!(machine.state_of("gild-drain.service"), "active");
    }
}

#[test]
fn what_an_operator_disabled_stays_disabled_in_another_version() {
    let world = World::new(&instance());
    let machine = boot(&world, &Plan::default());
    target(&machine);
    assert_eq!(enabled(&machine, "gild-reconfigure.path"), "enabled");
    machine.say(&["systemctl", "disable", "--now", "gild-reconfigure.path"]);
    dpkg(&machine, "--install", &bring(&machine, &package(DEB, Some(NEWER))));
    assert_eq!(enabled(&machine, "gild-reconfigure.path"), "disabled");
    assert_eq!(machine.state_of("gild-reconfigure.path"), "inactive");
}

#[test]
fn a_package_that_is_removed_leaves_what_the_step_made_and_nothing_of_gild_s() {
    let world = World::new(&instance());
    let machine = boot(&world, &Plan::default());
    assert_eq!(target(&machine), "active", "{}", machine.story());
    wait_status(&machine, 0);

    dpkg(&machine, "--remove", "gild");
    assert!(machine.path("/var/lib/gild/last-good").exists(), "only a purge takes the state");
    for unit in ["gild.service", "gild.socket", "gild-drain.service", "gild-reconfigure.path"] {
        assert_eq!(machine.state_of(unit), "inactive", "{unit}");
    }
    assert_eq!(machine.state_of("nginx.service"), "active", "the host's service was stopped");

    dpkg(&machine, "--install", &bring(&machine, &package(DEB, None)));
    assert_eq!(enabled(&machine, "gild-drain.service"), "enabled", "it came again");
    assert_eq!(machine.state_of("gild.service"), "inactive", "it was started");
    dpkg(&machine, "--remove", "gild");

    // The scenario's own, which a package knows nothing of.
    machine.say(&["sh", "-c", "rm -r /etc/systemd/system/gild* /usr/lib/gild"]);
    dpkg(&machine, "--purge", "gild");
    // The step of the boot stays a unit until the next one: what requires it is not stopped.
    let left = machine.say(&[
        "sh",
        "-c",
        "find /etc /usr /var /run -iname '*gild*' -not -path '/run/systemd/units/*'",
    ]);
    assert_eq!(left, "", "files were left");
    let dangling = machine.say(&["find", "/etc/systemd", "-xtype", "l", "-lname", "*gild*"]);
    assert_eq!(dangling, "", "links of units were left");
    assert!(!machine.exec(&["getent", "passwd", "gild"]).status.success(), "the user was left");
    assert!(!machine.exec(&["getent", "group", "gild"]).status.success(), "the group was left");
}

/// Brings a package into the machine and says where it is there.
fn bring(machine: &Machine, package: &Path) -> String {
    let path = "/root/package.deb";
    std::fs::copy(package, machine.path(path)).unwrap();
    path.to_owned()
}

#[track_caller]
fn dpkg(machine: &Machine, verb: &str, what: &str) {
    let output = machine.exec(&["dpkg", verb, what]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}\n{}", machine.story());
}

fn version(machine: &Machine) -> String {
    machine.say(&["dpkg-query", "--show", "--showformat=${Version}", "gild"])
}

fn enabled(machine: &Machine, unit: &str) -> String {
    machine.say(&["systemctl", "is-enabled", unit])
}

fn daemon(machine: &Machine) -> String {
    machine.say(&["systemctl", "show", "--property=MainPID", "--value", "gild.service"])
}

/// What the step left, in memory and on the disk.
fn step(machine: &Machine) -> (Value, Value, String) {
    let kept =
        machine.say(&["sh", "-c", "cd /var/lib/gild && ls -lR --full-time last-good reports"]);
    (report(machine), status_json(machine)["step"].clone(), kept)
}

/// The longest pause between two samples, once the daemon has sent some of its own again.
#[track_caller]
fn no_sample_is_missing(world: &World) {
    let restarted = crate::check::now();
    let points = until("samples of the new daemon", FLOW, || {
        let series = wait_points(world, STEADY);
        assert_eq!(series.len(), 1, "{series:?}");
        let fresh = series[0].points.iter().filter(|(at, _)| *at > restarted).count();
        if fresh >= 3 { Ok(series[0].points.clone()) } else { Err(format!("{fresh} new samples")) }
    });
    let pause = points.windows(2).map(|pair| pair[1].0 - pair[0].0).fold(0.0, f64::max);
    println!("the longest pause between two of {} samples is {pause:.1} s", points.len());
    assert!(pause <= 2.0 * TICK_SECONDS + 0.5, "a pause of {pause} s: {points:?}");
}
