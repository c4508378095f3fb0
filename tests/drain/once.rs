//! Once in a boot: a second time, a drain that was killed, and steps that drain
//! themselves.

use nix::sys::signal::Signal;

use super::*;

#[test]
fn what_has_been_drained_is_drained_again_only_where_that_is_asked_for() {
    let host = host(&step("leave", ""));
    assert_eq!(drain(&host, &["--on", "spot"]).0, Some(0));
    let first = record(&host);
    for arguments in [&["--on", "spot"][..], &["--on", "stop"], &[], &["--at-stop"]] {
        let (code, said) = drain(&host, arguments);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("this instance has been drained already"), "{said}");
    }
    assert_eq!(record(&host), first);
    assert_eq!(done(&host), "leave spot\n");
    assert_eq!(drain(&host, &["--on", "stop", "--force"]).0, Some(0));
    assert_eq!(done(&host), "leave spot\nleave stop\n");
}

#[test]
fn another_boot_is_drained_anew() {
    let host = host(&step("leave", ""));
    assert_eq!(drain(&host, &["--on", "spot"]).0, Some(0));
    let mut earlier = record(&host);
    earlier["boot_id"] = "6b9e2c9c-0000-4000-8000-000000000000".into();
    host.write("run/gild/drain.json", &earlier.to_string());
    assert_eq!(drain(&host, &["--on", "spot"]).0, Some(0));
    assert_eq!(done(&host), "leave spot\nleave spot\n");
    // What nobody can read is no reason to leave the instance as it is.
    host.write("run/gild/drain.json", "{\"version\": ");
    assert_eq!(drain(&host, &["--on", "spot"]).0, Some(0));
    assert_eq!(done(&host).lines().count(), 3);
}

/// A host with a step that waits between two that do not.
fn waiting() -> (Host, std::path::PathBuf) {
    let waits = "[lifecycle.drain.b]\nexec = [\"/wait\"]\n";
    let host = host(&[&step("a", ""), waits, &step("c", "")].concat());
    let begun = host.path("begun");
    let said = host.path("done");
    let text = format!(
        "#!/bin/sh\necho b $GILD_DRAIN >> {}\necho $$ > {}\nexec sleep 300\n",
        said.display(),
        begun.display()
    );
    host.program("wait", &text);
    (host, begun)
}

#[test]
fn a_drain_that_was_killed_is_gone_on_with_and_no_step_is_run_twice() {
    for (signal, outcome) in [(Signal::SIGKILL, "running"), (Signal::SIGTERM, "interrupted")] {
        let (host, begun) = waiting();
        let mut first = host.started(&["drain", "--on", "spot"]);
        wait_for("second step", || fs::read_to_string(&begun).is_ok_and(|id| !id.is_empty()));
        // While it is at work, another one leaves it alone.
        let (code, said) = drain(&host, &["--on", "stop"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("this instance is being drained already"), "{said}");
        first.signal(signal);
        first.0.wait().unwrap();
        assert_eq!(outcomes(&host)[1], ("b".to_owned(), outcome.to_owned()));
        assert!(record(&host)["ended_at"].is_null());
        if signal == Signal::SIGKILL {
            let id = fs::read_to_string(&begun).unwrap().trim().parse().unwrap();
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), Signal::SIGKILL);
        }

        let (code, said) = drain(&host, &["--on", "stop"]);
        assert_eq!(code, Some(1), "{said}");
        // For what it was begun for.
        assert_eq!(done(&host), "a spot\nb spot\nc spot\n");
        let expected = [("a", "ok"), ("b", "interrupted"), ("c", "ok")];
        assert_eq!(outcomes(&host), expected.map(|(n, word)| (n.to_owned(), word.to_owned())));
        assert!(record(&host)["ended_at"].is_string());
    }
}

#[test]
fn at_a_shutdown_a_drain_that_is_under_way_is_waited_for() {
    let (host, begun) = waiting();
    let host = reasons::going_down(host, "12 poweroff.target start waiting");
    let mut first = host.started(&["drain", "--on", "spot"]);
    wait_for("second step", || fs::read_to_string(&begun).is_ok_and(|id| !id.is_empty()));
    let mut second = host.gild(&["drain", "--at-stop"]).stderr(Stdio::piped()).spawn().unwrap();
    // It has asked systemd by now, and whether it waits shows in what it says at the end.
    wait_for("question", || host.imds.requests().iter().any(|path| path.ends_with("-state")));
    assert_eq!(second.try_wait().unwrap(), None);
    let id = fs::read_to_string(&begun).unwrap().trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), Signal::SIGTERM).unwrap();
    assert_eq!(first.0.wait().unwrap().code(), Some(1));
    let output = second.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("this instance has been drained already"), "{said}");
    assert_eq!(done(&host), "a spot\nb spot\nc spot\n");
}

#[test]
fn a_step_that_drains_by_itself_does_not_loop() {
    let itself = "[lifecycle.drain.a]\nexec = [\"/itself\"]\n";
    let host = host(&[itself, &step("b", "")].concat());
    let gild = host.gild(&[]).get_program().to_string_lossy().into_owned();
    let (root, count) = (host.path(""), host.path("count"));
    let (root, count) = (root.display(), count.display());
    host.program(
        "itself",
        &format!(
            "#!/bin/sh\necho x >> {count}\n{gild} --root {root} drain\n\
             {gild} --root {root} drain --on spot\n"
        ),
    );
    let (code, said) = drain(&host, &["--on", "spot"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(fs::read_to_string(host.path("count")).unwrap(), "x\n");
    assert_eq!(said.matches("is being drained already").count(), 2, "{said}");
    assert_eq!(done(&host), "b spot\n");
}
