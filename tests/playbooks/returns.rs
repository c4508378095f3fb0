//! What must not be taken for a way back, and what is tried anew after one.

use std::fs;

use super::Host;

/// Settings of a step whose program is in a directory of the host, with more of them.
fn settings(more: &str) -> String {
    format!("playbook = \"/play\"\nexec = [\"./run.sh\"]\nrollback = \"previous\"\n{more}")
}

fn outcome(host: &Host) -> String {
    host.boot().1["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn a_step_that_could_not_have_its_secret_is_rolled_back_and_tried_anew() {
    let host = Host::new(None);
    host.program("play/run.sh", "#!/bin/sh\nexit 0\n");
    host.configured(&settings("[vars]\nx = 1\n"));
    assert_eq!(outcome(&host), "ready");

    host.configured(&settings("[vars]\nx = { file = \"/late\" }\n"));
    assert_eq!(outcome(&host), "degraded");
    // Nothing that identifies a step has changed, but for what it lacked.
    fs::write(host.path("late"), "here").unwrap();
    let (code, report) = host.boot();
    assert_eq!((code, report["outcome"].as_str()), (Some(0), Some("ready")), "{report:#}");
    assert_eq!(report["decision"]["run"], true);
}

#[test]
fn a_directory_that_broke_is_not_run_twice() {
    let host = Host::new(None);
    let runs = host.path("runs");
    let script = |status: u8| format!("#!/bin/sh\necho >>'{}'\nexit {status}\n", runs.display());
    host.program("play/run.sh", &script(0));
    host.configured(&settings(""));
    assert_eq!(outcome(&host), "ready");

    host.program("play/run.sh", &script(1));
    let (code, report) = host.boot();
    assert_eq!((code, report["outcome"].as_str()), (Some(1), Some("failed")), "{report:#}");
    let problem = &report["problems"][0];
    assert_eq!(problem, "the step is not rolled back: what failed is what succeeded last");
    assert_eq!(fs::read_to_string(&runs).unwrap().lines().count(), 2);
}

#[test]
fn a_failure_with_much_to_say_is_remembered_all_the_same() {
    let host = Host::new(None);
    host.program("play/run.sh", "#!/bin/sh\ngrep -q good \"$GILD_VARS\" && exit 0\nyes \"$(head -c 8000 /dev/zero | tr '\\0' '\\1')\" | head -n 40\nexit 1\n");
    host.configured(&settings("[vars]\nx = \"good\"\n"));
    assert_eq!(outcome(&host), "ready");

    host.configured(&settings("[vars]\nx = \"bad\"\n"));
    assert_eq!(outcome(&host), "degraded");
    let (_, report) = host.boot();
    assert_eq!(report["decision"]["run"], false, "{report:#}");
    assert_eq!(report["outcome"], "degraded");
}
