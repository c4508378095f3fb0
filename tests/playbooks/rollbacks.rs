//! A step that fails where `rollback = "previous"`: the last good playbook and
//! configuration are run once, and nothing loops.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{Host, sha256, tar_gz};
use crate::fakes::chat::Chat;
use crate::fakes::http::Files;
use crate::fakes::place::loopback;
use crate::host::wait_for;

/// A playbook whose program notes its name and the variable `x` in a file, and ends
/// with this status.
fn playbook(host: &Host, name: &str, status: u8) -> Vec<u8> {
    let notes = host.path("notes");
    let script = format!(
        "#!/bin/sh\nx=$(tr ',' '\\n' <\"$GILD_VARS\" | grep '\"x\"' | tr -dc 0-9)\n\
         echo {name} $x >>'{}'\necho {name} says $x\nexit {status}\n",
        notes.display()
    );
    tar_gz(&[("run.sh".to_owned(), script)])
}

/// What has been run, one line a run.
fn notes(host: &Host) -> Vec<String> {
    let text = fs::read_to_string(host.path("notes")).unwrap_or_default();
    let _ = fs::remove_file(host.path("notes"));
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// Publishes a playbook and configures the host for it.
fn configured(host: &Host, web: &Files, archive: &[u8], more: &str) {
    let name = format!("/{}.tar.gz", &sha256(archive)[..8]);
    web.put(&name, archive);
    host.configured(&format!(
        "playbook = \"{}\"\nsha256 = \"{}\"\nexec = [\"./run.sh\"]\nrollback = \"previous\"\n{more}",
        web.url(&name),
        sha256(archive)
    ));
}

fn decision(report: &Value) -> (bool, &str) {
    let decision = &report["decision"];
    (decision["run"].as_bool().unwrap(), decision["reason"].as_str().unwrap())
}

/// The kinds of the attempts, and whether each failed.
fn attempts(report: &Value) -> Vec<(&str, bool)> {
    let attempts = report["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    attempts
        .iter()
        .map(|attempt| (attempt["of"].as_str().unwrap(), !attempt["failure"].is_null()))
        .collect()
}

#[test]
fn a_failed_step_is_rolled_back_once_and_tried_again_when_something_changes() {
    let web = Files::start(loopback());
    let chat = Chat::start(loopback());
    let host = Host::new(None);
    let notify = format!("[notify.c]\ntype = \"discord\"\nurl = \"{}\"\n", chat.webhook("c"));
    let vars = |x: u8| format!("{notify}[vars]\nx = {x}\n");
    configured(&host, &web, &playbook(&host, "good", 0), &vars(1));
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(notes(&host), ["good 1"]);

    configured(&host, &web, &playbook(&host, "bad", 3), &vars(2));
    let (code, report) = host.boot();
    assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("degraded")), "{report:#}");
    assert_eq!(notes(&host), ["bad 2", "good 1"]);
    assert_eq!(attempts(&report), [("step", true), ("rollback", false)]);
    let failure = report["failure"]["message"].as_str().unwrap();
    assert_eq!(failure, "run.sh ended with exit status: 3: bad says 2");
    let problem = report["problems"][0].as_str().unwrap();
    assert!(problem.starts_with(
        "the step failed in task 'run.sh' and was rolled back to what succeeded at 2"
    ));
    assert!(problem.ends_with(failure), "{problem}");
    // The task is the one that failed, whatever was run after it.
    assert_eq!(report["tasks"][0]["outcome"], "failed");
    let phases: Vec<_> = report["phases"].as_array().unwrap().iter().collect();
    let outcome =
        |name: &str| &phases.iter().find(|phase| phase["name"] == name).unwrap()["outcome"];
    assert_eq!((outcome("step"), outcome("rollback")), (&"failed".into(), &"ok".into()));
    let told = chat.posted("c").last().unwrap().body.to_string();
    assert!(told.contains("DEGRADED") && told.contains("rolled back"), "{told}");

    // Nothing has changed: nothing is run, and it is degraded all the same.
    for _ in 0..2 {
        let (code, report) = host.boot();
        assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("degraded")), "{report:#}");
        let (run, reason) = decision(&report);
        assert!(!run && reason.contains("failed and was rolled back at"), "{reason}");
        assert_eq!(report["failure"]["task"], "run.sh");
        assert!(notes(&host).is_empty());
    }
    let told = chat.posted("c").len();
    assert_eq!(told, 2, "the success and one rollback");

    // By hand it is tried again, and goes back again.
    let (_, report) = host.configure(&["--force"]);
    assert_eq!(report["outcome"], "degraded");
    assert_eq!(notes(&host), ["bad 2", "good 1"]);

    configured(&host, &web, &playbook(&host, "better", 0), &vars(3));
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(notes(&host), ["better 3"]);
    // Now this is what is gone back to.
    configured(&host, &web, &playbook(&host, "worse", 1), &vars(4));
    assert_eq!(host.boot().1["outcome"], "degraded");
    assert_eq!(notes(&host), ["worse 4", "better 3"]);
}

#[test]
fn the_last_good_playbook_outlives_many_that_fail() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    configured(&host, &web, &playbook(&host, "good", 0), "");
    host.good_boot();
    notes(&host);
    for number in 0..4 {
        let name = format!("bad{number}");
        configured(&host, &web, &playbook(&host, &name, 1), "retries = 1");
        let (_, report) = host.boot();
        assert_eq!(report["outcome"], "degraded", "{report:#}");
        assert_eq!(attempts(&report), [("step", true), ("step", true), ("rollback", false)]);
        assert_eq!(notes(&host), [name.as_str(), &name, "good"]);
        assert!(host.kept().len() <= 3, "{:?}", host.kept());
    }
}

#[test]
fn where_the_way_back_fails_or_there_is_none_the_boot_has_failed() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let good = host.path("good");
    fs::write(&good, "").unwrap();
    // It is good as long as a file is there.
    let script = format!("#!/bin/sh\necho fickle\ntest -e '{}'\n", good.display());
    let fickle = tar_gz(&[("run.sh".to_owned(), script)]);

    configured(&host, &web, &playbook(&host, "first", 1), "");
    let (code, report) = host.boot();
    assert_eq!((code, &report["outcome"]), (Some(1), &Value::from("failed")), "{report:#}");
    let problem = &report["problems"][0];
    assert_eq!(
        problem,
        "the step is not rolled back: nothing has succeeded on this instance before"
    );

    configured(&host, &web, &fickle, "");
    host.good_boot();
    fs::remove_file(&good).unwrap();
    // The same again cannot be gone back to.
    let (_, report) = host.configure(&["--force"]);
    assert_eq!(report["outcome"], "failed");
    let problem = &report["problems"][0];
    assert_eq!(problem, "the step is not rolled back: what failed is what succeeded last");

    configured(&host, &web, &playbook(&host, "bad", 1), "");
    let (code, report) = host.boot();
    assert_eq!((code, &report["outcome"]), (Some(1), &Value::from("failed")), "{report:#}");
    assert_eq!(attempts(&report), [("step", true), ("rollback", true)]);
    assert!(report["failure"]["message"].as_str().unwrap().contains("bad says"));
    let problem = report["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("the rollback to what succeeded at 2"), "{problem}");
    // A failure is tried again at the next boot.
    let (_, report) = host.boot();
    assert!(decision(&report).1.starts_with("the last run failed"), "{report:#}");

    // What was changed on disk meanwhile is not what succeeded.
    fs::write(&good, "").unwrap();
    let kept = host.path("var/lib/gild/playbooks").join(sha256(&fickle));
    fs::write(kept.join("run.sh"), "#!/bin/sh\nexit 0\n").unwrap();
    let (_, report) = host.boot();
    assert_eq!(report["outcome"], "failed");
    assert!(report["problems"][0].as_str().unwrap().contains("not whole"), "{report:#}");
}

#[test]
fn a_playbook_that_cannot_be_had_is_rolled_back_too_and_tried_at_each_boot() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    configured(&host, &web, &playbook(&host, "good", 0), "");
    host.good_boot();
    notes(&host);
    host.configured(&format!(
        "playbook = \"{}\"\nsha256 = \"{}\"\nexec = [\"./run.sh\"]\nrollback = \"previous\"\n\
         fetch_timeout = \"1s\"",
        web.url("/gone.tar.gz"),
        "0".repeat(64)
    ));
    for _ in 0..2 {
        let (code, report) = host.boot();
        assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("degraded")), "{report:#}");
        assert!(decision(&report).0);
        assert_eq!(attempts(&report), [("rollback", false)]);
        assert_eq!(notes(&host).len(), 1);
    }
}

#[test]
fn of_a_directory_of_this_host_the_configuration_alone_goes_back() {
    let host = Host::new(None);
    let lines = |x: u8| {
        format!(
            "playbook = \"/play\"\nexec = [\"./run.sh\"]\nrollback = \"previous\"\n[vars]\nx = {x}\n"
        )
    };
    let notes_at = host.path("notes");
    let script = |fails_on: u8| {
        format!(
            "#!/bin/sh\nx=$(tr ',' '\\n' <\"$GILD_VARS\" | grep '\"x\"' | tr -dc 0-9)\n\
             echo now {fails_on} $x >>'{}'\ntest $x != {fails_on}\n",
            notes_at.display()
        )
    };
    host.program("play/run.sh", &script(9));
    host.configured(&lines(1));
    let (code, report) = host.boot();
    assert_eq!(code, Some(0), "{report:#}");
    host.program("play/run.sh", &script(2));
    host.configured(&lines(2));
    let (_, report) = host.boot();
    assert_eq!(report["outcome"], "degraded", "{report:#}");
    assert_eq!(notes(&host), ["now 9 1", "now 2 2", "now 2 1"]);
    let problem = report["problems"][0].as_str().unwrap();
    assert!(problem.contains(", with the playbook's directory as it is now: "), "{problem}");
}

#[test]
fn what_is_remembered_for_it_holds_no_secret_and_is_roots_alone() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    fs::write(host.path("secret"), "correct horse battery staple").unwrap();
    let vars = "[vars]\nkey = { file = \"/secret\" }\n";
    configured(&host, &web, &playbook(&host, "good", 0), vars);
    host.good_boot();
    // It says the secret, which is masked wherever it is kept.
    let script = "#!/bin/sh\ncat \"$GILD_VARS\"\nexit 1\n".to_owned();
    configured(&host, &web, &tar_gz(&[("run.sh".to_owned(), script)]), vars);
    assert_eq!(host.boot().1["outcome"], "degraded");
    for name in ["applied.json", "state.json"] {
        let path = host.path("var/lib/gild").join(name);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("correct horse"), "{text}");
    }
    assert!(!host.report().to_string().contains("correct horse"));
}

#[test]
fn a_step_that_was_told_to_stop_is_not_rolled_back() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    configured(&host, &web, &playbook(&host, "good", 0), "");
    host.good_boot();
    notes(&host);
    let begun = host.path("begun");
    let script = format!("#!/bin/sh\n: >'{}'\nexec sleep 60\n", begun.display());
    configured(&host, &web, &tar_gz(&[("run.sh".to_owned(), script)]), "");
    let mut command = host.command();
    let mut boot = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("step", || begun.exists());
    let id = nix::unistd::Pid::from_raw(boot.id().try_into().unwrap());
    nix::sys::signal::kill(id, Signal::SIGTERM).unwrap();
    assert_eq!(boot.wait().unwrap().code(), Some(1));
    let report = host.report();
    assert_eq!(report["outcome"], "failed");
    assert_eq!(attempts(&report), [("step", true)]);
    assert!(notes(&host).is_empty());
}

#[test]
fn ansible_goes_back_to_the_playbook_and_the_variables_that_succeeded() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let archive = |tasks: &str| {
        let mut files = host.playbook("{{ x }}");
        files[0].1.push_str(tasks);
        tar_gz(&files)
    };
    let configured = |archive: &[u8], x: &str| {
        let name = format!("/{}.tar.gz", &sha256(archive)[..8]);
        web.put(&name, archive);
        host.configured(&format!(
            "playbook = \"{}\"\nsha256 = \"{}\"\nrollback = \"previous\"\n[vars]\nx = \"{x}\"\n",
            web.url(&name),
            sha256(archive)
        ));
    };
    configured(&archive(""), "before");
    host.good_boot();
    assert_eq!(host.written(), "before");
    configured(&archive("    - name: break\n      ansible.builtin.fail: {msg: no}\n"), "after");
    let (code, report) = host.boot();
    assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("degraded")), "{report:#}");
    assert_eq!(report["failure"]["task"], "break");
    assert_eq!(host.written(), "before");
}
