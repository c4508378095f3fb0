//! What is done before an instance ends, by the real program: in order, within its time,
//! once, and whatever a step does.

mod once;
mod reasons;

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::fakes::chat::{Chat, TOKEN};
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::host::{Host, Running, wait_for};

/// A step that appends a word to `/done`, with what else is set for it.
pub(super) fn step(name: &str, more: &str) -> String {
    format!("[lifecycle.drain.{name}]\nexec = [\"/say\", \"{name}\"]\n{more}\n")
}

/// A host with these steps.
pub(super) fn host(document: &str) -> Host {
    let host = Host::new(document);
    let done = host.path("done");
    host.program("say", &format!("#!/bin/sh\necho $1 $GILD_DRAIN >> {}\n", done.display()));
    host
}

/// What the steps have written.
pub(super) fn done(host: &Host) -> String {
    fs::read_to_string(host.path("done")).unwrap_or_default()
}

/// Runs `gild drain`: its exit code and what it says.
pub(super) fn drain(host: &Host, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = host.gild(&["drain"]);
    let output = command.args(arguments).stdout(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What was written down.
pub(super) fn record(host: &Host) -> Value {
    let bytes = fs::read(host.path("run/gild/drain.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The names and outcomes of the steps that were written down.
pub(super) fn outcomes(host: &Host) -> Vec<(String, String)> {
    let record = record(host);
    let word = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
    let steps = record["steps"].as_array().unwrap().iter();
    steps.map(|step| (word(step, "name"), word(step, "outcome"))).collect()
}

#[test]
fn the_steps_of_an_occasion_run_in_order_and_are_written_down() {
    let steps = [
        step("b", ""),
        step("a", ""),
        step("last", "order = 90"),
        step("first", "order = 1"),
        step("reboot", "on = [\"reboot\"]"),
    ];
    let host = host(&steps.concat());
    let (code, said) = drain(&host, &["--on", "spot"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(done(&host), "first spot\na spot\nb spot\nlast spot\n");
    let record = record(&host);
    assert_eq!((&record["occasion"], &record["version"]), (&"spot".into(), &1.into()));
    assert!(record["ended_at"].is_string(), "{record}");
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert_eq!(record["boot_id"], boot.trim());
    assert!(record["steps"][0]["duration_ms"].as_f64().unwrap() > 0.0, "{record}");
    assert!(outcomes(&host).iter().all(|(_, outcome)| outcome == "ok"), "{record}");
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(host.path("run/gild/drain.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn a_step_that_hangs_is_killed_with_all_that_came_from_it_and_the_next_one_runs() {
    let slow = "[lifecycle.drain.a]\nexec = [\"/hang\"]\ntimeout = \"1s\"\n";
    let broken = "[lifecycle.drain.b]\nexec = [\"/fail\"]\n";
    let missing = "[lifecycle.drain.c]\nexec = [\"/nowhere\"]\n";
    let host = host(&[slow, broken, missing, &step("d", "")].concat());
    let child = host.path("child");
    // A child in a session of its own, which the signal to the group does not reach.
    let text = format!("#!/bin/sh\nsetsid sleep 300 &\necho $! > {}\nwait\n", child.display());
    host.program("hang", &text);
    host.program("fail", "#!/bin/sh\nexit 3\n");
    let (code, said) = drain(&host, &["--on", "stop"]);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(done(&host), "d stop\n");
    let expected = [("a", "timed_out"), ("b", "failed"), ("c", "failed"), ("d", "ok")];
    assert_eq!(outcomes(&host), expected.map(|(name, word)| (name.to_owned(), word.to_owned())));
    let record = record(&host);
    let message = |at: usize| record["steps"][at]["message"].as_str().unwrap().to_owned();
    assert_eq!(message(0), "it did not end within 1s and was killed");
    assert_eq!(message(1), "it ended with exit status: 3");
    assert_eq!(message(2), "failed to find the program '/nowhere'");
    let child = fs::read_to_string(child).unwrap().trim().to_owned();
    let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "the child lives: {state}");
}

#[test]
fn no_step_has_more_time_than_is_left() {
    let slow = "[lifecycle.drain.a]\nexec = [\"/hang\"]\ntimeout = \"1h\"\n";
    let host = host(&[slow, &step("b", "")].concat());
    host.program("hang", "#!/bin/sh\nexec sleep 300\n");
    let start = std::time::Instant::now();
    // A moment that has passed is taken for a clock that is wrong: ten seconds are left.
    let (code, said) = drain(&host, &["--on", "spot", "--until", "2020-01-01T00:00:00Z"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    let expected = [("a", "timed_out"), ("b", "skipped")];
    assert_eq!(outcomes(&host), expected.map(|(name, word)| (name.to_owned(), word.to_owned())));
    assert_eq!(done(&host), "");
}

#[test]
fn what_was_done_is_told_and_no_secret_is_shown() {
    let chat = Chat::start(loopback());
    let url = chat.webhook("deploy");
    let notifier =
        format!("[notify.deploy]\ntype = \"discord\"\nurl = \"{url}\"\non = [\"drained\"]\n");
    let loud = "[lifecycle.drain.loud]\nexec = [\"/loud\"]\n";
    let host = host(&[&notifier, loud, &step("quiet", "")].concat());
    host.program("loud", &format!("#!/bin/sh\necho said: {url}\nexit 1\n"));
    let (code, said) = drain(&host, &["--on", "terminate"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("said: ") && !said.contains(TOKEN), "{said}");
    assert!(!record(&host).to_string().contains(TOKEN));
    let posted = chat.posted("deploy");
    assert_eq!(posted.len(), 1, "{said}");
    let body = posted[0].body.to_string();
    let title = posted[0].body["embeds"][0]["title"].as_str().unwrap();
    assert!(title.starts_with("DRAINED on "), "{title}");
    assert!(body.contains("terminate: 2 steps, 1 failed"), "{body}");
    assert!(body.contains("loud: it ended with exit status: 1"), "{body}");
    assert!(!body.contains(TOKEN), "{body}");
    // Done once more by hand, it is told once more.
    assert_eq!(drain(&host, &["--on", "terminate", "--force"]).0, Some(1));
    assert_eq!(chat.posted("deploy").len(), 2);
}

/// A host whose daemon sends to `receiver` once an hour.
fn daemon(receiver: &RemoteWrite, steps: &str) -> (Host, Running) {
    let host = host(&format!(
        "{steps}[metrics]\ninterval = \"1s\"\ncollectors = [\"load\"]\n\
         [sink.mimir]\ntype = \"remote_write\"\nurl = \"{}\"\nflush = \"1h\"\n\
         [configuration]\nrun = \"never\"\n[scope]\nlocal_targets = true\n",
        receiver.url()
    ));
    assert_eq!(host.configure(&[]).0, Some(0));
    let daemon = host.started(&["run"]);
    wait_for("daemon", || host.status().0 == Some(0));
    (host, daemon)
}

fn queued(host: &Host) -> u64 {
    host.ask(http::Method::GET, "/v1/status")["sinks"]["mimir"]["queued"].as_u64().unwrap()
}

#[test]
fn when_draining_is_over_the_last_measurements_have_arrived_and_the_status_shows_it() {
    let receiver = RemoteWrite::start(loopback());
    let (host, _daemon) = daemon(&receiver, &step("leave", ""));
    assert!(host.ask(http::Method::GET, "/v1/status")["drain"].is_null());
    // The first measurements go at once; what follows waits for the hour.
    wait_for("first measurements", || !receiver.samples().is_empty());
    wait_for("measurements that wait", || queued(&host) >= 2);
    let newest = || receiver.samples().iter().map(|sample| sample.timestamp_ms).max().unwrap();
    let first = newest();
    let (code, said) = drain(&host, &["--on", "stop"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(newest() >= first + 1900, "{} after {first}: {said}", newest());
    assert!(said.contains("the last measurements have been sent"), "{said}");

    let status = host.ask(http::Method::GET, "/v1/status");
    assert_eq!(status["drain"], record(&host));
    let (code, text) = host.status();
    assert_eq!(code, Some(0), "{text}");
    let line = text.lines().find(|line| line.starts_with("drain ")).unwrap_or_default();
    assert!(line.starts_with("drain      for stop since 2"), "{text}");
    assert!(text.contains("\n           leave ok, "), "{text}");
    // The daemon goes on, and no caller has it send all the time.
    wait_for("measurements that wait", || queued(&host) >= 1);
    let again = host.ask(http::Method::POST, "/v1/flush");
    assert_eq!(again["error"]["code"], "too_soon", "{again}");
}
