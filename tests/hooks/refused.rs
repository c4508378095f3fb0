//! A group that may not be asked or told, or does not answer.

use std::time::{Duration, Instant};

use super::*;
use crate::fakes::fault::Fault;
use crate::host::{ask, wait_for};

const STATE: &str = "DescribeAutoScalingInstances";
const HOOKS: &str = "DescribeLifecycleHooks";
const HEARTBEAT: &str = "RecordLifecycleActionHeartbeat";
const COMPLETE: &str = "CompleteLifecycleAction";

/// How many lines of a log tell what to allow.
fn advice(log: &str) -> usize {
    log.lines().filter(|line| line.contains("allow its role autoscaling:")).count()
}

#[test]
fn a_missing_permission_is_said_once_and_the_boot_is_ready() {
    for denied in [&[STATE][..], &[HOOKS], &[HEARTBEAT, COMPLETE], &[COMPLETE]] {
        let (host, group) = launched(3600, READY);
        denied.iter().for_each(|action| group.deny(action));
        let (code, report, log) = configured(&host);
        assert_eq!((code, &report["outcome"]), (Some(0), &"ready".into()), "{log}");
        assert_eq!(advice(&log), 1, "{denied:?}: {log}");
        assert_eq!(log.matches("AccessDenied").count(), 1, "{denied:?}: {log}");
        let told = &report["lifecycle"];
        let error = told["error"].as_str().unwrap();
        assert!(error.contains("AccessDenied") && told["result"].is_null(), "{told}");
        assert_eq!(phase(&report, "lifecycle").as_deref(), Some("failed"));
        assert!(told.get("owed").is_none(), "nobody else may either: {told}");
    }
}

#[test]
fn a_step_whose_hook_may_not_be_kept_waiting_ends_before_the_hook() {
    let (host, group) = launched(4, READY);
    group.deny(HEARTBEAT);
    let _go = held_step(&host, 0);
    let begun = Instant::now();
    let (code, report, log) = configured(&host);
    assert_eq!(code, Some(1), "{log}");
    let failure = report["failure"]["message"].as_str().unwrap();
    assert!(failure.contains("autoscaling:RecordLifecycleActionHeartbeat"), "{failure}");
    assert_eq!(words(&group), one("ready", "ABANDON"));
    let told = group.called(COMPLETE)[0].at;
    assert!(told - begun < Duration::from_secs(4), "{:?}", told - begun);
    assert!(report["lifecycle"]["error"].as_str().unwrap().contains(HEARTBEAT));
    assert_eq!(advice(&log), 1, "{log}");
}

#[test]
fn a_group_that_throttles_or_breaks_is_told_all_the_same() {
    let (host, group) = launched(3600, READY);
    group.faults.next(STATE, 1, Fault::Throttle);
    group.faults.next(COMPLETE, 1, Fault::Status(500, String::new()));
    let (code, _, log) = configured(&host);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(words(&group).len(), 2);
    assert_eq!(group.state(), "Pending:Proceed");
}

#[test]
fn credentials_that_have_run_out_are_replaced() {
    let (host, group) = launched(3600, READY);
    let expired = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>\
                   <Message>it has expired</Message></Error></ErrorResponse>";
    group.faults.next(COMPLETE, 1, Fault::Status(403, expired.to_owned()));
    let (code, _, log) = configured(&host);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(group.state(), "Pending:Proceed");
    let role = "/latest/meta-data/iam/security-credentials/gild-instance";
    let looked = host.imds.requests().iter().filter(|path| *path == role).count();
    assert_eq!(looked, 2, "once before the step, once for the new ones");
}

#[test]
fn a_boot_without_work_does_not_wait_for_a_group_that_does_not_answer() {
    let (host, group) = host_in("InService", "InService", READY);
    group.launch_hook("ready", 3600);
    assert_eq!(configured(&host).0, Some(0));
    group.faults.always("", Fault::Hang);
    let begun = Instant::now();
    let (code, report, log) = configured(&host);
    assert_eq!((code, &report["decision"]["run"]), (Some(0), &false.into()), "{log}");
    // Far less than what a boot waits that was waited for.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(report["lifecycle"]["owed"], true);
    assert_eq!(phase(&report, "lifecycle"), None);
}

#[test]
fn a_group_that_does_not_answer_changes_nothing_and_is_told_later_by_the_daemon() {
    let (host, group) = launched(3600, READY);
    group.faults.always("", Fault::Hang);
    let begun = Instant::now();
    let mut boot = host.started(&["configure"]);
    wait_for("outcome", || {
        host.path("run/gild/report.json").exists() && host.report()["outcome"] == "ready"
    });
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(boot.0.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let told = &host.report()["lifecycle"];
    assert_eq!((&told["owed"], &told["result"]), (&true.into(), &Value::Null), "{told}");
    assert_eq!(words(&group), []);

    group.faults.clear();
    let _daemon = host.started(&["run"]);
    wait_for("word", || group.state() == "Pending:Proceed");
    assert_eq!(words(&group), one("ready", "CONTINUE"));
    let status = ask(&host.path("run/gild/status.sock"), http::Method::GET, "/v1/status");
    assert_eq!(status["state"], "ready", "{status}");
}
