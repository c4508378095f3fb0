//! The text, whole, as people see it. Alignment is part of it.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn side(value: &str) -> serde_json::Value {
    json!({ "value": value, "origin": { "layer": "global", "source": "g.toml" } })
}

fn failed() -> Snapshot {
    serde_json::from_value(json!({
        "version": 1, "state": "failed", "since": "2026-01-01T00:01:00.000Z",
        "identity": {
            "provenance": "imds", "instance_id": "i-0abc", "instance_type": "t4g.small",
            "region": "eu-west-1", "availability_zone": "eu-west-1a", "account": "123456789012",
            "image_id": "ami-1", "private_ip": "10.0.0.7", "hostname": "web-1",
            "autoscaling_group": "web", "tags": {}
        },
        "configuration": {
            "outcome": "failed", "failed_task": "Start nginx", "message": "no such\nunit \u{1b}[2J",
            "started_at": "2026-01-01T00:00:00.000Z", "ended_at": "2026-01-01T00:01:00.000Z",
            "digest": "0123456789abcdef"
        },
        "refresh": {
            "at": "2026-01-01T00:10:00.000Z", "ok": false, "error": "ssm:/gild",
            "since": "2026-01-01T00:05:00.000Z"
        },
        "drift": {
            "since": "2026-01-01T00:05:00.000Z", "digest": "fedcba9876543210", "more": 7,
            "keys": [
                { "key": "metrics.interval", "before": side("10s"), "after": side("20s"),
                  "in_force": true },
                { "key": "vars.a", "before": null, "after": side(&"x".repeat(500)),
                  "in_force": false }
            ]
        },
        "sources": [
            { "layer": "global", "source": "https://conf/global.toml", "state": "fetched",
              "version": null, "keys": 12, "attempts": 1, "elapsed_ms": 20.4, "error": null },
            { "layer": "account", "source": "ssm:/gild", "state": "last-good", "version": "3",
              "keys": 1, "attempts": 4, "elapsed_ms": 5012.0, "error": "no answer: timed out",
              "copied_at": "2025-12-31T00:00:00.000Z" }
        ],
        "problems": ["metrics.interval must be a length of time"],
        "services": {
            "web": { "up": false, "state": "failed", "since": "2026-01-01T00:00:30.000Z",
                     "message": "nginx.service has failed (exit-code)" },
            "cache": { "up": null, "state": null, "since": "2026-01-01T00:00:00.000Z",
                       "message": "not looked at yet" }
        },
        "sinks": {
            "mimir": { "queued": 3, "sent": 120, "dropped": { "queue_full": 7, "too_old": 0 },
                       "last_error": "no answer", "last_success": null,
                       "left_out": { "count": 12, "names": ["disk_used{path=/a}", "x\n"] } }
        },
        "notify": {
            "quiet": { "waiting": 0, "delivered": 4, "dropped": 0, "last_error": null,
                       "last_success": "2026-01-01T00:00:00.000Z" },
            "deploy": { "waiting": 2, "delivered": 1, "dropped": 0, "last_error": "answered\n503",
                        "last_success": "2026-01-01T00:00:00.000Z" }
        },
        "collectors": { "cpu": { "ok": true, "duration_ms": 0.21, "error": null } },
        "agent": { "version": "0.1.0", "pid": 42, "uptime_s": 3700, "rss_bytes": 8_400_000 }
    }))
    .unwrap()
}

const TEXT: &str = "\
failed since 2026-01-01T00:01:00.000Z
instance   i-0abc, t4g.small, eu-west-1a, account 123456789012, ami-1, 10.0.0.7, web-1, group web
configure  from 2026-01-01T00:00:00.000Z to 2026-01-01T00:01:00.000Z, digest 0123456789ab
           failed at task \"Start nginx\"
           no such unit \u{fffd}[2J
           problem: metrics.interval must be a length of time
refresh    at 2026-01-01T00:10:00.000Z, not complete since 2026-01-01T00:05:00.000Z
drift      since 2026-01-01T00:05:00.000Z, digest fedcba987654: 9 keys
           metrics.interval: \"10s\" → \"20s\", in force
           vars.a: not set → \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…, waits for a configuration step
           and 7 more

layer    source                    state                                  keys  tries  took     error
global   https://conf/global.toml  fetched                                12    1      20 ms
account  ssm:/gild                 last-good of 2025-12-31T00:00:00.000Z  1     4      5012 ms  no answer: timed out

service  is       unit    since                     message
cache    unknown  -       2026-01-01T00:00:00.000Z  not looked at yet
web      DOWN     failed  2026-01-01T00:00:30.000Z  nginx.service has failed (exit-code)

sink   sent  queued  dropped       last success  last error
mimir  120   3       7 queue_full  never         no answer
mimir: max_metrics leaves out 12: disk_used{path=/a}, x and 10 more

notify  waiting  delivered  dropped  last success              last error
deploy  2        1          0        2026-01-01T00:00:00.000Z  answered 503

collector  is  took    error
cpu        ok  0.2 ms

agent      gild 0.1.0, process 42, up 1h 1m 40s, 8.4 MB
";

#[test]
fn a_failed_boot_reads_like_this() {
    assert_eq!(render(&failed(), false), TEXT);
}

#[test]
fn colour_is_on_the_state_alone() {
    let text = render(&failed(), true);
    assert_eq!(text.replacen("\x1b[1;31mfailed\x1b[0m", "failed", 1), TEXT);
}

#[test]
fn an_instance_that_knows_nothing_yet_is_shown_too() {
    let mut snapshot = failed();
    snapshot.state = State::Configuring;
    snapshot.identity = None;
    snapshot.configuration = serde_json::from_value(json!({
        "outcome": null, "failed_task": null, "message": null,
        "started_at": null, "ended_at": null, "digest": null
    }))
    .unwrap();
    snapshot.problems.clear();
    (snapshot.refresh, snapshot.drift) = (None, None);
    snapshot.sources.clear();
    snapshot.services.clear();
    snapshot.sinks.clear();
    snapshot.notify.clear();
    snapshot.collectors.clear();
    assert_eq!(
        render(&snapshot, false),
        "configuring since 2026-01-01T00:01:00.000Z\n\
         instance   not known yet\n\
         configure  has not begun\n\n\
         agent      gild 0.1.0, process 42, up 1h 1m 40s, 8.4 MB\n"
    );
}

#[test]
fn what_was_drained_is_shown_with_what_failed() {
    let mut snapshot = failed();
    snapshot.drain = serde_json::from_value(json!({
        "version": 1, "boot_id": null, "occasion": "spot", "ended_at": "2026-01-02T00:00:09.000Z",
        "started_at": "2026-01-02T00:00:00.000Z",
        "steps": [
            { "name": "leave", "outcome": "ok", "duration_ms": 812.4, "message": null },
            { "name": "sy\u{1b}nc", "outcome": "timed_out", "duration_ms": 5000.2,
              "message": "it did not end within 5s\nand was killed" }
        ]
    }))
    .unwrap();
    let text = render(&snapshot, false);
    let lines = "\
drain      for spot since 2026-01-02T00:00:00.000Z, done at 2026-01-02T00:00:09.000Z
           leave ok, 812 ms
           sy\u{fffd}nc timed out, 5000 ms: it did not end within 5s and was killed
";
    let after = "           and 7 more\n";
    assert_eq!(text, TEXT.replacen(after, &format!("{after}{lines}"), 1));
}

#[test]
fn what_is_coming_is_shown_a_line_for_each() {
    let mut snapshot = failed();
    snapshot.lifecycle = Some(
        serde_json::from_value(json!({
            "spot": { "action": "stop", "time": "2026-01-01T00:12:00Z" },
            "rebalance": "2026-01-01T00:11:00Z",
            "target_state": "Terminated",
            "events": [{
                "id": "instance-event-1", "code": "system-reboot", "state": "active",
                "not_before": "2026-01-02T00:00:00Z", "not_after": null,
                "description": "a \u{1b}[2J reboot"
            }],
            "error": "no answer"
        }))
        .unwrap(),
    );
    let lines = "\
lifecycle  target state Terminated
           spot interruption: stop at 2026-01-01T00:12:00Z
           rebalance recommended at 2026-01-01T00:11:00Z
           system-reboot from 2026-01-02T00:00:00Z: a \u{fffd}[2J reboot (instance-event-1)
           nothing newer is known: no answer
";
    let at = TEXT.find("\nlayer ").unwrap();
    let expected = format!("{}{lines}{}", &TEXT[..at], &TEXT[at..]);
    assert_eq!(render(&snapshot, false), expected);
}

#[test]
fn a_text_of_any_length_is_shown() {
    let mut snapshot = failed();
    snapshot.sources[0].source = "x".repeat(100_000);
    let text = render(&snapshot, false);
    assert!(text.contains(&"x".repeat(100_000)));
    let longest = text.lines().map(str::len).filter(|length| *length < 100_000).max().unwrap();
    assert!(longest < 400, "the other lines are not widened: {longest}");
}
