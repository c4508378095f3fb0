//! `gild blame`: what it says of reports that are given, and that the reports of boots
//! that happen add up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::golden;
use crate::host::{Host, wait_for};

/// What a verb exits with, says, and complains of.
fn blame(host: &Host, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = host.gild(&["blame"]).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn shown(host: &Host, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = blame(host, arguments);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    stdout
}

/// The last boot, for programs.
fn figures(host: &Host) -> Value {
    serde_json::from_str(&shown(host, &["--json"])).unwrap()
}

/// The report of a boot of that minute.
fn report(minute: u32, outcome: &str, more: &Value) -> Value {
    let mut report = json!({
        "version": 1, "instance_id": "i-1", "boot_id": format!("boot-{minute}"),
        "outcome": outcome, "process": null,
        "started_at": format!("2026-11-22T10:{minute:02}:00.000Z"),
        "ended_at": format!("2026-11-22T10:{minute:02}:30.000Z"),
        "digest": "d", "playbook_digest": "p",
        "decision": { "run": false, "reason": "nothing has changed since 2026-11-22T10:00:00.000Z" },
        "phases": [], "tasks": [], "sources": [], "unknown_keys": [], "refused_keys": [],
        "problems": [], "failure": null,
    });
    let more = more.as_object().unwrap().clone();
    report.as_object_mut().unwrap().extend(more);
    report
}

/// A report whose step ran Ansible, with many tasks and a name that plays tricks.
fn changed() -> Value {
    let phase = |name: &str, ms: f64| json!({ "name": name, "outcome": "ok", "duration_ms": ms });
    let task = |name: &str, outcome: &str, ms: f64| json!({ "name": name, "action": "ansible.builtin.debug", "outcome": outcome, "duration_ms": ms });
    let mut tasks = vec![
        task("Install \u{1b}[31mnginx\n", "changed", 9000.5),
        task("Start nginx", "failed", 1500.0),
        task("Try", "ignored", 700.25),
    ];
    tasks.extend(
        (0..30).map(|number| task(&format!("Write file {number}"), "ok", f64::from(number))),
    );
    let phases = [
        ("start", 1.5),
        ("identity", 12.25),
        ("scopes", 61.5),
        ("handoff", 0.75),
        ("digest", 2.0),
        ("secrets", 24.0),
        ("step", 14_050.0),
        ("notify", 320.0),
    ];
    report(
        3,
        "failed",
        &json!({
            "duration_ms": 14_160.0,
            "decision": { "run": true, "reason": "first boot of this instance" },
            "engine": { "name": "ansible", "duration_ms": 14_000.0 },
            "phases": phases.map(|(name, ms)| phase(name, ms)),
            "tasks": tasks,
        }),
    )
}

/// A host with reports as they are kept.
fn host() -> Host {
    let host = Host::new("");
    let phases = json!([
        { "name": "scopes", "outcome": "failed", "duration_ms": 60000.0 },
        { "name": "step", "outcome": "skipped", "duration_ms": 0.0 },
    ]);
    let kept = [
        // From before the whole was measured.
        report(1, "ready", &json!({})),
        report(2, "degraded", &json!({ "duration_ms": 60100.5, "phases": phases })),
        changed(),
        report(4, "running", &json!({ "decision": null, "ended_at": null })),
    ];
    for report in &kept {
        let name = report["started_at"].as_str().unwrap().replace(':', "-");
        host.write(&format!("var/lib/gild/reports/{name}.json"), &report.to_string());
    }
    host.write("run/gild/report.json", &kept[3].to_string());
    host
}

#[test]
fn the_time_of_a_boot_reads_like_this() {
    let host = host();
    for (name, arguments) in [
        ("changed.txt", &["--boot", "1"][..]),
        ("changed.json", &["--boot", "1", "--json"]),
        ("degraded.txt", &["--boot", "2"]),
        ("boots.txt", &["--boots"]),
        ("boots.json", &["--boots", "--json"]),
    ] {
        golden::matches(&format!("blame/{name}"), &shown(&host, arguments));
    }
}

#[test]
fn what_cannot_be_shown_is_said_and_exits_with_1() {
    let host = host();
    let (code, _, error) = blame(&host, &["--boot", "4"]);
    assert_eq!(
        (code, error.as_str()),
        (Some(1), "gild: there is no report of boot 4: only of the boots 0 to 3\n")
    );
    let (code, _, error) = blame(&host, &["--boot", "1", "--boots"]);
    assert_eq!(code, Some(4), "{error}");

    // One that is damaged hides no other.
    host.write("var/lib/gild/reports/2026-11-22T10-03-00.000Z.json", "half");
    let (code, text, error) = blame(&host, &["--boots"]);
    assert_eq!((code, text.lines().count()), (Some(0), 4), "{text}");
    assert!(error.contains("failed to understand the report"), "{error}");

    fs::remove_file(host.path("var/lib/gild/reports/2026-11-22T10-03-00.000Z.json")).unwrap();

    host.write("run/gild/report.json", "half");
    let (code, _, error) = blame(&host, &[]);
    assert!(code == Some(1) && error.contains("failed to understand the report"), "{error}");

    // After a reboot the last boot is a kept one, until there is a newer.
    fs::remove_file(host.path("run/gild/report.json")).unwrap();
    assert!(shown(&host, &[]).starts_with("broken off after"), "{}", shown(&host, &[]));
    fs::remove_dir_all(host.path("var/lib/gild/reports")).unwrap();
    let (code, _, error) = blame(&host, &[]);
    assert_eq!((code, error.as_str()), (Some(1), "gild: no boot has left a report yet\n"));
}

#[test]
fn who_may_not_read_is_told_who_may() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not root; nothing was tried");
        return;
    }
    let host = host();
    let (root, gild) = (host.path(""), env!("CARGO_BIN_EXE_gild"));
    let open = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let report = host.path("run/gild/report.json");
    open(&root, 0o755);
    open(&report, 0o640);
    // A copy where everybody may go.
    let program = host.path("gild");
    fs::copy(gild, &program).unwrap();
    let ask = || {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        command.arg("--root").arg(&root).arg("blame").output().unwrap()
    };
    let output = ask();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("Permission denied"), "{error}");
    assert!(error.ends_with("; root and members of the group gild may read it\n"), "{error}");
    open(&report, 0o644);
    assert_eq!(ask().status.code(), Some(0));
}

/// What a boot took adds up, and is what somebody outside sees it take.
#[track_caller]
fn adds_up(figures: &Value, outside_ms: f64) {
    let number = |value: &Value| value.as_f64().unwrap();
    let (total, own) = (number(&figures["total_ms"]), number(&figures["own_ms"]));
    let phases = figures["phases"].as_array().unwrap();
    let parts = phases.iter().filter(|phase| phase["in_total"] == true);
    let sum: f64 = parts.map(|phase| number(&phase["duration_ms"])).sum();
    assert!((sum - total).abs() < 0.01, "{figures:#}");
    assert!((total - own - number(&figures["engine_ms"])).abs() < 0.01, "{figures:#}");
    // The kernel's ticks make it up to one too long.
    assert!(total > 0.0 && total < outside_ms + 10.0, "{outside_ms}: {figures:#}");
}

#[test]
fn a_boot_accounts_for_all_of_its_time() {
    let host =
        Host::new("[configuration]\nexec = [\"/step.sh\"]\n[vars]\na = { file = \"/secret\" }\n");
    host.program("step.sh", "#!/bin/sh\nsleep 0.3\n");
    host.write("secret", "hunter22");
    let boot = || {
        let begun = Instant::now();
        let (code, report) = host.configure(&[]);
        assert_eq!(code, Some(0), "{report}");
        begun.elapsed().as_secs_f64() * 1e3
    };
    let outside = boot();
    let first = figures(&host);
    adds_up(&first, outside);
    let names = |figures: &Value| -> Vec<String> {
        let phases = figures["phases"].as_array().unwrap();
        let mut names: Vec<_> =
            phases.iter().map(|phase| phase["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let all = ["digest", "handoff", "identity", "other", "scopes", "secrets", "start", "step"];
    assert_eq!(names(&first), all);
    assert_eq!((&first["engine"], &first["step_ran"]), (&json!("exec"), &json!(true)));
    assert!(first["engine_ms"].as_f64().unwrap() >= 300.0, "{first:#}");
    assert_eq!(first["tasks"][0]["duration_ms"], first["engine_ms"]);

    let outside = boot();
    let second = figures(&host);
    adds_up(&second, outside);
    assert_eq!((&second["engine"], &second["engine_ms"]), (&Value::Null, &json!(0.0)));
    assert_eq!((&second["step_ran"], &second["own_per_engine"]), (&json!(false), &Value::Null));
    let boots: Value = serde_json::from_str(&shown(&host, &["--boots", "--json"])).unwrap();
    assert_eq!(boots["boots"][1]["total_ms"], first["total_ms"]);
    assert_eq!(boots["boots"][1]["slowest_task"]["name"], "step.sh");
}

#[test]
fn the_daemon_measures_the_last_boot() {
    let host = Host::new("metrics.interval = \"1s\"\n[configuration]\nrun = \"never\"\n");
    let _daemon = host.started(&["run"]);
    wait_for("daemon", || host.status().0 != Some(5));
    assert_eq!(host.configure(&[]).0, Some(0));
    let page = || {
        let output = Command::new("curl")
            .args(["--silent", "--unix-socket"])
            .arg(host.path("run/gild/status.sock"))
            .arg("http://gild/metrics")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    wait_for("samples", || page().contains("\ngild_boot_failed 0\n"));
    let text = page();
    let took = figures(&host)["total_ms"].as_f64().unwrap() / 1e3;
    assert!(text.contains(&format!("\ngild_boot_duration_seconds {took}\n")), "{text}");
    assert_eq!(text.matches("\ngild_boot_phase_duration_seconds{").count(), 6, "{text}");
}
