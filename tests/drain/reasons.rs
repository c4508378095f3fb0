//! Why an instance is drained: the daemon's request, what systemd says when the unit
//! stops, and the metadata service.

use super::*;

const ALL: &str = "on = [\"spot\", \"terminate\", \"stop\", \"reboot\"]";
const ACTION: &str = "/latest/meta-data/spot/instance-action";
const STATE: &str = "/latest/meta-data/autoscaling/target-lifecycle-state";

/// A host with one step, and a systemctl that says that these jobs are under way.
fn with_jobs(jobs: &str) -> Host {
    going_down(host(&step("leave", ALL)), jobs)
}

/// The host with a systemctl that says that these jobs are under way.
pub(super) fn going_down(mut host: Host, jobs: &str) -> Host {
    host.program(
        "tools/systemctl",
        &format!(
            "#!/bin/sh\ncase $1 in\nlist-jobs) echo '{jobs}' ;;\n\
             show) echo 'TimeoutStopUSec=1min 30s' ;;\nesac\n"
        ),
    );
    let path = format!("{}:/usr/bin:/bin", host.path("tools").display());
    host.environment.push(("PATH", path));
    host
}

#[test]
fn at_a_stop_systemd_says_how_the_host_goes_down() {
    for (jobs, expected) in [
        ("12 poweroff.target start waiting", "leave stop\n"),
        ("12 halt.target start waiting", "leave stop\n"),
        ("7 gild.service stop waiting\n12 reboot.target start waiting", "leave reboot\n"),
        ("12 kexec.target start waiting", "leave reboot\n"),
        ("7 gild-drain.service restart running", ""),
        ("No jobs running.", ""),
    ] {
        let host = with_jobs(jobs);
        let (code, said) = drain(&host, &["--at-stop"]);
        assert_eq!(code, Some(0), "{jobs}: {said}");
        assert_eq!(done(&host), expected, "{jobs}: {said}");
        let drained = host.path("run/gild/drain.json").exists();
        assert_eq!(drained, !expected.is_empty(), "{jobs}");
    }
}

#[test]
fn at_a_stop_the_metadata_service_knows_why() {
    let notice = "{\"action\": \"terminate\", \"time\": \"2099-01-01T00:00:00Z\"}";
    for (path, text, expected) in [
        (STATE, "Terminated", "leave terminate\n"),
        (STATE, "InService", "leave stop\n"),
        (ACTION, notice, "leave spot\n"),
        (ACTION, "<html>", "leave stop\n"),
    ] {
        let host = with_jobs("12 poweroff.target start waiting");
        host.imds.set(path, Some(text));
        let (code, said) = drain(&host, &["--at-stop"]);
        assert_eq!(code, Some(0), "{text}: {said}");
        assert_eq!(done(&host), expected, "{text}: {said}");
    }
    // One that hangs costs a second.
    let host = with_jobs("12 poweroff.target start waiting");
    host.imds.faults.always("/latest", crate::fakes::fault::Fault::Hang);
    let start = std::time::Instant::now();
    assert_eq!(drain(&host, &["--at-stop"]).0, Some(0));
    assert_eq!(done(&host), "leave stop\n");
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn without_an_answer_of_systemd_nothing_is_drained_and_that_is_an_error() {
    let mut host = with_jobs("");
    host.program("tools/systemctl", "#!/bin/sh\necho no >&2\nexit 1\n");
    let (code, said) = drain(&host, &["--at-stop"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("failed to learn whether this host goes down"), "{said}");
    host.environment.pop();
    host.environment.push(("PATH", host.path("nothing").display().to_string()));
    let (code, said) = drain(&host, &["--at-stop"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("failed to find the program 'systemctl'"), "{said}");
    assert_eq!(done(&host), "");
}

#[test]
fn what_the_daemon_asks_for_decides_why_and_nothing_else() {
    let asked = "run/gild/daemon/drain";
    let host = host(&step("leave", ALL));
    for hostile in [
        "",
        "{\"occasion\": \"reboot\"}",
        "{\"occasion\": \"spot\", \"until\": 1}",
        "{\"occasion\": [\"spot\"]}",
    ] {
        host.write(asked, hostile);
        let (code, said) = drain(&host, &[]);
        assert_eq!(code, Some(1), "{hostile}: {said}");
        assert_eq!(done(&host), "");
    }
    let more = "{\"occasion\": \"spot\", \"until\": \"2099-01-01T00:00:00Z\",\
                \"exec\": [\"/say\", \"more\"]}";
    host.write(asked, more);
    let (code, said) = drain(&host, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(done(&host), "leave spot\n");
}

#[test]
fn without_any_reason_nothing_is_drained() {
    let quiet = host(&step("leave", ALL));
    let (code, said) = drain(&quiet, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nothing says why this instance should be drained"), "{said}");
    assert_eq!(done(&quiet), "");
    quiet.imds.set(STATE, Some("Terminated"));
    assert_eq!(drain(&quiet, &[]).0, Some(0));
    assert_eq!(done(&quiet), "leave terminate\n");
    for arguments in [&["--on", "never"][..], &["--until", "x"], &["--on", "spot", "--at-stop"]] {
        assert_eq!(drain(&quiet, arguments).0, Some(4), "{arguments:?}");
    }
}
