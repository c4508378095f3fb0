//! The configuration step is killed: systemd has it told, once, and nothing that waits for the
//! configuration starts; whoever starts it again gets a configured machine.

use std::path::PathBuf;

use crate::check::{STEP, report, status_json, target, wait_status};
use crate::fakes::wait::until;
use crate::fixtures::{Plan, boot, instance};
use crate::machine::Machine;
use crate::search::{files_with, forms, whole_root};
use crate::world::World;

const CONFIGURE: &str = "gild-configure.service";
const TELL: &str = "gild-configure-failed.service";

/// A playbook that is at work with a secret until somebody lets it go.
const WAITING: &str = r#"- name: Wait
  hosts: all
  gather_facts: false
  tags: [configuration]
  tasks:
    - name: Wait to be let go
      ansible.builtin.shell:
        cmd: cat >/dev/null; touch /srv/begun; until test -e /srv/go; do sleep 0.1; done
        stdin: "{{ token }}"
"#;

/// Every file of the machine, or its disk with what was removed of it, is without the secret.
#[track_caller]
fn nothing_holds(secret: &str, places: &[PathBuf]) {
    assert_eq!(files_with(&forms(secret), places), Vec::<String>::new());
}

fn property(machine: &Machine, unit: &str, name: &str) -> String {
    machine.say(&["systemctl", "show", "--value", &format!("--property={name}"), unit])
}

#[test]
fn a_step_that_is_killed_is_told_of_by_systemd_and_can_be_started_again() {
    let world = World::new(&instance());
    let image =
        format!("[notify.boots]\ntype = \"discord\"\nurl = \"{}\"\n", world.chat.webhook("boots"));
    let global = "[vars]\ntoken = { secretsmanager = \"vault_secret\" }\n".to_owned();
    let plan = Plan { playbook: WAITING.to_owned(), image, global, ..Plan::default() };
    let mut machine = boot(&world, &plan);
    until("step", STEP, || machine.read("/srv/begun"));
    assert_eq!(property(&machine, TELL, "ExecMainStartTimestampMonotonic"), "0");

    let killed = ["systemctl", "kill", "--kill-who=main", "--signal=KILL", CONFIGURE];
    assert!(machine.exec(&killed).status.success());
    machine.wait_for(CONFIGURE, &["failed"], STEP);
    assert_eq!(property(&machine, CONFIGURE, "Result"), "signal");
    until("word of the failure", STEP, || match world.chat.posted("boots").len() {
        0 => Err(machine.story()),
        _ => Ok(()),
    });
    assert_eq!(target(&machine), "inactive");
    machine.wait_for(TELL, &["inactive"], STEP);
    assert_eq!(property(&machine, TELL, "Result"), "success");
    let posted = world.chat.posted("boots");
    assert_eq!(posted.len(), 1, "{posted:?}");
    let text = posted[0].body.to_string();
    assert!(text.contains("configure ended without a report"), "{text}");
    assert!(text.contains(&instance().id), "{text}");
    // What the killed one had started is gone with it.
    let ansible = machine.exec(&["pgrep", "--full", "ansible-playbook"]);
    assert_eq!(ansible.status.code(), Some(1), "{ansible:?}");
    nothing_holds(&plan.password, &whole_root(&machine));
    let said = wait_status(&machine, 1);
    assert!(said.contains("configure ended without a report"), "{said}");

    // Another failure of systemd's says nothing new.
    assert!(machine.exec(&["systemctl", "start", TELL]).status.success());
    assert_eq!(world.chat.posted("boots").len(), 1);

    assert!(machine.exec(&["touch", "/srv/go"]).status.success());
    let started = machine.exec(&["systemctl", "start", CONFIGURE]);
    assert!(started.status.success(), "{started:?}\n{}", machine.story());
    let report = report(&machine);
    assert_eq!(report["outcome"], "ready", "{report:#}");
    let reason = report["decision"]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("the last run did not end"), "{reason}");
    wait_status(&machine, 0);
    assert_eq!(status_json(&machine)["state"], "ready");
    assert!(machine.exec(&["systemctl", "start", "gild-configured.target"]).status.success());
    assert_eq!(target(&machine), "active");
    until("word of the recovery", STEP, || match world.chat.posted("boots").len() {
        2 => Ok(()),
        other => Err(other.to_string()),
    });
    let title = world.chat.posted("boots")[1].body["embeds"][0]["title"].to_string();
    assert!(title.contains("READY again on "), "{title}");

    nothing_holds(&plan.password, &whole_root(&machine));
    // The search finds what is there.
    assert!(!files_with(&[instance().id], &[machine.path("/var")]).is_empty());
    nothing_holds(&plan.password, &[machine.power_off()]);
}
