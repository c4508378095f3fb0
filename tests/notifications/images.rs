//! What a host that makes images tells: one that is no instance, with no daemon and no spool.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::program::output;

const MANIFEST: &str = r#"{
  "builds": [{
    "name": "al2023-arm64", "builder_type": "amazon-ebs", "build_time": 1795341845, "files": null,
    "artifact_id": "eu-west-1:ami-0123456789abcdef0,us-east-1:ami-0fedcba9876543210",
    "packer_run_uuid": "this",
    "custom_data": {
      "app": "opinion", "version": "1.4.2", "base": "al2023-arm64", "started": "2026-11-22T10:00:00Z"
    }
  }],
  "last_run_uuid": "this"
}"#;

/// What Packer says where an instance cannot be had.
const LOG: &str = "==> Builds failed\n\n==> Some builds didn't complete successfully and had errors:\n\
     --> amazon-ebs.al2023-arm64: InsufficientInstanceCapacity: there is no t4g.small\n\n\
     ==> Builds finished but no artifacts were created.\n";

/// What it says where `gild seal` finds a secret, and another build has worked.
const SEALED: &str = "==> amazon-ebs.al2023-arm64: gild: a secret is left: /root/.vault\n\
     ==> amazon-ebs.al2023-arm64: Provisioning step had errors: Running the cleanup provisioner\n\
     ==> amazon-ebs.al2023-arm64: Terminating the source AWS instance...\n\
     --> amazon-ebs.al2023-arm64: Script exited with non-zero exit status: 1\n\
     --> amazon-ebs.al2-x86_64: AMIs were created:\neu-west-1: ami-0123456789abcdef0\n";

/// A directory with these files, where nothing else of gild's is.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// Runs `gild notify` there, with names of files in the directory written as `@NAME`.
fn notify(at: &Path, moto: Option<&Moto>, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = gild();
    command.arg("--root").arg(at).arg("notify").args(arguments.iter().map(|argument| {
        match argument.strip_prefix('@') {
            Some(name) => at.join(name).display().to_string(),
            None => (*argument).to_owned(),
        }
    }));
    // Nobody answers there: whoever asks for an instance's identity waits.
    command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
    if let Some(moto) = moto {
        command.env("AWS_ENDPOINT_URL", moto.endpoint());
        command.env("AWS_REGION", "eu-west-1");
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    }
    let (code, shown, log) = output(&mut command);
    (code, shown + &log)
}

#[test]
fn an_image_is_told_of_in_a_channel_and_at_a_topic_without_an_instance() {
    let chat = Chat::start(loopback());
    let moto = Moto::start(&Place::Host);
    topic(&moto);
    moto.put_secret("eu-west-1", "channel", &chat.webhook("images"));
    let document = "[notify.images]\ntype = \"discord\"\nurl = { secretsmanager = \"channel\" }\n\
         [notify.topic]\ntype = \"sns\"\ntopic = \"arn:aws:sns:eu-west-1:123456789012:boots\"\n\
         [notify.boots]\ntype = \"sns\"\ntopic = \"nobody\"\non = [\"failed\"]\n";
    let files = directory(&[("manifest.json", MANIFEST), ("notify.toml", document)]);
    let begun = Instant::now();
    let arguments = ["packer-manifest", "@manifest.json", "--config", "@notify.toml"];
    let (code, log) = notify(files.path(), Some(&moto), &arguments);
    assert_eq!(code, Some(0), "{log}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());

    let posted = chat.posted("images");
    assert_eq!(posted.len(), 1, "{log}");
    assert_eq!(title(&posted[0].body), "NEW IMAGE of opinion 1.4.2");
    let text = published(&moto)[0]["Message"].as_str().unwrap().to_owned();
    for line in [
        "al2023-arm64 eu-west-1 ami-0123456789abcdef0",
        "al2023-arm64 us-east-1 ami-0fedcba9876543210",
        "Base: al2023-arm64",
        "Duration: 4m 5s",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(!log.contains(TOKEN), "{log}");
    let left: Vec<_> = fs::read_dir(files.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "nothing is kept on this host: {left:?}");
}

#[test]
fn who_could_not_be_told_is_said_and_keeps_nobody_else_from_it() {
    let chat = Chat::start(loopback());
    let document = discord(&chat, "gone") + &discord(&chat, "slow") + &discord(&chat, "good");
    let files = directory(&[("manifest.json", MANIFEST), ("notify.toml", &document)]);
    chat.faults.always(&path("gone"), Fault::Status(404, "no such webhook".to_owned()));
    chat.faults.next(&path("slow"), 1, Fault::Status(500, "oops".to_owned()));
    let arguments = ["packer-manifest", "@manifest.json", "--config", "@notify.toml"];
    let (code, log) = notify(files.path(), None, &arguments);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("gone") && log.contains("404"), "{log}");
    assert_eq!((chat.posted("slow").len(), chat.posted("good").len()), (1, 1), "{log}");
}

#[test]
fn a_failure_is_told_with_its_task_or_with_what_packer_says() {
    let chat = Chat::start(loopback());
    let host = Host::new("");
    playbook(
        &host,
        "    - name: install the server\n      tags: configuration\n      \
         ansible.builtin.fail: { msg: there is no such package }\n",
    );
    host.configured("");
    assert_eq!(host.configure(&[]).0, Some(1));
    let report = fs::read_to_string(host.path("run/gild/report.json")).unwrap();
    let files = directory(&[
        ("report.json", &report),
        ("none.json", "{}"),
        ("packer.log", LOG),
        ("sealed.log", SEALED),
        ("strange.log", "packer: not found\n"),
        ("notify.toml", &discord(&chat, "images")),
    ]);
    let failure = ["packer-failure", "--service", "opinion", "--of-version", "1.4.2"];
    let tell = |more: &[&str]| {
        let arguments = [&failure[..], &["--config", "@notify.toml"], more].concat();
        let (code, log) = notify(files.path(), None, &arguments);
        assert_eq!(code, Some(0), "{log}");
        let posted = chat.posted("images").pop().unwrap().body;
        assert_eq!(title(&posted), "NO IMAGE of opinion 1.4.2");
        posted["embeds"][0]["fields"].as_array().unwrap().last().unwrap().clone()
    };
    let field = tell(&["--report", "@report.json", "--log", "@packer.log"]);
    assert_eq!(field["name"], "error in install the server:");
    assert!(field["value"].as_str().unwrap().contains("there is no such package"), "{field}");
    let field = tell(&["--log", "@packer.log"]);
    assert_eq!(field["name"], "error:");
    let value = field["value"].as_str().unwrap();
    assert!(value.starts_with("```\namazon-ebs.al2023-arm64: InsufficientInstance"), "{value}");
    assert!(!value.contains("Builds finished"), "{value}");
    assert_eq!(
        tell(&["--log", "@sealed.log"])["value"],
        "```\namazon-ebs.al2023-arm64: Script exited with non-zero exit status: 1\n\
         ==> amazon-ebs.al2023-arm64: gild: a secret is left: /root/.vault\n```"
    );
    let strange = tell(&["--log", "@strange.log"]);
    assert_eq!(strange["value"], "```\npacker: not found\n```");
    assert_eq!(tell(&[])["value"], "```\nno message\n```");

    let (code, log) = notify(
        files.path(),
        None,
        &["packer-failure", "--report", "@none.json", "--config", "@notify.toml"],
    );
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("none.json"), "{log}");
}

#[test]
fn what_is_wrong_with_what_it_is_given_is_said_and_nobody_is_told() {
    let chat = Chat::start(loopback());
    let files = directory(&[
        ("manifest.json", MANIFEST),
        ("damaged.json", "{\"builds\": ["),
        ("notify.toml", &discord(&chat, "images")),
        ("wrong.toml", "[notify.images]\ntype = \"discord\"\nurl = 7\n"),
    ]);
    for (manifest, config, build, expected) in [
        ("@missing.json", "@notify.toml", "al2023-arm64", "failed to read the manifest"),
        ("@damaged.json", "@notify.toml", "al2023-arm64", "failed to understand the manifest"),
        ("@manifest.json", "@notify.toml", "al2-x86_64", "has no such build"),
        ("@manifest.json", "@wrong.toml", "al2023-arm64", "wrong.toml:3: notify.images.url"),
        ("@manifest.json", "@missing.toml", "al2023-arm64", "there is no such file"),
    ] {
        let arguments = ["packer-manifest", manifest, "--build", build, "--config", config];
        let (code, log) = notify(files.path(), None, &arguments);
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains(expected), "{expected}: {log}");
    }
    assert_eq!(chat.connections(), 0);
    // Without [notify] anywhere there is nobody to be told, which is no failure.
    assert_eq!(notify(files.path(), None, &["packer-manifest", "@manifest.json"]).0, Some(0));
}
