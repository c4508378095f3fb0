//! A step that failed at the boot and that a later one mends: what waits for the
//! configuration starts then, without a reboot.

use serde_json::Value;

use crate::check::{STEP, report, target, wait_status};
use crate::fakes::wait::until;
use crate::fixtures::{Plan, boot, instance};
use crate::world::World;

const TASK: &str = "Want another word";
const RUNS: &str = "/srv/runs";

fn plan() -> Plan {
    let playbook = format!(
        r#"- name: Fail until something changes
  hosts: all
  gather_facts: false
  tags: [configuration]
  tasks:
    - name: Count
      ansible.builtin.shell: echo run >> {RUNS}
    - name: {TASK}
      ansible.builtin.assert: {{ that: only_global != 'global' }}
"#
    );
    let scope = "deadline = \"60s\"\nrefresh = \"2s\"";
    Plan { playbook, scope, ..Plan::default() }
}

#[test]
fn a_step_that_mends_what_failed_at_the_boot_reaches_the_target() {
    let world = World::new(&instance());
    let machine = boot(&world, &plan());
    assert_eq!(target(&machine), "inactive", "{}", machine.story());
    assert_eq!(machine.state_of("gild-configure.service"), "failed");
    assert!(wait_status(&machine, 1).contains(TASK));

    let document = "configuration.run = \"on-change\"\n[vars]\nonly_global = \"another\"\n";
    world.files.put("/gild/global.toml", document);
    machine.wait_for("gild-configured.target", &["active"], STEP);
    assert_eq!(machine.state_of("gild-configure.service"), "active");
    wait_status(&machine, 0);
    // Once at the boot and once to mend it; what the target started again ran nothing.
    let last = until("the last report", STEP, || match report(&machine) {
        last if last["decision"]["run"] == false && last["ended_at"].is_string() => Ok(last),
        last => Err(format!("{last:#}")),
    });
    assert_eq!(last["outcome"], Value::from("ready"), "{last:#}");
    let runs = machine.read(RUNS).unwrap();
    assert_eq!(runs.lines().count(), 2, "{}", machine.story());
}
