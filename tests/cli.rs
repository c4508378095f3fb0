//! The command line, by the program itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::fakes::wait::until;
use crate::golden;
use crate::program::{gild, output};

const VERBS: &[&[&str]] = &[
    &[],
    &["configure"],
    &["run"],
    &["up"],
    &["status"],
    &["config"],
    &["config", "show"],
    &["config", "explain"],
    &["config", "diff"],
    &["config", "check"],
    &["metrics"],
    &["cost"],
    &["blame"],
    &["drain"],
    &["import"],
    &["import", "telegraf"],
    &["import", "cloudwatch-agent"],
];

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let ask = || if holds() { Ok(()) } else { Err("not yet".to_owned()) };
    until(what, Duration::from_secs(30), ask);
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn help_is_what_it_was() {
    let mut page = String::new();
    for verb in VERBS {
        let (code, help, _) = output(gild().args(*verb).arg("--help"));
        assert_eq!(code, Some(0), "{verb:?}");
        page.push_str(&format!("$ gild {}\n{help}\n", [*verb, &["--help"]].concat().join(" ")));
    }
    golden::matches("help.txt", &page);
}

#[test]
fn a_command_line_that_makes_no_sense_exits_with_4() {
    for arguments in [&["nonsense"][..], &[], &["up"], &["config", "show", "a..b"]] {
        let (code, _, stderr) = output(gild().args(arguments));
        assert_eq!(code, Some(4), "{arguments:?}: {stderr}");
        assert!(!stderr.is_empty());
    }
}

#[test]
fn without_a_daemon_status_exits_with_5_and_says_so() {
    let root = TempDir::new().unwrap();
    let (code, stdout, stderr) = output(gild().arg("--root").arg(root.path()).arg("status"));
    assert_eq!((code, stdout.as_str()), (Some(5), ""));
    assert_eq!(stderr, "gild: no daemon answers\n");
}

#[test]
fn check_names_every_problem_of_every_file_at_once() {
    let directory = repository().join("tests/golden/check");
    let files = ["global.toml", "account.yaml", "service.json", "broken.toml", "missing.toml"];
    let (code, report, _) =
        output(gild().current_dir(directory).args(["config", "check"]).args(files));
    assert_eq!(code, Some(1));
    golden::matches("check.txt", &report);
}

#[test]
fn every_example_passes_the_check() {
    let demo = ["global", "account", "service"]
        .map(|scope| repository().join(format!("config/demo/{scope}.toml")));
    let (code, report, _) = output(gild().args(["config", "check"]).args(demo));
    assert_eq!((code, report.as_str()), (Some(0), "3 documents checked, no problem\n"));

    // The documents that the guides show.
    for page in ["README.md", "ami/README.md", "config/README.md", "config/afternoon.md"] {
        let page = fs::read_to_string(repository().join(page)).unwrap();
        let examples: Vec<_> = page.split("```toml\n").skip(1).collect();
        for example in examples.iter().filter_map(|rest| rest.split("```").next()) {
            if example.contains("# account") {
                continue; // a document that is whole only with others
            }
            let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
            fs::write(file.path(), example).unwrap();
            let (code, report, _) = output(gild().args(["config", "check"]).arg(file.path()));
            assert_eq!(code, Some(0), "{report}");
        }
    }
}

/// A copy of the demo with a port of its own, so that tests do not meet.
struct Demo {
    directory: TempDir,
}

impl Demo {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let source = repository().join("config/demo");
        let copied = Command::new("cp").arg("-R").arg(&source).arg(directory.path()).status();
        assert!(copied.unwrap().success());
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let demo = Self { directory };
        for scope in ["global", "service"] {
            let file = demo.documents().join(format!("{scope}.toml"));
            let document = fs::read_to_string(&file).unwrap().replace("18080", &port.to_string());
            fs::write(file, document).unwrap();
        }
        demo
    }

    fn documents(&self) -> PathBuf {
        self.directory.path().join("demo")
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("state/run/status.sock")
    }

    fn up(&self) -> Command {
        let mut command = gild();
        command.arg("up").arg("--local").arg(self.documents());
        command.arg("--state").arg(self.directory.path().join("state"));
        command
    }

    fn ask(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        output(gild().arg("--socket").arg(self.socket()).args(arguments))
    }
}

/// A program that is told to stop when the test is over.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.0.id().try_into().unwrap());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT);
        let _ = self.0.wait();
    }
}

#[test]
fn up_once_shows_who_set_each_value_and_ends_when_samples_are_out() {
    let demo = Demo::new();
    let (code, stdout, stderr) = output(demo.up().arg("--once"));
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    // Columns are as wide as they need to be.
    let values = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for (value, layer) in [
        ("vars.site_name = \"shop\"", "service"),
        ("vars.environment_name = \"staging\"", "account"),
        ("metrics.interval = \"2s\"", "global"),
    ] {
        assert!(values.contains(&format!("{value} from {layer} ")), "no {value} in {stdout}");
    }
    assert!(stdout.contains("\nready\n"), "{stdout}");
    assert!(stderr.contains("node_memory_MemAvailable_bytes"), "{stderr}");
    let site = fs::read_to_string(demo.documents().join("site/site.conf")).unwrap();
    assert!(site.starts_with("# staging\n") && site.contains("server_name shop;"), "{site}");
}

#[test]
fn up_stays_and_answers_a_second_shell() {
    let demo = Demo::new();
    let running = demo.up().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let running = Running(running);
    wait_for("status socket", || demo.socket().exists());
    let (code, status, stderr) = demo.ask(&["status", "--wait", "--json"]);
    assert_eq!(code, Some(0), "{status}{stderr}");
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["state"], "ready");
    assert_eq!(status["sources"].as_array().unwrap().len(), 3);

    let (_, shown, _) = demo.ask(&["config", "show", "vars.greeting", "--origin", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown[0]["value"], "Hello from staging");
    assert_eq!(shown[0]["origin"]["layer"], "account");
    assert_eq!(shown[0]["overrode"][0]["value"], "Hello from everywhere");

    let (code, explained, _) = demo.ask(&["config", "explain", "vars.greeting"]);
    assert_eq!(code, Some(0));
    assert!(explained.starts_with("vars.greeting = \"Hello from staging\"\n"), "{explained}");
    assert!(explained.contains("global.toml, line 27"), "{explained}");

    // The demo's server needs Python; without it the service is down and says why.
    if Command::new("python3").arg("--version").output().is_ok() {
        wait_for("healthy service", || demo.ask(&["status"]).1.contains("web      up"));
    }
    drop(running);
    assert_eq!(demo.ask(&["status"]).0, Some(5));
}

#[test]
fn a_step_that_fails_makes_up_fail_and_names_why() {
    let demo = Demo::new();
    let script = demo.documents().join("playbook/configure.sh");
    fs::write(&script, "#!/bin/sh\necho the disk is missing >&2\nexit 3\n").unwrap();
    let file = demo.documents().join("global.toml");
    let document = fs::read_to_string(&file).unwrap().replace("\"either\"", "\"exec\"");
    fs::write(&file, document).unwrap();
    let (code, stdout, _) = output(demo.up().arg("--once"));
    assert_eq!(code, Some(1));
    assert!(stdout.contains("failed in task 'configure.sh'"), "{stdout}");
    assert!(stdout.contains("the disk is missing"), "{stdout}");
}

#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let demo = Demo::new();
    let mut command = demo.up();
    let command = command.arg("--once").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = command.spawn().unwrap();
    drop(running.stdout.take());
    assert_eq!(running.wait().unwrap().code(), Some(0));
}

#[test]
fn a_dry_run_shows_the_requests_of_each_sink_and_sends_nothing() {
    let root = TempDir::new().unwrap();
    let local = root.path().join("etc/gild/config.d");
    fs::create_dir_all(&local).unwrap();
    let document = "[sink.cw]\ntype = \"cloudwatch\"\n[sink.push]\ntype = \"remote_write\"\n\
        url = \"http://192.0.2.1:9/push\"\nbearer = { file = \"/nowhere\" }\n";
    fs::write(local.join("10.toml"), document).unwrap();
    // The host's own /proc, below the other root.
    std::os::unix::fs::symlink("/proc", root.path().join("proc")).unwrap();
    let (code, stdout, stderr) = output(
        gild()
            .arg("--root")
            .arg(root.path())
            .args(["metrics", "--dry-run"])
            .env("AWS_REGION", "eu-west-1"),
    );
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("# sink.cw (cloudwatch)") && stdout.contains("mem_used_percent"));
    assert!(stdout.contains("# sink.push (remote_write)"), "{stdout}");
    assert!(stdout.contains("node_memory_MemAvailable_bytes"), "{stdout}");
}
