//! Boots that are waited for, and boots that are not.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;
use crate::boots::waiting_step;
use crate::host::wait_for;

const HEARTBEAT: &str = "RecordLifecycleActionHeartbeat";
const COMPLETE: &str = "CompleteLifecycleAction";
const STATE: &str = "DescribeAutoScalingInstances";
const HOOKS: &str = "DescribeLifecycleHooks";

#[test]
fn a_slow_boot_is_waited_for_and_goes_on_into_service() {
    let (host, group) = launched(1, READY);
    let go = held_step(&host, 0);
    let mut boot = host.started(&["configure"]);
    wait_for("heartbeats", || group.called(HEARTBEAT).len() >= 4);
    assert_eq!(group.called(COMPLETE).len(), 0, "it is not over");
    fs::write(go, "").unwrap();
    assert!(boot.0.wait().unwrap().success());
    assert_eq!(group.order(), [STATE, HOOKS, HEARTBEAT, COMPLETE]);
    let named = |call: &crate::fakes::autoscaling::Called| {
        (call.field("AutoScalingGroupName") == "web-asg")
            .then(|| call.field("LifecycleHookName").to_owned())
    };
    assert_eq!(named(&group.called(HEARTBEAT)[0]).as_deref(), Some("ready"));
    let beats = group.called(HEARTBEAT);
    for pair in beats.windows(2) {
        let between = pair[1].at - pair[0].at;
        assert!(between.as_millis() > 300, "half of a second is asked for: {between:?}");
    }
    assert_eq!(words(&group), one("ready", "CONTINUE"));
    assert_eq!(group.state(), "Pending:Proceed");
    let report = host.report();
    let told = &report["lifecycle"];
    assert_eq!((&told["hook"], &told["group"]), (&"ready".into(), &"web-asg".into()), "{told}");
    assert_eq!((&told["result"], &told["error"]), (&"CONTINUE".into(), &Value::Null), "{told}");
    assert_eq!(told["heartbeats"], beats.len(), "{told}");
    assert_eq!(told["state"], "Pending:Wait");
    assert_eq!(phase(&report, "lifecycle").as_deref(), Some("ok"));
    assert_eq!(kept(&host)[0]["lifecycle"], *told);
}

#[test]
fn a_failed_boot_is_abandoned_once() {
    let (host, group) = launched(3600, READY);
    host.program("step", "#!/bin/sh\nexit 3\n");
    let (code, report, log) = configured(&host);
    assert_eq!(code, Some(1), "{log}");
    assert_eq!(words(&group), one("ready", "ABANDON"));
    assert_eq!(report["lifecycle"]["result"], "ABANDON");
    // What systemd then starts has nothing left to say.
    let calls = group.calls().len();
    assert_eq!(host.gild(&["notify", "failed-boot"]).status().unwrap().code(), Some(0));
    assert_eq!(group.calls().len(), calls);
}

#[test]
fn a_boot_without_a_usable_configuration_is_abandoned() {
    let (host, group) = launched(3600, "[configuration]\ntimeout = \"soon\"\n");
    let (code, _, log) = configured(&host);
    assert_eq!(code, Some(1), "{log}");
    assert_eq!(words(&group), one("ready", "ABANDON"));
}

#[test]
fn a_boot_that_is_killed_is_abandoned_by_the_unit_that_follows() {
    let (host, group) = launched(3600, "");
    let (document, begun) = waiting_step(&host);
    host.configured(&document);
    let mut boot = host.started(&["configure"]);
    wait_for("step", || begun.exists());
    assert_eq!(host.gild(&["notify", "failed-boot"]).status().unwrap().code(), Some(0));
    assert_eq!(words(&group), [], "it is at work");
    boot.kill();
    for _ in 0..2 {
        assert_eq!(host.gild(&["notify", "failed-boot"]).status().unwrap().code(), Some(0));
    }
    assert_eq!(words(&group), one("ready", "ABANDON"));
    let step: i32 = fs::read_to_string(&begun).unwrap().trim().parse().unwrap();
    let _ = kill(Pid::from_raw(step), Signal::SIGKILL);
}

#[test]
fn a_hook_that_is_named_is_not_looked_up() {
    let (host, group) = launched(3600, &format!("{READY}[lifecycle]\nlaunch_hook = \"ready\"\n"));
    let (code, _, log) = configured(&host);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(group.called(HOOKS).len(), 0);
    assert_eq!(words(&group), one("ready", "CONTINUE"));
}

#[test]
fn a_host_outside_any_group_asks_nobody() {
    let (host, group) = launched(3600, READY);
    host.imds.set(TARGET, None);
    let (code, report, log) = configured(&host);
    assert_eq!(code, Some(0), "{log}");
    assert!(report.get("lifecycle").is_none() && phase(&report, "lifecycle").is_none(), "{report}");
    assert_eq!(group.calls().len(), 0);
    let asked = host.imds.requests();
    assert_eq!(asked.iter().filter(|path| *path == TARGET).count(), 1, "{asked:?}");
}

#[test]
fn an_instance_in_service_is_asked_about_only_when_its_boot_is_over() {
    let (host, group) = host_in("InService", "InService", READY);
    group.launch_hook("ready", 3600);
    assert_eq!(configured(&host).0, Some(0));
    assert_eq!(group.order(), [STATE]);
    // A boot with nothing to do: the report is written before anybody is asked.
    group.faults.always(STATE, crate::fakes::fault::Fault::Hang);
    let _boot = host.started(&["configure"]);
    wait_for("question", || group.calls().len() == 2);
    let report = host.report();
    assert_eq!((&report["outcome"], &report["decision"]["run"]), (&"ready".into(), &false.into()));
}

#[test]
fn a_plan_tells_nobody() {
    let (host, group) = launched(3600, READY);
    let output = host.gild(&["configure", "--plan"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(group.calls().len(), 0);
    assert!(!host.imds.requests().iter().any(|path| path == TARGET));
}

#[test]
fn hooks_that_wait_one_after_the_other_are_all_told() {
    let (host, group) = launched(3600, READY);
    group.launch_hook("second", 1800);
    group.terminate_hook("last", 60);
    let (code, report, log) = configured(&host);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(group.state(), "Pending:Proceed");
    assert_eq!(report["lifecycle"]["hook"], "ready, second");
    let told = words(&group);
    assert_eq!((told[0].0.as_str(), told.last().unwrap().0.as_str()), ("ready", "second"));
    assert!(told.iter().all(|(hook, _)| hook != "last"), "{told:?}");
    // A hook that others have to answer is named, and the rest left alone.
    group.now("Pending:Wait");
    host.configured(&format!("{READY}[lifecycle]\nlaunch_hook = \"ready\"\n"));
    assert_eq!(configured(&host).0, Some(0));
    assert_eq!(words(&group).iter().filter(|(hook, _)| hook == "ready").count(), 2);
    assert_eq!(group.state(), "Pending:Wait");
}

#[test]
fn an_instance_on_its_way_to_the_hook_is_waited_for() {
    let (host, group) = launched(3600, READY);
    group.now("Pending");
    let go = held_step(&host, 0);
    let mut boot = host.started(&["configure"]);
    wait_for("look", || group.called(STATE).len() == 1);
    group.now("Pending:Wait");
    fs::write(go, "").unwrap();
    assert!(boot.0.wait().unwrap().success());
    assert_eq!(words(&group), one("ready", "CONTINUE"));
}

#[test]
fn a_group_without_hooks_is_not_waited_for() {
    let (host, group) = host_in("Pending", "InService", READY);
    group.terminate_hook("bye", 60);
    let (code, report, log) = configured(&host);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(group.order(), [STATE, HOOKS]);
    assert!(report.get("lifecycle").is_none(), "{report}");
}

#[test]
fn an_instance_that_may_not_ask_for_its_state_goes_by_tag_and_name() {
    let document = format!("{READY}[lifecycle]\nlaunch_hook = \"ready\"\n");
    let mut host = Host::with_tags(&document, &[("aws:autoscaling:groupName", "web-asg")]);
    host.program("step", "#!/bin/sh\nexit 0\n");
    let group = AutoScaling::start(loopback(), &Instance::default().id, "Pending:Wait");
    group.launch_hook("ready", 3600);
    group.deny(STATE);
    host.environment.push(("AWS_ENDPOINT_URL_AUTO_SCALING", group.endpoint()));
    let (code, _, log) = configured(&host);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(words(&group), one("ready", "CONTINUE"));
    assert_eq!(group.called(HOOKS).len(), 0);
}

#[test]
fn an_instance_that_enters_a_warm_pool_is_told_of_too() {
    let (host, group) = host_in("Warmed:Pending:Wait", "Warmed:Stopped", READY);
    group.launch_hook("ready", 3600);
    assert_eq!(configured(&host).0, Some(0));
    assert_eq!(words(&group), one("ready", "CONTINUE"));
    assert_eq!(group.state(), "Warmed:Pending:Proceed");
    // From a stopped pool it is a boot like any other, with nothing to do.
    group.now("Pending:Wait");
    host.imds.set(TARGET, Some("InService"));
    let (code, report, log) = configured(&host);
    assert_eq!((code, &report["decision"]["run"]), (Some(0), &false.into()), "{log}");
    assert_eq!(words(&group).len(), 2);
    assert_eq!(group.state(), "Pending:Proceed");
}

#[test]
fn a_step_that_may_outlast_its_hook_is_warned_about() {
    let (host, group) = launched(2, &format!("{READY}timeout = \"10m\"\n"));
    let (code, report, log) = configured(&host);
    assert_eq!((code, &report["outcome"]), (Some(0), &"ready".into()), "{log}");
    let warning =
        "configuration.timeout is 10m, and the lifecycle hook 'ready' waits 3m 20s at most";
    assert!(log.contains(warning), "{log}");
    assert_eq!(report["problems"], serde_json::json!([warning]));
    assert_eq!(words(&group), one("ready", "CONTINUE"));
}
