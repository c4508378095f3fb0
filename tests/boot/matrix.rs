//! The life of an instance over its boots: what runs when, for each policy, with the oldest
//! Ansible that is supported and the newest, and what the report says of why.
//!
//! The table of the policies is proved beside them in `configure/policy.rs`; here it is seen to hold
//! for what a machine, its metadata service and its disk are really like.

use serde_json::{Value, json};

use crate::ansible;
use crate::check::{report, status_json, target, wait_status};
use crate::fakes::imds::Instance;
use crate::fixtures::{Plan, boot, instance};
use crate::machine::Machine;
use crate::world::World;

const RUNS: &str = "/srv/runs";
const FIRST: &str = "first boot of this instance";

/// A playbook that leaves a line for each of its runs.
const COUNTING: &str = r#"- name: Count
  hosts: all
  gather_facts: false
  tags: [configuration]
  tasks:
    - name: Count this run
      ansible.builtin.shell: echo "{{ ansible_version.full }}" >>/srv/runs
"#;

/// A machine over its boots.
struct Life {
    world: World,
    machine: Machine,
    instance: Instance,
    /// How often Ansible has run on this disk.
    runs: usize,
    boots: Vec<String>,
}

impl Life {
    fn begin(plan: &Plan) -> Self {
        let world = World::new(&instance());
        let machine = boot(&world, plan);
        Self { world, machine, instance: instance(), runs: 0, boots: Vec::new() }
    }

    fn publish(&self, global: String) {
        self.world.files.put("/gild/global.toml", global);
    }

    /// Shuts down, lets the world be another one, and boots the same disk.
    fn reboot(&mut self, change: impl FnOnce(&mut Self)) {
        self.machine.power_off();
        change(self);
        self.world.imds.describe(&self.instance);
        self.machine.power_on();
    }

    /// The boot has ended well, and did or did not run the step for this reason.
    #[track_caller]
    fn expect(&mut self, run: bool, reason: &str) {
        assert_eq!(target(&self.machine), "active", "{}", self.machine.story());
        self.runs += usize::from(run);
        let report = report(&self.machine);
        let found = report["decision"]["reason"].as_str().unwrap_or_default();
        assert!(found.starts_with(reason), "'{found}' and not '{reason}'");
        assert_eq!(report["decision"]["run"], json!(run), "{report:#}");
        assert_eq!(report["outcome"], "ready", "{report:#}");
        assert_eq!(report["instance_id"], self.instance.id.as_str());
        let phases = report["phases"].as_array().unwrap();
        let step = phases.iter().find(|phase| phase["name"] == "step");
        let step = step.map_or(&Value::Null, |step| &step["outcome"]);
        assert_eq!(step, if run { "ok" } else { "skipped" }, "{report:#}");
        assert_eq!(report["tasks"].as_array().map(Vec::len), Some(usize::from(run)), "{report:#}");

        wait_status(&self.machine, 0);
        let status = status_json(&self.machine);
        assert_eq!(status["state"], "ready", "{status:#}");
        assert_eq!(status["identity"]["instance_id"], self.instance.id.as_str());
        assert_eq!(status["identity"]["private_ip"], self.instance.private_ip.as_str());
        assert_eq!(status["configuration"]["started_at"], report["started_at"], "{status:#}");

        let runs = self.machine.read(RUNS).unwrap_or_default();
        assert_eq!(runs.lines().count(), self.runs, "{runs}");
        let boot = self.machine.read("/proc/sys/kernel/random/boot_id").unwrap();
        assert!(!self.boots.contains(&boot), "the same boot twice");
        self.boots.push(boot);
    }
}

fn plan() -> Plan {
    Plan { playbook: COUNTING.to_owned(), ..Plan::default() }
}

/// The whole life of an instance that is configured when something has changed.
fn on_change(plan: &Plan, version: &str) {
    let mut life = Life::begin(plan);
    life.expect(true, FIRST);
    let reason = report(&life.machine)["decision"]["reason"].clone();
    assert_eq!(reason, FIRST, "an image has no state");
    let runs = life.machine.read(RUNS).unwrap();
    assert!(runs.starts_with(version), "{runs}");

    life.reboot(|_| ());
    life.expect(false, "nothing has changed since ");

    // Stopped and started, an instance comes up on another host with other addresses.
    life.reboot(|life| {
        life.instance.private_ip = "10.9.8.7".to_owned();
        life.instance.public_ip = "203.0.113.9".to_owned();
    });
    life.expect(false, "nothing has changed since ");

    life.reboot(|life| {
        life.instance.tags.insert("gild:vars.only_service".to_owned(), "another".to_owned());
    });
    life.expect(true, "the configuration changed (digest ");

    // An image of a host that runs, and an instance of that image.
    let of = format!("{FIRST}; the state on disk is of {}", life.instance.id);
    life.instance.id = "i-0ba6ed00000000001".to_owned();
    let Life { world, machine, instance, runs, boots } = life;
    world.imds.describe(&instance);
    let machine = machine.baked();
    let mut life = Life { world, machine, instance, runs, boots };
    life.expect(true, &of);

    // The same of a host that was shut down first.
    let of = format!("{FIRST}; the state on disk is of {}", life.instance.id);
    life.reboot(|life| life.instance.id = "i-0c10ae00000000002".to_owned());
    life.expect(true, &of);
    life.reboot(|_| ());
    life.expect(false, "nothing has changed since ");
}

#[test]
fn on_change_runs_the_oldest_ansible_when_something_has_changed() {
    on_change(&plan(), "2.14.");
}

#[test]
fn on_change_runs_the_newest_ansible_when_something_has_changed() {
    let trees = vec![(ansible::HOME.to_owned(), ansible::newest())];
    on_change(&Plan { trees, ..plan() }, "2.19.");
}

#[test]
fn the_other_policies_run_at_the_first_boot_at_every_boot_and_never() {
    let policy = |name: &str| format!("configuration.run = \"{name}\"\n");
    let mut life = Life::begin(&Plan { global: policy("first-boot"), ..plan() });
    life.expect(true, FIRST);
    life.reboot(|life| {
        life.instance.tags.insert("gild:vars.only_service".to_owned(), "another".to_owned());
    });
    life.expect(false, "the first boot of this instance was configured at ");

    life.reboot(|life| life.publish(policy("every-boot")));
    life.expect(true, "the configuration changed (digest ");
    life.reboot(|_| ());
    life.expect(true, "this boot has not been configured yet");

    life.reboot(|life| {
        life.publish(policy("never"));
        life.instance.id = "i-0c10ae00000000002".to_owned();
    });
    life.expect(false, "the policy is \"never\"");
}
