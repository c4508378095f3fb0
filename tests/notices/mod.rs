//! What the metadata service says is coming: shown, told once, and asked for in a way
//! that costs nothing and that no answer can disturb.

mod looks;

use std::fs;

use http::Method;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::fakes::chat::{Chat, path};
use crate::fakes::fault::Fault;
use crate::fakes::place::loopback;
use crate::host::{Host, Running, wait_for};

const SPOT: &str = "/latest/meta-data/spot/instance-action";
const REBALANCE: &str = "/latest/meta-data/events/recommendations/rebalance";
const TARGET: &str = "/latest/meta-data/autoscaling/target-lifecycle-state";
const EVENTS: &str = "/latest/meta-data/events/maintenance/scheduled";

const NOTICE: &str = r#"{"action": "terminate", "time": "2026-09-18T08:22:00Z"}"#;
const RECOMMENDATION: &str = r#"{"noticeTime": "2026-10-26T13:08:37Z"}"#;
const REBOOT: &str = r#"[{"NotBefore": "21 Jan 2026 09:00:43 GMT", "Code": "system-reboot",
    "Description": "scheduled reboot", "EventId": "instance-event-0d59937288b749b32",
    "NotAfter": "21 Jan 2026 09:17:23 GMT", "State": "active"}]"#;

/// A host that looks every second and whose step is over.
fn host(document: &str) -> Host {
    let quick = "configuration.run = 'never'\nlifecycle.interval = '1s'\nscope.refresh = '1h'\n";
    let host = Host::new(&format!("{quick}{document}"));
    fs::create_dir_all(host.path("run/gild/daemon")).unwrap();
    assert_eq!(host.configure(&[]).0, Some(0));
    host
}

/// A channel that is told of `on`, or of what all are told of.
fn channel(chat: &Chat, on: &str) -> String {
    format!("[notify.ops]\ntype = 'discord'\nurl = '{}'\n{on}\n", chat.webhook("ops"))
}

fn daemon(host: &Host) -> Running {
    let daemon = host.started(&["run"]);
    wait_for("daemon", || host.status().0 != Some(5));
    daemon
}

fn coming(host: &Host) -> Value {
    host.ask(Method::GET, "/v1/status")["lifecycle"].clone()
}

fn asked(host: &Host, path: &str) -> usize {
    host.imds.requests().iter().filter(|asked| *asked == path).count()
}

/// Waits until looks that began after this call are over.
fn looked(host: &Host) {
    let before = asked(host, SPOT);
    wait_for("two looks", || asked(host, SPOT) >= before + 2);
}

fn drain(host: &Host) -> Option<Value> {
    let text = fs::read(host.path("run/gild/daemon/drain")).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

fn titles(chat: &Chat) -> Vec<String> {
    let title = |body: &Value| body["embeds"][0]["title"].as_str().unwrap().to_owned();
    let posted = chat.posted("ops");
    posted.iter().map(|posted| title(&posted.body)).filter(|it| !it.starts_with("READY")).collect()
}

const NAME: &str = "ip-10-1-2-3.eu-west-1.compute.internal (10.1.2.3)";

#[test]
fn a_spot_notice_is_shown_and_told_once_and_asks_for_a_drain() {
    let chat = Chat::start(loopback());
    let host = host(&channel(&chat, ""));
    let mut first = daemon(&host);
    looked(&host);
    assert_eq!((coming(&host), drain(&host)), (Value::Null, None));

    host.imds.set(SPOT, Some(NOTICE));
    wait_for("notice", || coming(&host)["spot"]["action"] == "terminate");
    assert_eq!(coming(&host)["spot"]["time"], "2026-09-18T08:22:00Z");
    let (_, text) = host.status();
    let line = "lifecycle  spot interruption: terminate at 2026-09-18T08:22:00Z\n";
    assert!(text.contains(line), "{text}");
    let wanted = json!({ "occasion": "spot", "until": "2026-09-18T08:22:00.000Z" });
    wait_for("drain", || drain(&host).as_ref() == Some(&wanted));
    wait_for("message", || !titles(&chat).is_empty());
    assert_eq!(titles(&chat), [format!("SPOT INTERRUPTION of {NAME}")]);
    let posted = chat.posted("ops");
    let fields = posted.last().unwrap().body["embeds"][0]["fields"].clone();
    let told = fields.as_array().unwrap().last().unwrap()["value"].as_str().unwrap().to_owned();
    assert!(told.contains("terminate at 2026-09-18T08:22:00Z"), "{told}");

    // Whoever drains has taken it up: nobody asks again, in this daemon or in the next.
    fs::remove_file(host.path("run/gild/daemon/drain")).unwrap();
    fs::write(host.path("run/gild/drain.json"), "{}").unwrap();
    looked(&host);
    first.signal(Signal::SIGTERM);
    assert!(first.0.wait().unwrap().success());
    let mut second = daemon(&host);
    wait_for("notice", || coming(&host)["spot"]["action"] == "terminate");
    looked(&host);
    second.kill();
    let _third = daemon(&host);
    looked(&host);
    assert_eq!((drain(&host), titles(&chat).len()), (None, 1));

    // Another one is news.
    host.imds.set(SPOT, Some(&NOTICE.replace("08:22", "09:22")));
    wait_for("message", || titles(&chat).len() == 2);
}

#[test]
fn what_a_daemon_could_not_deliver_the_next_one_does_once_and_first() {
    let chat = Chat::start(loopback());
    chat.faults.always(&path("ops"), Fault::Status(503, String::new()));
    // What came of the boot waits too.
    let host = host(&channel(&chat, ""));
    host.imds.set(SPOT, Some(NOTICE));
    let mut first = daemon(&host);
    wait_for("notice", || coming(&host)["spot"].is_object());
    first.kill();
    assert_eq!(chat.posted("ops").len(), 0);
    chat.faults.clear();
    let _second = daemon(&host);
    wait_for("messages", || chat.posted("ops").len() == 2);
    looked(&host);
    let posted = chat.posted("ops");
    let title = |at: usize| posted[at].body["embeds"][0]["title"].as_str().unwrap();
    assert_eq!(posted.len(), 2);
    assert_eq!(title(0), format!("SPOT INTERRUPTION of {NAME}"));
    assert_eq!(title(1), format!("READY on {NAME}"));
}

#[test]
fn the_end_that_the_group_decides_is_told_and_asks_for_a_drain() {
    let chat = Chat::start(loopback());
    let host = host(&channel(&chat, ""));
    host.imds.set(TARGET, Some("InService"));
    let _daemon = daemon(&host);
    wait_for("state", || coming(&host)["target_state"] == "InService");
    assert!(host.status().1.contains("lifecycle  target state InService\n"));
    host.imds.set(TARGET, Some("Terminated"));
    let wanted = json!({ "occasion": "terminate", "until": null });
    wait_for("drain", || drain(&host).as_ref() == Some(&wanted));
    wait_for("message", || titles(&chat) == [format!("TERMINATING {NAME}")]);
    assert_eq!(coming(&host)["target_state"], "Terminated");
}

#[test]
fn an_instance_that_was_drained_is_not_drained_again() {
    let host = host("");
    fs::write(host.path("run/gild/drain.json"), "{}").unwrap();
    host.imds.set(TARGET, Some("Terminated"));
    let _daemon = daemon(&host);
    wait_for("state", || coming(&host)["target_state"] == "Terminated");
    looked(&host);
    assert_eq!(drain(&host), None);
}

#[test]
fn a_recommendation_and_a_planned_event_are_for_those_who_want_them() {
    let (chat, quiet) = (Chat::start(loopback()), Chat::start(loopback()));
    let by_default = channel(&quiet, "").replace("notify.ops", "notify.quiet");
    let wanted = channel(&chat, "on = ['rebalance', 'maintenance']");
    let host = host(&format!("{wanted}{by_default}"));
    host.imds.set(REBALANCE, Some(RECOMMENDATION));
    host.imds.set(EVENTS, Some(REBOOT));
    let _daemon = daemon(&host);
    wait_for("messages", || titles(&chat).len() == 2);
    let expected =
        [format!("REBALANCE recommended for {NAME}"), format!("MAINTENANCE planned for {NAME}")];
    let mut told = titles(&chat);
    told.sort_by_key(|title| title.starts_with("MAINTENANCE"));
    assert_eq!(told, expected);
    assert_eq!((titles(&quiet).len(), drain(&host)), (0, None));
    let (_, text) = host.status();
    let lines = "lifecycle  rebalance recommended at 2026-10-26T13:08:37Z\n           \
                 system-reboot from 2026-01-21T09:00:43Z to 2026-01-21T09:17:23Z: \
                 scheduled reboot (instance-event-0d59937288b749b32)\n";
    assert!(text.contains(lines), "{text}");

    // An event that is canceled is over.
    host.imds.set(EVENTS, Some(&REBOOT.replace("active", "canceled")));
    wait_for("end of the event", || coming(&host)["events"] == json!([]));
    host.imds.set(REBALANCE, None);
    wait_for("end of the notice", || coming(&host).is_null());
    assert_eq!(titles(&chat).len(), 2);
}
