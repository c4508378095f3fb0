//! Images: what is baked with the real Ansible, what is said of it, and what is sealed.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use http::Method;
use serde_json::Value;

use crate::fakes::fault::Fault;
use crate::fakes::tool::tool;
use crate::host::{Host, wait_for};
use crate::program::output;

/// A token as Discord would give it, which is nobody's.
const TOKEN: &str = "x7Kq2mVw9Zr4Tb6Yd8Lc1Nf3Hs5Gj0PaXeRuIoQ";

/// A host whose playbook has a task for the image and one for the boot.
fn host(installation: &str) -> Host {
    let mut host = Host::new("");
    let ansible = tool("GILD_TEST_ANSIBLE", "ansible-playbook");
    let python = ansible.with_file_name("python3");
    let touch = |name: &str| {
        format!("ansible.builtin.file: {{ path: {}, state: touch }}", host.path(name).display())
    };
    let (made, configured) = (touch("made"), touch("configured"));
    let play = format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: install\n      tags: [installation]\n      {made}\n{installation}    \
         - name: configure\n      tags: [configuration]\n      {configured}\n"
    );
    host.write("playbook/main.yml", &play);
    let settings = format!("[defaults]\ninterpreter_python = {}\n", python.display());
    host.write("playbook/ansible.cfg", &settings);
    let path = std::env::var("PATH").unwrap_or_default();
    let bin = ansible.parent().unwrap().display();
    host.environment.push(("PATH", format!("{bin}:{path}")));
    host.configured("configuration.playbook = '/playbook'\nmetrics.interval = '1s'\n");
    host
}

fn record(host: &Host) -> Option<toml::Table> {
    let path = host.path("usr/lib/gild/image.toml");
    let text = fs::read_to_string(&path).ok()?;
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o644);
    Some(text.parse().unwrap())
}

fn names(report: &Value) -> Vec<&str> {
    report["tasks"].as_array().unwrap().iter().filter_map(|task| task["name"].as_str()).collect()
}

#[test]
fn what_is_baked_is_installed_and_recorded_and_is_no_boot() {
    let host = host("");
    let words = [
        "--name",
        "mysql",
        "--version",
        "1.2.3-rc.1",
        "--base",
        "al2023-arm64",
        "--revision",
        "0123abc",
    ];
    let (code, _, log) = output(host.gild(&["bake"]).args(words));
    assert_eq!(code, Some(0), "{log}");
    let report = host.report();
    assert_eq!(names(&report), ["install"], "{report:#}");
    assert!(host.path("made").exists() && !host.path("configured").exists());

    let record = record(&host).unwrap();
    for (key, value) in [
        ("name", "mysql"),
        ("version", "1.2.3-rc.1"),
        ("base", "al2023-arm64"),
        ("revision", "0123abc"),
    ] {
        assert_eq!(record[key].as_str(), Some(value), "{record}");
    }
    assert_eq!(record["playbook"].as_str(), report["playbook_digest"].as_str());
    assert!(record["baked_at"].as_str().unwrap().ends_with('Z'));
    // What the next instance finds is nothing.
    for state in ["state.json", "applied.json", "last-good", "reports", "notify"] {
        assert!(!host.path("var/lib/gild").join(state).exists(), "{state}");
    }
    let (code, report) = host.configure(&[]);
    assert_eq!((code, names(&report)), (Some(0), vec!["configure"]), "{report:#}");
    assert_eq!(report["decision"]["reason"], "first boot of this instance");
}

#[test]
fn a_task_that_fails_is_named_and_leaves_no_record() {
    let host = host(
        "    - name: break\n      tags: [installation]\n      ansible.builtin.fail: { msg: no disk }\n",
    );
    host.write("usr/lib/gild/image.toml", "name = 'the one before'\n");
    let (code, _, log) = output(&mut host.gild(&["bake", "--name", "mysql"]));
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("task=\"break\"") && log.contains("no disk"), "{log}");
    assert_eq!(host.report()["failure"]["task"], "break");
    assert_eq!(record(&host), None);
    let (code, _, log) = output(&mut host.gild(&["seal"]));
    assert_eq!(code, Some(1));
    assert!(log.contains("no image was baked of this host"), "{log}");
}

#[test]
fn a_daemon_says_what_image_it_runs_on() {
    let host = host("");
    let words = ["bake", "--name", "mysql", "--version", "1.2.3", "--base", "al2023-arm64"];
    let (code, _, log) = output(&mut host.gild(&words));
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(host.configure(&[]).0, Some(0));
    let daemon = host.started(&["run"]);
    wait_for("the daemon", || host.status().0 == Some(0));
    let status = host.ask(Method::GET, "/v1/status");
    assert_eq!(status["image"]["version"], "1.2.3", "{status:#}");
    let (_, text) = host.status();
    assert!(text.contains("image      mysql 1.2.3, from al2023-arm64, baked at "), "{text}");
    let page = metrics(&host.path("run/gild/status.sock"));
    let series = page.lines().find(|line| line.starts_with("gild_image_info{"));
    let labels = "{name=\"mysql\",version=\"1.2.3\",base=\"al2023-arm64\",revision=\"\"} 1";
    assert_eq!(series, Some(format!("gild_image_info{labels}").as_str()), "{page}");
    drop(daemon);
}

/// The daemon's page of measurements.
fn metrics(socket: &Path) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let patience = std::time::Duration::from_secs(12);
    let (_, body) = runtime
        .block_on(gild::status::client::ask(socket, Method::GET, "/metrics", patience))
        .unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn a_secret_that_is_left_stops_the_image_and_is_never_told() {
    let host = host("");
    assert_eq!(output(&mut host.gild(&["bake"])).0, Some(0));
    let hook = format!("https://discord.com/api/webhooks/123456789012345678/{TOKEN}");
    for (path, text) in [
        ("etc/gild/config.d/50-notify.toml", hook.as_str()),
        ("root/.vault_pass", "correct horse"),
        ("opt/app/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"),
        ("home/ec2-user/.aws/credentials", "[default]\naws_access_key_id = x\n"),
        ("etc/machine-id", "0123456789abcdef\n"),
    ] {
        host.write(path, text);
    }
    let planted = [
        "/etc/gild/config.d/50-notify.toml",
        "/root/.vault_pass",
        "/opt/app/id_ed25519",
        "/home/ec2-user/.aws/credentials",
    ];

    let (code, said, log) = output(&mut host.gild(&["seal", "--dry-run"]));
    assert_eq!(code, Some(1), "{log}");
    assert!(said.contains("would remove /etc/machine-id"), "{said}");
    assert!(
        fs::metadata(host.path("etc/machine-id")).unwrap().len() > 0,
        "a dry run changes nothing"
    );

    let (code, said, log) = output(&mut host.gild(&["seal"]));
    assert_eq!(code, Some(1), "{log}");
    for path in planted {
        assert!(said.contains(path), "{path}\n{said}");
    }
    for secret in [TOKEN, "correct horse", "AAAA"] {
        assert!(!said.contains(secret) && !log.contains(secret), "{said}{log}");
    }
    assert_eq!(fs::read_to_string(host.path("etc/machine-id")).unwrap(), "");

    fs::remove_file(host.path("root/.vault_pass")).unwrap();
    let allowed: Vec<_> = planted.iter().flat_map(|path| ["--allow", path]).collect();
    let (code, said, log) = output(host.gild(&["seal"]).args(allowed));
    assert_eq!(code, Some(0), "{said}{log}");
    assert!(said.ends_with("sealed: no secret was found\n"), "{said}");
}

#[test]
fn an_image_may_carry_the_documents_that_were_fetched() {
    let host = crate::rig::Rig::new(
        "[scope]\ndeadline = '3s'\n[scope.global]\nsources = ['FILES/global.toml']\n[configuration]\nexec = ['true']\n",
        &[],
    );
    host.files.put("/global.toml", "[vars]\ncolour = 'blue'\n");
    let (code, _, log) = output(&mut host.gild(&["bake", "--seed-last-good"]));
    assert_eq!(code, Some(0), "{log}");
    let (code, said, log) = output(&mut host.gild(&["seal"]));
    assert_eq!(code, Some(0), "{said}{log}");
    host.files.faults.always("", Fault::Close);
    let (code, report) = host.configure(&[]);
    let mut sources = report["sources"].as_array().unwrap().iter();
    let global = sources.find(|source| source["layer"] == "global").unwrap();
    assert_eq!((code, &global["state"]), (Some(0), &Value::from("last-good")), "{report:#}");
}
