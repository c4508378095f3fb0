//! An image from nothing to the message that it is there, and a playbook that fails on the way.

use std::fs;
use std::process::{Command, Output};

use crate::base::run;
use crate::fakes::imds::Instance;
use crate::fixtures::instance;
use crate::machine::Machine;
use crate::pipeline::{ELSEWHERE, FRIEND, Pipeline, WEBHOOK};
use crate::search::{Watch, files_with, forms, whole_root};
use crate::world::World;

const PLAYBOOK: &str = r#"- name: Make the web server's image
  hosts: all
  gather_facts: false
  vars_files: [secrets.yml]
  tasks:
    - name: Install the site
      tags: [installation]
      ansible.builtin.copy: { content: "{{ vaulted | length }}\n", dest: /srv/installed, mode: "0644" }
    - name: Configure the site
      tags: [configuration]
      ansible.builtin.copy: { content: "never in an image", dest: /srv/configured, mode: "0644" }
"#;

const FAILING: &str = r#"- name: Make the web server's image
  hosts: all
  gather_facts: false
  tasks:
    - name: Install what nobody has
      tags: [installation]
      ansible.builtin.fail: { msg: there is no such package }
"#;

#[test]
fn packer_makes_a_sealed_image_and_tells_of_it() {
    let world = World::new(&instance());
    let (pipeline, machine) = Pipeline::new(&world, PLAYBOOK);
    let watch = Watch::start(&machine, forms(&pipeline.password));
    let output = pipeline.build();
    assert!(output.status.success(), "{}\n{}", said(&output), machine.story());
    let seen = watch.finish();
    assert!(seen.leaks.is_empty(), "{:?}", seen.leaks);
    let met = seen.programs.iter().any(|program| program.contains("ansible-playbook"));
    assert!(met, "never met Ansible: {:?}", seen.programs);

    was_baked(&machine);
    was_sealed(&machine, &pipeline);
    let ids = images(&pipeline);
    let manifest = pipeline.left("manifest.json");
    for (region, id) in &ids {
        let artifacts = manifest["builds"][0]["artifact_id"].as_str().unwrap();
        assert!(artifacts.contains(&format!("{region}:{id}")), "{manifest:#}");
    }
    let posted = world.chat.posted(WEBHOOK);
    let [message] = posted.as_slice() else { panic!("{posted:?}\n{}", said(&output)) };
    let text = message.body.to_string();
    assert!(text.contains("NEW IMAGE of web 1.4.2"), "{text}");
    for (region, id) in &ids {
        assert!(text.contains(&format!("{region} {id}")), "{region} {id}: {text}");
    }
    assert!(text.contains("\"Duration\""), "{text}");
    // What Packer wrote, and what it printed, are for everybody who sees the workflow.
    for place in fs::read_dir(pipeline.path("out")).unwrap() {
        let text = fs::read_to_string(place.unwrap().path()).unwrap();
        assert!(!text.contains(&pipeline.password), "{text}");
    }
}

#[test]
fn a_playbook_that_fails_gives_no_image_and_a_message_with_its_task() {
    let world = World::new(&instance());
    let (pipeline, machine) = Pipeline::new(&world, FAILING);
    let output = pipeline.build();
    assert_eq!(output.status.code(), Some(1), "{}\n{}", said(&output), machine.story());
    let report = pipeline.left("report-al2023-arm64.json");
    assert_eq!(report["failure"]["task"], "Install what nobody has", "{report:#}");
    let own = pipeline.ec2(&Instance::default().region, "DescribeImages&Owner.1=self");
    assert!(!own.contains("<imageId>"), "{own}");
    let posted = world.chat.posted(WEBHOOK);
    let [message] = posted.as_slice() else { panic!("{posted:?}\n{}", said(&output)) };
    let text = message.body.to_string();
    assert!(text.contains("NO IMAGE of web 1.4.2"), "{text}");
    assert!(text.contains("Install what nobody has"), "{text}");
    assert!(text.contains("there is no such package"), "{text}");
}

#[test]
fn the_template_is_valid_and_its_script_installs_only_what_is_named() {
    let world = World::new(&instance());
    let (pipeline, machine) = Pipeline::new(&world, PLAYBOOK);
    let output = pipeline.validate(&[]);
    assert!(output.status.success(), "{}", said(&output));
    let output = pipeline.validate(&["-var", "spot=false", "-var", "source_ami=ami-12345678"]);
    assert!(output.status.success(), "{}", said(&output));
    let output = pipeline.validate(&["-var", "hop_limt=2"]);
    assert!(!output.status.success(), "{}", said(&output));
    // Taken for no document, it would share the image with nobody, and nothing would say so.
    let output = pipeline.validate(&["-var", "account_scope=[ami]\nregions = [\"eu-west-1\"]"]);
    assert!(said(&output).contains("must be a document in YAML or JSON"), "{}", said(&output));
    installs_what_is_named_and_nothing_else(&machine, &pipeline);
}

/// What `install.sh` is given on a host, and what it makes of that.
fn installs_what_is_named_and_nothing_else(machine: &Machine, pipeline: &Pipeline<'_>) {
    let place = machine.path("/root/install");
    let bring = |from: &str| {
        run(Command::new("cp").arg("-rT").arg(pipeline.path(from)).arg(&place));
    };
    let fails = |change: &str, expected: &str| {
        let _ = fs::remove_dir_all(&place);
        bring("packages");
        run(Command::new("cp").arg(pipeline.path("ami/install.sh")).arg(&place));
        let script = format!("cd /root/install && {change} && sh ./install.sh layer.toml");
        let output = machine.exec(&["sh", "-c", &script]);
        let text = said(&output);
        assert!(!output.status.success() && text.contains(expected), "{change}: {text}");
        let known = machine.exec(&["dpkg-query", "--status", "gild"]);
        assert_eq!(known.status.success(), expected.contains("not a known key"), "{change}");
    };
    fails("echo x | tee -a gild_*.deb", "is not what SHA256SUMS says");
    fails("rm gild_*.deb", "there is no gild_*_amd64.deb");
    fails("cp gild_*.deb gild_0_amd64.deb", "there are several of gild_*_amd64.deb");
    fails("sed -i s/gild_/old_/ SHA256SUMS", "does not name gild_");
    fails("cat SHA256SUMS SHA256SUMS >two && mv two SHA256SUMS", "does not name gild_");
    fails("rm SHA256SUMS", "SHA256SUMS");
    fails("echo 'skope = 1' >layer.toml", "skope is not a known key");
    assert!(!machine.path("/usr/lib/gild/config.d/10-image.toml").exists());
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// The playbook's part for images was run, with the vault open, and no other.
fn was_baked(machine: &Machine) {
    assert_eq!(machine.read("/srv/installed").as_deref(), Ok("6\n"), "{}", machine.story());
    assert!(!machine.path("/srv/configured").exists(), "the configuration was run");
    let image = machine.read("/usr/lib/gild/image.toml").unwrap();
    for line in ["name = \"web\"", "version = \"1.4.2\"", "base = \"al2023-arm64\""] {
        assert!(image.contains(line), "{line} is not in {image}");
    }
    assert!(image.contains("0f1e2d3c4b5a69788796"), "{image}");
    assert!(machine.path("/usr/lib/gild/config.d/10-image.toml").exists());
}

/// Nothing is left of the host that it was made on.
fn was_sealed(machine: &Machine, pipeline: &Pipeline<'_>) {
    assert_eq!(machine.read("/etc/machine-id").unwrap_or_default().trim(), "");
    let keys = machine.say(&["sh", "-c", "ls /etc/ssh/ssh_host_* 2>/dev/null"]);
    assert_eq!(keys, "", "host keys are in the image");
    assert!(!machine.path("/tmp/gild-bake").exists(), "the builder's files are in the image");
    let found = files_with(&forms(&pipeline.password), &whole_root(machine));
    assert_eq!(found, Vec::<String>::new(), "the password is in the image");
}

/// The images that EC2 has now, by region.
fn images(pipeline: &Pipeline<'_>) -> Vec<(String, String)> {
    [Instance::default().region.as_str(), ELSEWHERE]
        .map(|region| {
            let own = pipeline.ec2(region, "DescribeImages&Owner.1=self");
            let id = own.split_once("<imageId>").and_then(|(_, rest)| rest.split_once('<'));
            let (id, _) = id.unwrap_or_else(|| panic!("no image in {region}: {own}"));
            for text in ["<name>web-1.4.2</name>", "<key>app</key>", "<key>timestamp</key>"] {
                assert!(own.contains(text), "{text} is not in {own}");
            }
            let action = format!("DescribeImageAttribute&Attribute=launchPermission&ImageId={id}");
            let shared = pipeline.ec2(region, &action);
            assert!(shared.contains(FRIEND), "{region}: {shared}");
            (region.to_owned(), id.to_owned())
        })
        .into()
}
