//! `ami/verify.sh` on an instance that is as it should be, and on ones that are not.

use std::path::Path;
use std::time::Duration;

use crate::check::{FLOW, STEP, target, wait_status};
use crate::fakes::wait::until;
use crate::fixtures::{Plan, boot, instance};
use crate::machine::Machine;
use crate::world::World;

const IMAGE: &str = "name = \"web\"\nversion = \"1.4.2\"\nbase = \"al2023-arm64\"\n";
const IMAGE_FILE: &str = "/usr/lib/gild/image.toml";
const PATH: &str = "/root/verify.sh";

/// An instance of an image.
fn plan() -> Plan {
    Plan { files: vec![(IMAGE_FILE.to_owned(), IMAGE.to_owned())], ..Plan::default() }
}

/// What the script says and its exit code.
fn verify(machine: &Machine, options: &[&str]) -> (Option<i32>, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ami/verify.sh");
    std::fs::copy(script, machine.path(PATH)).unwrap();
    let output = machine.exec(&[&["sh", PATH][..], options].concat());
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(complained, "", "the script's own errors");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Waits until the script's exit code is this one and it says all of these lines.
#[track_caller]
fn says(machine: &Machine, code: i32, lines: &[&str], deadline: Duration) -> String {
    until(&format!("exit code {code} and {lines:?}"), deadline, || {
        let (found, text) = verify(machine, &[]);
        let has = |wanted: &&str| text.lines().any(|line| line.starts_with(*wanted));
        match found == Some(code) && lines.iter().all(has) {
            true => Ok(text),
            false => Err(format!("{found:?}\n{text}")),
        }
    })
}

#[test]
fn verify_finds_nothing_on_a_good_instance_and_names_what_is_broken() {
    let mut world = World::new(&instance());
    let machine = boot(&world, &plan());
    let (code, text) = verify(&machine, &["--wait"]);
    // What its sinks and its units are about is not all there at once.
    assert!(matches!(code, Some(0 | 1)), "{code:?}\n{text}");
    assert_eq!(target(&machine), "active", "{}", machine.story());
    wait_status(&machine, 0);
    let good = [
        "ok     image: web 1.4.2",
        "ok     unit: gild.service",
        "ok     unit: gild-configured.target",
        "ok     socket: /run/gild/status.sock",
        "ok     scope: global http://global.test",
        "ok     scope: account ssm:/gild/account",
        "ok     step: ready",
        "ok     sink: cloudwatch",
        "ok     sink: prometheus",
        "ready",
    ];
    let text = says(&machine, 0, &good, FLOW);
    assert!(!text.contains("WRONG"), "{text}");

    std::fs::remove_file(machine.path(IMAGE_FILE)).unwrap();
    says(&machine, 1, &["WRONG  image: there is no", "ok     step: ready"], FLOW);
    std::fs::write(machine.path(IMAGE_FILE), "name = \"web\"\n").unwrap();
    says(&machine, 1, &["WRONG  image: /usr/lib/gild/image.toml names no"], FLOW);
    std::fs::write(machine.path(IMAGE_FILE), IMAGE).unwrap();
    says(&machine, 0, &["ready"], FLOW);

    machine.say(&["chmod", "0666", "/run/gild/status.sock"]);
    says(&machine, 1, &["WRONG  socket: /run/gild/status.sock belongs to"], FLOW);
    machine.say(&["chmod", "0660", "/run/gild/status.sock"]);

    machine.say(&["systemctl", "disable", "--now", "gild-reconfigure.path"]);
    says(&machine, 0, &["note   unit: gild-reconfigure.path is disabled"], FLOW);
    machine.say(&["systemctl", "disable", "gild.service"]);
    says(&machine, 1, &["WRONG  unit: gild.service is disabled and active"], FLOW);
    machine.say(&["systemctl", "enable", "gild.service"]);

    world.prometheus.stop();
    says(&machine, 1, &["WRONG  sink: prometheus:", "ok     sink: cloudwatch"], FLOW);

    machine.say(&["systemctl", "stop", "gild.service", "gild.socket"]);
    let (code, text) = verify(&machine, &[]);
    assert_eq!(code, Some(5), "{text}");
    assert!(text.contains("WRONG  unit: gild.service is enabled and inactive"), "{text}");
    assert!(text.contains("WRONG  daemon: gild: no daemon answers"), "{text}");
    let output = machine.exec(&["sh", PATH, "--wat"]);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn verify_tells_of_a_step_that_failed_with_its_task() {
    let world = World::new(&instance());
    let playbook = "- name: Fail\n  hosts: all\n  gather_facts: false\n  tasks:\n    \
         - name: Do what cannot be done\n      tags: [configuration]\n      \
         ansible.builtin.fail: { msg: 'no, \"never\"' }\n";
    let machine = boot(&world, &Plan { playbook: playbook.to_owned(), ..plan() });
    assert_eq!(machine.wait_configured(STEP), "failed", "{}", machine.story());
    let lines = [
        "ok     image: web 1.4.2",
        "WRONG  unit: gild-configured.target is enabled and",
        "WRONG  unit: gild-configure.service has failed",
        "WRONG  step: failed: task Do what cannot be done: ",
        "failed",
    ];
    says(&machine, 1, &lines, FLOW);
}
