//! From a host on which an image is baked and sealed to an instance of that image.

use std::fs;
use std::time::Duration;

use crate::check::{rendered, report, status_json, target, wait_status};
use crate::fakes::imds::Instance;
use crate::fixtures::{Plan, VAULTED, boot, instance};
use crate::machine::Machine;
use crate::world::World;

const BOOT: Duration = Duration::from_secs(60);

/// What does not run on a builder: nothing is configured there.
const UNITS: [&str; 3] = ["gild-configured.target", "gild.service", "gild.socket"];

const PLAYBOOK: &str = r#"- name: The web server
  hosts: all
  gather_facts: false
  vars_files: [secrets.yml]
  tasks:
    - name: Install the site
      tags: [installation]
      ansible.builtin.copy: { src: site.conf, dest: /etc/nginx/sites-enabled/default, mode: "0644" }
    - name: Make the place
      tags: [configuration]
      ansible.builtin.file: { path: /srv/web, state: directory, mode: "0755" }
    - name: Write the variables
      tags: [configuration]
      ansible.builtin.template: { src: rendered.j2, dest: /srv/web/rendered.txt, mode: "0644" }
    - name: Start the web server
      tags: [configuration]
      ansible.builtin.service: { name: nginx, state: started }
"#;

/// Runs gild as Packer does, and gives its exit code and what it says.
fn gild(machine: &Machine, world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let endpoint = format!("AWS_ENDPOINT_URL={}", world.moto.endpoint());
    let command = [&["env", endpoint.as_str(), "gild"], arguments].concat();
    let output = machine.exec(&command);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn an_instance_of_a_sealed_image_begins_anew_and_becomes_ready() {
    let builder = Instance { id: "i-0b11de00000000001".to_owned(), ..instance() };
    let world = World::new(&builder);
    let plan = Plan { playbook: PLAYBOOK.to_owned(), disable: UNITS.to_vec(), ..Plan::default() };
    let machine = boot(&world, &plan);
    machine.wait_for("multi-user.target", &["active"], BOOT);
    assert_eq!(machine.state_of("gild-configure.service"), "inactive");
    let enabled = machine.exec(&[&["systemctl", "enable"], &UNITS[..]].concat());
    assert!(enabled.status.success(), "{enabled:?}");
    let own = machine.read("/etc/machine-id").unwrap();
    assert_eq!(own.trim().len(), 32, "{own}");

    let words = ["bake", "--name", "web", "--version", "2.0.0", "--base", "debian-12"];
    let (code, said) = gild(&machine, &world, &words);
    assert_eq!(code, Some(0), "{said}");
    let tasks = &report(&machine)["tasks"];
    assert_eq!(tasks.as_array().unwrap().len(), 1, "{tasks:#}");
    assert_eq!(tasks[0]["name"], "Install the site");

    fs::write(machine.path("/root/.vault_pass"), "correct horse").unwrap();
    fs::write(machine.path("/root/.bash_history"), "echo correct horse\n").unwrap();
    let (code, said) = gild(&machine, &world, &["seal"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("/root/.vault_pass") && !said.contains("correct horse"), "{said}");
    fs::remove_file(machine.path("/root/.vault_pass")).unwrap();
    let (code, said) = gild(&machine, &world, &["seal"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(machine.read("/etc/machine-id").unwrap(), "");
    assert!(machine.read("/root/.bash_history").is_err());

    let instance = instance();
    world.imds.describe(&instance);
    let machine = machine.baked();
    assert_eq!(target(&machine), "active", "{}", machine.story());
    let new = machine.read("/etc/machine-id").unwrap();
    assert_eq!(new.trim().len(), 32, "{new}");
    assert_ne!(new, own);
    let report = report(&machine);
    assert_eq!(report["decision"]["reason"], "first boot of this instance", "{report:#}");
    assert_eq!(report["instance_id"], instance.id.as_str());
    assert_eq!(rendered(&machine).get("vaulted").map(String::as_str), Some(VAULTED));
    wait_status(&machine, 0);
    let status = status_json(&machine);
    assert_eq!(status["image"]["name"], "web", "{status:#}");
    assert_eq!(status["image"]["version"], "2.0.0", "{status:#}");
    // Whatever the builder knew, nothing of it is left.
    let found = machine.say(&[
        "grep",
        "-rlF",
        &builder.id,
        "/etc",
        "/var",
        "/root",
        "/srv",
        "/usr/lib/gild",
    ]);
    assert_eq!(found, "", "{found}");
}
