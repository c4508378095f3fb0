//! What is published, as an instance fetches it: by the agent's own binary, out of moto's S3.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::publish::{keys, named, started};
use crate::rig::{Emulator, REGION};

/// A playbook whose program writes `text` where the instance that runs it can be asked for it.
fn program(emulator: &Emulator, text: &str) -> PathBuf {
    let root = emulator.directory().join("program");
    fs::create_dir_all(root.join("bin")).expect("a directory");
    fs::write(root.join("main.yml"), "- hosts: all\n").expect("a file");
    let run = root.join("bin/run.sh");
    let script = format!("#!/bin/sh\nprintf %s '{text}' >'{}'\n", written(emulator).display());
    fs::write(&run, script).expect("a file");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).expect("a mode");
    root
}

fn written(emulator: &Emulator) -> PathBuf {
    emulator.directory().join("written")
}

/// One boot of an instance with these settings of its step: the report.
fn boot(emulator: &Emulator, settings: &str) -> Value {
    let root = emulator.directory().join("instance");
    for directory in ["run/gild", "var/lib/gild", "etc/gild/config.d"] {
        fs::create_dir_all(root.join(directory)).expect("a directory");
    }
    // No hardware, and so none of EC2's: nobody waits for a metadata service.
    if !root.join("proc").exists() {
        std::os::unix::fs::symlink("/proc", root.join("proc")).expect("a link");
    }
    let document = format!(
        "[scope]\nlocal_targets = true\n[configuration]\ntags = []\nexec = ['./bin/run.sh']\n{settings}"
    );
    fs::write(root.join("etc/gild/config.d/10-local.toml"), document).expect("a file");
    let gild = Path::new(env!("CARGO_BIN_EXE_gild-ami")).with_file_name("gild");
    let status = Command::new(&gild)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_ENDPOINT_URL", emulator.endpoint())
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .arg("--root")
        .arg(&root)
        .arg("configure")
        .stderr(Stdio::null())
        .status();
    status.unwrap_or_else(|error| panic!("{}: {error}: `cargo build -p gild`", gild.display()));
    let report = fs::read_to_string(root.join("run/gild/report.json")).expect("a report");
    serde_json::from_str(&report).expect("JSON")
}

#[test]
fn an_instance_runs_what_was_published_and_signed_and_the_newest_when_it_moves() {
    let emulator = started();
    let (key, trusted) = keys(&emulator);
    let key = key.to_str().expect("UTF-8");
    let publish = |text: &str, version: &str, serial: &str| {
        let root = program(&emulator, text);
        let more = ["--latest", "--apply", "--sign-key", key, "--serial", serial];
        let mut all = named("web", &root, &more);
        let at = all.iter().position(|it| *it == "1.4.2").expect("the version");
        all[at] = version;
        emulator.run(&all).well();
    };
    let settings = format!(
        "playbook = 's3://playbooks/base/web/latest.tar.gz'\n\
         trusted_keys = ['{trusted}']\nrequire_signature = true\n"
    );
    for (text, version, serial) in [("one", "1.4.2", "1"), ("two", "1.5.0", "2")] {
        publish(text, version, serial);
        let report = boot(&emulator, &settings);
        assert_eq!(report["outcome"], "ready", "{report:#}");
        assert_eq!(fs::read_to_string(written(&emulator)).expect("it ran"), text);
        assert_eq!(report["playbook"]["name"], "web", "{report:#}");
        assert_eq!(report["playbook"]["release"], version, "{report:#}");
    }
}
