use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use gild::configure::playbook::packing::Packing;
use gild::configure::playbook::signature::{TrustedKey, verify};
use gild::configure::playbook::unpack::{Limits, unpack};
use minisign::KeyPair;

use super::*;

fn to() -> Destination {
    Destination {
        bucket: "playbooks".to_owned(),
        base: "base/".to_owned(),
        name: "web".to_owned(),
        version: "1.4.2".to_owned(),
    }
}

fn place() -> Place {
    Place { account: "111111111111".to_owned(), region: "eu-west-1".to_owned() }
}

/// A playbook with all that a directory may hold.
fn playbook(root: &Path) {
    fs::create_dir_all(root.join("roles/web/tasks")).expect("directories");
    fs::create_dir_all(root.join(".git")).expect("directories");
    for (name, text) in [
        ("main.yml", "- hosts: all\n"),
        ("roles/web/tasks/main.yml", "- ping:\n"),
        ("run.sh", "#!/bin/sh\n"),
        (".git/config", "secret"),
        ("roles/.swp", "secret"),
    ] {
        fs::write(root.join(name), text).expect("a file");
    }
    fs::set_permissions(root.join("run.sh"), fs::Permissions::from_mode(0o700)).expect("a mode");
    symlink("roles/web", root.join("web")).expect("a link");
    symlink("../../main.yml", root.join("roles/web/top")).expect("a link");
}

fn packed(root: &Path) -> Archive {
    pack(&read(root, "main.yml").expect("a playbook")).expect("an archive")
}

#[test]
fn the_same_directory_gives_the_same_bytes_and_nothing_of_the_host() {
    let (one, other) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
    playbook(one.path());
    playbook(other.path());
    let old = fs::File::options().write(true).open(other.path().join("main.yml")).expect("a file");
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("a time");
    let archive = packed(one.path());
    assert_eq!(archive.bytes, packed(other.path()).bytes);
    fs::write(other.path().join("main.yml"), "- hosts: none\n").expect("a file");
    assert_ne!(archive.sha256, packed(other.path()).sha256);
}

#[test]
fn what_an_instance_unpacks_is_what_was_there_without_hidden_names() {
    let root = tempfile::tempdir().expect("a directory");
    playbook(root.path());
    let archive = packed(root.path());
    let into = root.path().join(".unpacked");
    let limits = Limits { entries: 100, bytes: 1 << 20, deadline: None };
    let bytes = std::io::Cursor::new(archive.bytes.to_vec());
    unpack(Packing::Gzip.read(bytes), &into, &limits).expect("the agent takes it");
    assert_eq!(fs::read_to_string(into.join("main.yml")).expect("a file"), "- hosts: all\n");
    assert_eq!(fs::read_to_string(into.join("web/top")).expect("a file"), "- hosts: all\n");
    let mode = fs::metadata(into.join("run.sh")).expect("a file").permissions().mode();
    assert_ne!(mode & 0o100, 0, "it is a program");
    assert!(!into.join(".git").exists() && !into.join("roles/.swp").exists());
}

#[test]
fn a_link_that_leads_out_is_refused_wherever_it_stands() {
    for target in ["/etc/passwd", "../x", "a/../../x", "roles/../../x", "roles/../main.yml"] {
        let root = tempfile::tempdir().expect("a directory");
        fs::write(root.path().join("main.yml"), "").expect("a file");
        symlink(target, root.path().join("link")).expect("a link");
        let error = read(root.path(), "main.yml").expect_err("it leads out");
        assert!(matches!(error, DirectoryError::Link { .. }), "{target}: {error}");
    }
}

#[test]
fn a_directory_without_a_playbook_is_refused() {
    let root = tempfile::tempdir().expect("a directory");
    fs::write(root.path().join("site.yml"), "").expect("a file");
    assert!(read(root.path(), "main.yml").is_err());
    assert!(read(root.path(), "site.yml").is_ok());
}

#[test]
fn a_signature_is_one_that_an_instance_believes() {
    let root = tempfile::tempdir().expect("a directory");
    let pair = KeyPair::generate_unencrypted_keypair().expect("keys");
    let (key, archive) = (root.path().join("key"), root.path().join("archive"));
    fs::write(&key, pair.sk.to_box(None).expect("a box").into_string()).expect("a file");
    fs::write(&archive, "bytes").expect("a file");
    let signer = Signer::open(&key, None).expect("a key");
    let text = signer.sign(b"bytes", &to(), Some(42)).expect("a signature");
    let trusted = TrustedKey::parse(&pair.pk.to_base64()).expect("a public key");
    let signed = verify(&archive, &text, &[trusted]).expect("it holds");
    assert_eq!((signed.name.as_deref(), signed.release.as_deref()), (Some("web"), Some("1.4.2")));
    assert_eq!(signed.serial, Some(42));
}

#[test]
fn a_key_with_a_password_opens_with_it_alone() {
    let root = tempfile::tempdir().expect("a directory");
    let pair = KeyPair::generate_encrypted_keypair(Some("right".to_owned())).expect("keys");
    let (key, password) = (root.path().join("key"), root.path().join("password"));
    fs::write(&key, pair.sk.to_box(None).expect("a box").into_string()).expect("a file");
    assert!(Signer::open(&key, None).is_err());
    fs::write(&password, "wrong\n").expect("a file");
    assert!(Signer::open(&key, Some(&password)).is_err());
    fs::write(&password, "right\n").expect("a file");
    assert!(Signer::open(&key, Some(&password)).is_ok());
}

fn some(content: &str) -> Vec<Object> {
    let bytes: Arc<[u8]> = content.as_bytes().into();
    objects(&to(), &Archive { sha256: digest(&bytes), bytes }, Some("signed".to_owned()))
}

fn keys(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let key = step.action.object().replace(&digest(b"one"), "ONE");
            format!("{} {key}", step.action.verb())
        })
        .collect()
}

/// What is in the bucket after a number of a plan's steps.
fn after(mut survey: Survey, plan: &Plan, steps: usize) -> Survey {
    for step in plan.steps.iter().take(steps) {
        match &step.action {
            Action::PutObject { key, content, bytes, .. } => {
                survey.there.insert(key.clone(), *bytes);
                if key.ends_with(MANIFEST) {
                    survey.manifest = Some(content.0.to_vec());
                }
                if key.ends_with("latest.json") {
                    survey.latest = Some(content.0.to_vec());
                }
            }
            other => panic!("publishing does not {}", other.verb()),
        }
    }
    survey
}

#[test]
fn the_manifest_is_put_last_and_what_is_newest_after_it() {
    let plan = plan(&place(), &Survey::default(), &to(), &some("one"), true);
    let expected = [
        "put s3://playbooks/base/web/1.4.2/ONE.tar.gz",
        "put s3://playbooks/base/web/1.4.2/ONE.tar.gz.minisig",
        "put s3://playbooks/base/web/1.4.2/manifest.json",
        "put s3://playbooks/base/web/latest.tar.gz",
        "put s3://playbooks/base/web/latest.tar.gz.minisig",
        "put s3://playbooks/base/web/latest.json",
    ];
    assert_eq!(keys(&plan), expected);
}

#[test]
fn a_run_that_died_anywhere_is_ended_by_the_next() {
    let first = plan(&place(), &Survey::default(), &to(), &some("one"), true);
    for steps in 0..=first.steps.len() {
        let left = after(Survey::default(), &first, steps);
        let second = plan(&place(), &left, &to(), &some("one"), true);
        let end = after(left, &second, usize::MAX);
        assert!(plan(&place(), &end, &to(), &some("one"), true).is_empty(), "{steps}");
    }
}

#[test]
fn what_a_run_with_other_content_left_is_told_and_nothing_is_ever_taken_away() {
    let first = plan(&place(), &Survey::default(), &to(), &some("another"), false);
    let left = after(Survey::default(), &first, 2);
    let second = plan(&place(), &left, &to(), &some("one"), false);
    assert_eq!(second.steps.len(), 3);
    assert!(second.notes[0].contains("as a run that died leaves it"), "{:?}", second.notes);
}

#[test]
fn a_version_of_the_older_layout_without_a_manifest_is_not_touched() {
    let there = [("base/web/1.4.2/main.yml".to_owned(), 9)].into();
    let survey = Survey { there, ..Survey::default() };
    let found = plan(&place(), &survey, &to(), &some("one"), true);
    assert!(found.is_empty());
    assert!(found.refused.is_some_and(|why| why.contains("base/web/1.4.2/main.yml")));
}

#[test]
fn going_back_is_said() {
    let later = Destination { version: "1.10.0".to_owned(), ..to() };
    let bytes: Arc<[u8]> = b"one".as_slice().into();
    let newer = objects(&later, &Archive { sha256: digest(&bytes), bytes }, None);
    let latest = newer.last().map(|manifest| manifest.content.to_vec());
    let found = plan(&place(), &Survey { latest, ..Survey::default() }, &to(), &some("one"), true);
    assert_eq!(found.notes, ["the newest is 1.10.0 now: --latest goes back"]);
}

#[test]
fn a_published_version_never_changes() {
    let first = plan(&place(), &Survey::default(), &to(), &some("one"), false);
    let there = after(Survey::default(), &first, usize::MAX);
    let same = plan(&place(), &there, &to(), &some("one"), false);
    assert!(same.is_empty() && same.refused.is_none());
    let other = plan(&place(), &there, &to(), &some("another"), true);
    assert!(other.is_empty());
    assert!(other.refused.is_some_and(|why| why.contains("other content, and never changes")));
    let bytes: Arc<[u8]> = b"one".as_slice().into();
    let unsigned = objects(&to(), &Archive { sha256: digest(&bytes), bytes }, None);
    let other = plan(&place(), &there, &to(), &unsigned, true);
    assert!(other.refused.is_some_and(|why| why.contains("other content (it is signed), and")));
}

#[test]
fn the_older_layout_lists_every_file_in_its_manifest() {
    let root = tempfile::tempdir().expect("a directory");
    fs::create_dir(root.path().join("vars")).expect("a directory");
    fs::write(root.path().join("main.yml"), "- hosts: all\n").expect("a file");
    fs::write(root.path().join("vars/x.yml"), "x: 1\n").expect("a file");
    let entries = read(root.path(), "main.yml").expect("a playbook");
    let objects = files(&to(), &entries).expect("objects");
    let keys: Vec<_> = objects.iter().map(|object| object.key.as_str()).collect();
    let expected =
        ["base/web/1.4.2/main.yml", "base/web/1.4.2/vars/x.yml", "base/web/1.4.2/manifest.json"];
    assert_eq!(keys, expected);
    let text: serde_json::Value = serde_json::from_slice(&objects[2].content).expect("JSON");
    assert_eq!(text["files"]["vars/x.yml"], digest(b"x: 1\n"));
    fs::write(root.path().join(MANIFEST), "{}").expect("a file");
    let entries = read(root.path(), "main.yml").expect("a playbook");
    assert!(files(&to(), &entries).is_err(), "the manifest's place");
    fs::remove_file(root.path().join(MANIFEST)).expect("it goes");
    playbook(root.path());
    let entries = read(root.path(), "main.yml").expect("a playbook");
    assert!(files(&to(), &entries).is_err(), "no object is a link");
}
