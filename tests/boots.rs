//! Whole boots by the program itself, without systemd: what runs when, what is
//! left behind, and what the daemon makes of it. The instance is a fake, the
//! root a directory.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::fakes::imds::{Imds, Instance};
use crate::fakes::place::loopback;
use crate::fakes::wait::until;
use crate::program::gild;

/// An instance with a root of its own.
pub(crate) struct Host {
    root: TempDir,
    imds: Imds,
    /// What the program finds in its environment besides.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Host {
    /// A host whose local layer is this document.
    pub(crate) fn new(document: &str) -> Self {
        Self::with_tags(document, &[])
    }

    pub(crate) fn with_tags(document: &str, tags: &[(&str, &str)]) -> Self {
        let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let imds = Imds::start(loopback(), &Instance { tags, ..Instance::default() });
        let host = Self { root: TempDir::new().unwrap(), imds, environment: Vec::new() };
        for directory in ["run/gild", "var/lib/gild", "etc/gild/config.d", "usr/lib/gild/config.d"]
        {
            fs::create_dir_all(host.path(directory)).unwrap();
        }
        for directory in ["proc", "sys"] {
            std::os::unix::fs::symlink(format!("/{directory}"), host.path(directory)).unwrap();
        }
        host.configured(document);
        host
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    pub(crate) fn configured(&self, document: &str) {
        fs::write(self.path("etc/gild/config.d/10-local.toml"), document).unwrap();
    }

    pub(crate) fn gild(&self, arguments: &[&str]) -> Command {
        let mut command = gild();
        command.arg("--root").arg(self.root.path()).args(arguments);
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.imds.endpoint());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `gild configure` and gives its exit code and its report.
    pub(crate) fn configure(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let mut command = self.gild(&["configure"]);
        let status = command.args(arguments).stderr(Stdio::null()).status().unwrap();
        (status.code(), self.report())
    }

    pub(crate) fn report(&self) -> Value {
        let bytes = fs::read(self.path("run/gild/report.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    pub(crate) fn started(&self, arguments: &[&str]) -> Running {
        let mut command = self.gild(arguments);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn status(&self) -> (Option<i32>, String) {
        let output = self.gild(&["status"]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A program that does not outlive its test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let ask = || if holds() { Ok(()) } else { Err("not yet".to_owned()) };
    until(what, Duration::from_secs(30), ask);
}

/// A step that says where it is and waits to be killed.
pub(crate) fn waiting_step(host: &Host) -> (String, PathBuf) {
    let begun = host.path("begun");
    let script = host.path("wait.sh");
    let text = format!("#!/bin/sh\necho $$ >{}\nexec sleep 60\n", begun.display());
    fs::write(&script, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, mode).unwrap();
    let document = "[configuration]\nexec = [\"/wait.sh\"]\n".to_owned();
    (document, begun)
}

#[test]
fn the_step_runs_at_the_first_boot_and_then_when_something_has_changed() {
    let step = "[configuration]\nexec = [\"/bin/true\"]\n";
    let host = Host::new(step);
    fs::create_dir_all(host.path("bin")).unwrap();
    fs::copy("/bin/true", host.path("bin/true")).unwrap();
    let decision = |(code, report): (Option<i32>, Value)| {
        assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("ready")), "{report}");
        let reason = report["decision"]["reason"].as_str().unwrap().to_owned();
        (report["decision"]["run"].as_bool().unwrap(), reason)
    };
    assert_eq!(decision(host.configure(&[])), (true, "first boot of this instance".to_owned()));
    let (run, reason) = decision(host.configure(&[]));
    assert!(!run && reason.starts_with("nothing has changed since "), "{reason}");
    assert_eq!(decision(host.configure(&["--force"])), (true, "it was asked for by hand".into()));
    host.configured(&format!("{step}[vars]\nx = 1\n"));
    let (run, reason) = decision(host.configure(&[]));
    assert!(run && reason.starts_with("the configuration changed (digest "), "{reason}");
    assert_eq!(fs::read_dir(host.path("var/lib/gild/reports")).unwrap().count(), 4);
}

#[test]
fn a_host_whose_step_never_runs_needs_no_playbook() {
    let host = Host::new("[configuration]\nrun = \"never\"\n");
    let (code, report) = host.configure(&[]);
    assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("ready")), "{report}");
    assert_eq!(report["decision"]["run"], false);

    host.configured("");
    let (code, report) = host.configure(&[]);
    assert_eq!(code, Some(1));
    let message = report["failure"]["message"].as_str().unwrap();
    assert!(message.starts_with("the playbook cannot be used: "), "{message}");
}

#[test]
fn a_plan_changes_nothing() {
    let host = Host::new("[configuration]\nexec = [\"/bin/true\"]\n");
    fs::create_dir_all(host.path("bin")).unwrap();
    fs::copy("/bin/true", host.path("bin/true")).unwrap();
    let output = host.gild(&["configure", "--plan"]).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("skipped") && shown.contains("true"), "{shown}");
    for left in ["run/gild/report.json", "run/gild/config.json", "var/lib/gild/state.json"] {
        assert!(!host.path(left).exists(), "{left}");
    }
}

#[test]
fn a_second_step_is_refused_while_one_runs() {
    let host = Host::new("");
    let (document, begun) = waiting_step(&host);
    host.configured(&document);
    let first = host.started(&["configure"]);
    wait_for("step", || begun.exists());
    let output = host.gild(&["configure"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!("another configuration step is running (process {})", first.0.id());
    assert!(stderr.contains(&expected), "{stderr}");

    // Asked to stop, the first one takes its step with it and says what happened.
    first.signal(Signal::SIGTERM);
    wait_for("end of the first", || host.report()["outcome"] == "failed");
    let message = host.report()["failure"]["message"].to_string();
    assert!(message.contains("interrupted"), "{message}");
    let step: i32 = fs::read_to_string(&begun).unwrap().trim().parse().unwrap();
    wait_for("end of the step", || kill(Pid::from_raw(step), None).is_err());
}

#[test]
fn a_boot_that_is_killed_is_a_failed_one_and_the_next_one_works() {
    let host = Host::new("");
    let (document, begun) = waiting_step(&host);
    host.configured(&document);
    let daemon = host.started(&["run"]);
    wait_for("daemon", || host.status().0 == Some(2));
    let mut first = host.started(&["configure"]);
    wait_for("step", || begun.exists());
    assert_eq!(host.status().0, Some(2), "{}", host.status().1);
    first.0.kill().unwrap();
    first.0.wait().unwrap();
    let (code, text) = host.status();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("configure ended without a report"), "{text}");
    let step: i32 = fs::read_to_string(&begun).unwrap().trim().parse().unwrap();
    let _ = kill(Pid::from_raw(step), Signal::SIGKILL);

    fs::write(host.path("wait.sh"), "#!/bin/sh\nexit 0\n").unwrap();
    let (code, report) = host.configure(&[]);
    assert_eq!(code, Some(0), "{report}");
    let reason = report["decision"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("the last run did not end"), "{reason}");
    wait_for("ready", || host.status().0 == Some(0));
    assert!(!host.path("run/gild/step").exists() || is_empty(&host.path("run/gild/step")));
    drop(daemon);
}

fn is_empty(directory: &std::path::Path) -> bool {
    fs::read_dir(directory).unwrap().next().is_none()
}

#[test]
fn the_daemon_takes_over_what_configure_leaves() {
    let host = Host::with_tags(
        "[configuration]\nrun = \"never\"\n[scope.service]\nsources = [\"tags:gild:\"]\n",
        &[("gild:metrics.interval", "2s"), ("gild:vars.name", "{{ x }}")],
    );
    let daemon = host.started(&["run"]);
    wait_for("daemon", || host.status().0 == Some(2));
    assert_eq!(host.configure(&[]).0, Some(0));
    wait_for("ready", || host.status().0 == Some(0));
    let shown = host.gild(&["config", "show", "metrics.interval", "--origin"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("\"2s\"") && shown.contains("service"), "{shown}");
    assert!(shown.contains("over \"10s\" from builtin defaults"), "{shown}");
    let (_, status) = host.status();
    assert!(status.contains("i-0123456789abcdef0"), "{status}");
    drop(daemon);
}
