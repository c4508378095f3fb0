//! Publishing, to moto's S3; what is there is fetched and verified by the agent's own rules in
//! `gild_ami::publish`'s tests.

use std::fs;
use std::path::{Path, PathBuf};

use minisign::KeyPair;
use serde_json::{Value, json};

use crate::golden;
use crate::rig::Emulator;

pub(crate) fn playbook(emulator: &Emulator) -> PathBuf {
    let root = emulator.directory().join("playbook");
    fs::create_dir_all(root.join("roles/web/tasks")).expect("a directory");
    fs::write(root.join("main.yml"), "- hosts: all\n  roles: [web]\n").expect("a file");
    fs::write(root.join("roles/web/tasks/main.yml"), "- ping:\n").expect("a file");
    root
}

pub(crate) fn started() -> Emulator {
    let emulator = Emulator::start(&json!({}));
    emulator.s3("PUT", "/playbooks", "");
    emulator
}

pub(crate) fn arguments<'a>(root: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    named("web", root, more)
}

pub(crate) fn named<'a>(name: &'a str, root: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let root = root.to_str().expect("UTF-8");
    let all = ["publish", root, "--base", "s3://playbooks/base", "--name", name, "--of-version"];
    [&all[..], &["1.4.2"], more].concat()
}

/// Keys of a playbook's makers: the file of the secret one, and what instances trust.
pub(crate) fn keys(emulator: &Emulator) -> (PathBuf, String) {
    let pair = KeyPair::generate_unencrypted_keypair().expect("keys");
    let path = emulator.directory().join("secret-key");
    let sealed = pair.sk.to_box(None).expect("a box").into_string();
    fs::write(&path, sealed).expect("a file");
    (path, pair.pk.to_base64())
}

/// The archive that a version's last object names, where there is one.
fn published(emulator: &Emulator, name: &str) -> Option<Value> {
    let text = emulator.s3_object(&format!("/playbooks/base/{name}/1.4.2/manifest.json"))?;
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    let archive = manifest["archive"].as_str().expect("a key");
    let listed = emulator.s3("GET", "/playbooks?list-type=2", "");
    let size = format!("<Size>{}</Size>", manifest["bytes"]);
    assert!(listed.contains(archive) && listed.contains(&size), "half a version: {listed}");
    Some(manifest)
}

#[test]
fn a_version_is_published_whole_and_a_second_plan_is_empty() {
    let emulator = started();
    let root = playbook(&emulator);
    emulator.fault(&Value::Null);
    golden::matches("ami/publish.txt", &emulator.run(&arguments(&root, &["--latest"])).well().out);
    let plan = emulator.run(&arguments(&root, &["--latest", "--json"])).well().plan();
    assert_eq!(plan["steps"].as_array().expect("steps").len(), 4);
    assert_eq!(emulator.changes(), 0, "a plan changes nothing");
    emulator.run(&arguments(&root, &["--latest", "--apply"])).well();
    let manifest = published(&emulator, "web").expect("a manifest");
    assert_eq!(plan["steps"][0]["sha256"], manifest["sha256"]);
    let latest = emulator.s3_object("/playbooks/base/web/latest.json").expect("it is the newest");
    assert_eq!(serde_json::from_str::<Value>(&latest).expect("JSON"), manifest);
    let second = emulator.run(&arguments(&root, &["--latest", "--json"])).well();
    assert_eq!(second.steps(), 0, "{}", second.out);

    fs::write(root.join("main.yml"), "- hosts: none\n").expect("a file");
    let other = emulator.run(&arguments(&root, &["--apply"]));
    assert_eq!(other.status.code(), Some(1));
    assert!(other.out.contains("published already with other content"), "{}", other.out);
}

#[test]
fn a_run_that_was_killed_at_any_call_is_ended_by_the_next_and_nobody_sees_half_of_it() {
    let emulator = started();
    let root = playbook(&emulator);
    let (key, _) = keys(&emulator);
    // Archive, signature and manifest, and then the same as the newest.
    let signed: &[&str] = &["--sign-key", key.to_str().expect("UTF-8")];
    for (how, signing, puts) in [
        ("hang", &[][..], 4),
        ("hang-after", &[], 4),
        ("hang", signed, 6),
        ("hang-after", signed, 6),
    ] {
        for nth in 1..=puts + 1 {
            let name = format!("web-{how}-{puts}-{nth}");
            let run =
                |more| emulator.run(&named(&name, &root, &[&["--latest", more], signing].concat()));
            let latest = || emulator.s3_object(&format!("/playbooks/base/{name}/latest.json"));
            let all = named(&name, &root, &[&["--latest", "--apply"], signing].concat());
            assert_eq!(emulator.kill_at(nth, how, &all), nth <= puts, "{name}");
            let done = if how == "hang" { nth - 1 } else { nth };
            assert_eq!(published(&emulator, &name).is_some(), done >= puts / 2, "{name}");
            assert_eq!(latest().is_some(), done >= puts, "{name}");
            run("--apply").well();
            let manifest = published(&emulator, &name).expect("it is published");
            assert_eq!(manifest["signature"].is_string(), !signing.is_empty());
            assert!(latest().is_some(), "{name}");
            assert_eq!(run("--json").well().steps(), 0, "{name}");
        }
    }
}

#[test]
fn what_others_have_put_is_never_taken_away() {
    let emulator = started();
    let root = playbook(&emulator);
    assert!(emulator.kill_at(2, "hang", &arguments(&root, &["--apply"])));
    fs::write(root.join("main.yml"), "- hosts: none\n").expect("a file");
    emulator.run(&arguments(&root, &["--apply"])).well();
    published(&emulator, "web").expect("a manifest");
    let listed = emulator.s3("GET", "/playbooks?list-type=2", "");
    assert_eq!(listed.matches("<Key>").count(), 3, "{listed}");

    let emulator = started();
    let root = playbook(&emulator);
    emulator.s3("PUT", "/playbooks/base/web/1.4.2/main.yml", "- hosts: all\n");
    let said = emulator.run(&arguments(&root, &["--latest", "--apply"]));
    assert_eq!(said.status.code(), Some(1));
    assert!(said.out.contains("may be published in another way"), "{}", said.out);
    assert!(emulator.s3_object("/playbooks/base/web/1.4.2/main.yml").is_some());
}

#[test]
fn a_question_without_an_answer_publishes_nothing() {
    let emulator = started();
    let root = playbook(&emulator);
    for action in ["ListObjectsV2", "GetObject"] {
        emulator.fault(&json!({ "action": action, "how": "deny" }));
        let said = emulator.run(&arguments(&root, &["--apply", "--json"]));
        assert_eq!(said.status.code(), Some(1), "{action}");
        assert!(said.plan()["refused"].to_string().contains(action), "{}", said.out);
        assert_eq!(emulator.changes(), 0, "{action}");
    }
}

#[test]
fn the_older_layout_is_a_prefix_with_its_manifest_last() {
    let emulator = started();
    let root = playbook(&emulator);
    emulator.fault(&Value::Null);
    emulator.run(&arguments(&root, &["--layout", "prefix", "--apply"])).well();
    let text = emulator.s3_object("/playbooks/base/web/1.4.2/manifest.json").expect("a manifest");
    assert!(text.contains("roles/web/tasks/main.yml"), "{text}");
    let said = emulator.run(&arguments(&root, &["--layout", "prefix", "--latest"]));
    assert!(said.err.contains("cannot be replaced in one go"), "{}", said.err);
}
