//! The status socket, held by systemd and bound by the daemon itself.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};

use crate::check::{status, target, wait_status};
use crate::fixtures::{Plan, boot, instance};
use crate::machine::Machine;
use crate::world::World;

fn booted(world: &World, disable: Vec<&'static str>) -> Machine {
    let plan = Plan { disable, ..Plan::default() };
    let machine = boot(world, &plan);
    assert_eq!(target(&machine), "active", "{}", machine.story());
    wait_status(&machine, 0);
    machine
}

/// Owner, group and permissions of the socket.
fn socket(machine: &Machine, path: &str) -> (u32, u32, u32) {
    let file = std::fs::symlink_metadata(machine.path(path)).unwrap();
    assert!(file.file_type().is_socket());
    (file.uid(), file.gid(), file.permissions().mode() & 0o777)
}

fn id(machine: &Machine, option: &str) -> u32 {
    machine.say(&["id", option, "gild"]).parse().unwrap()
}

#[test]
fn the_status_works_under_socket_activation() {
    let world = World::new(&instance());
    let machine = booted(&world, vec![]);
    assert_eq!(machine.state_of("gild.socket"), "active");
    assert_eq!(socket(&machine, "/run/gild/status.sock"), (0, id(&machine, "-g"), 0o660));

    // With the daemon gone the socket stays, and the first question brings it back.
    assert!(machine.exec(&["systemctl", "stop", "gild.service"]).status.success());
    assert_eq!(machine.state_of("gild.service"), "inactive");
    wait_status(&machine, 0);
    assert_eq!(machine.state_of("gild.service"), "active");
}

#[test]
fn the_status_works_without_socket_activation() {
    let world = World::new(&instance());
    let machine = booted(&world, vec!["gild.socket"]);
    assert_eq!(machine.state_of("gild.socket"), "inactive");
    let (owner, group, mode) = socket(&machine, "/run/gild/daemon/status.sock");
    assert_eq!((owner, group), (id(&machine, "-u"), id(&machine, "-g")));
    assert_eq!(mode & 0o007, 0, "the socket is open to all: {mode:o}");

    assert!(machine.exec(&["systemctl", "stop", "gild.service"]).status.success());
    assert_eq!(status(&machine).0, Some(5), "without a daemon");
    assert!(machine.exec(&["systemctl", "start", "gild.service"]).status.success());
    wait_status(&machine, 0);
    // A daemon that was killed leaves its socket behind; the next one takes it over.
    assert!(machine.exec(&["systemctl", "kill", "--signal=KILL", "gild.service"]).status.success());
    wait_status(&machine, 0);
}
