//! What a look costs, and what no answer can do.

use std::time::{Duration, Instant};

use super::*;
use crate::program::gild;

#[test]
fn a_usual_look_asks_three_questions_over_one_connection() {
    let host = host("");
    host.imds.set(TARGET, Some("InService"));
    let _daemon = daemon(&host);
    looked(&host);
    let (connections, tokens) = (host.imds.connections(), host.imds.tokens());
    let before = host.imds.requests().len();
    wait_for("looks", || host.imds.requests().len() >= before + 30);
    let requests = host.imds.requests().split_off(before);
    let first = requests.iter().position(|path| path == SPOT).unwrap();
    for look in requests[first..].split(|path| path == SPOT) {
        let usual: Vec<_> = look.iter().filter(|path| *path != EVENTS).collect();
        assert!(usual.len() <= 2, "{look:?}");
        assert!(usual.iter().all(|path| *path == TARGET || *path == REBALANCE), "{look:?}");
    }
    let events = requests.iter().filter(|path| *path == EVENTS).count();
    assert!(events <= 2, "{requests:?}");
    assert_eq!((host.imds.connections(), host.imds.tokens()), (connections, tokens));
}

#[test]
fn an_instance_without_a_group_is_hardly_asked_for_one() {
    let host = host("");
    let _daemon = daemon(&host);
    let before = asked(&host, SPOT);
    wait_for("looks", || asked(&host, SPOT) >= before + 8);
    assert_eq!(asked(&host, TARGET), 1);
}

#[test]
fn answers_that_are_none_disturb_nobody() {
    let host = host("metrics.interval = '1s'\nsink.out = { type = 'log', flush = '1s' }\n");
    let faults = &host.imds.faults;
    faults.always(SPOT, Fault::Hang);
    host.imds.set(REBALANCE, Some(RECOMMENDATION));
    host.imds.set(EVENTS, Some(r#"[{"Code": {"Code": [[[[]]]]}}]"#));
    host.imds.set(TARGET, Some("\u{1b}[2J<html>"));
    let _daemon = daemon(&host);
    let sent = || host.ask(Method::GET, "/v1/status")["sinks"]["out"]["sent"].as_u64().unwrap();
    // While one page hangs the others are read, and the daemon measures and answers.
    wait_for("another page", || coming(&host)["rebalance"].is_string());
    let before = sent();
    let begun = Instant::now();
    assert!(coming(&host)["spot"].is_null());
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    wait_for("measurements", || sent() > before);

    let odd = [
        Fault::Status(500, "oops".to_owned()),
        Fault::Garbage,
        Fault::Close,
        Fault::CutOff,
        Fault::Huge,
        Fault::Status(200, NOTICE.replace("terminate", "explode")),
    ];
    for fault in odd {
        faults.clear();
        faults.always(SPOT, fault.clone());
        host.imds.set(REBALANCE, None);
        wait_for("a look", || coming(&host)["rebalance"].is_null());
        host.imds.set(REBALANCE, Some(RECOMMENDATION));
        wait_for("a look", || coming(&host)["rebalance"].is_string());
        assert!(coming(&host)["spot"].is_null(), "{fault:?}");
    }
    assert_eq!(drain(&host), None);
    faults.clear();
    host.imds.revoke_tokens();
    host.imds.set(SPOT, Some(NOTICE));
    wait_for("notice", || coming(&host)["spot"].is_object());
    // What is not answered any more is still known.
    faults.always("/", Fault::Close);
    let connections = host.imds.connections();
    wait_for("looks in vain", || host.imds.connections() >= connections + 6);
    assert!(coming(&host)["spot"].is_object());
}

#[test]
fn nobody_is_asked_where_it_is_not_wanted_or_there_is_no_one() {
    let host = host("lifecycle.watch = false\n");
    let before = host.imds.requests().len();
    let _daemon = daemon(&host);
    host.imds.set(SPOT, Some(NOTICE));
    wait_for("measurements", || {
        !host.ask(Method::GET, "/v1/status")["collectors"]["cpu"].is_null()
    });
    assert_eq!((host.imds.requests().len(), coming(&host)), (before, Value::Null));

    // Off EC2: the directory stands for all scopes, and the host is its own identity.
    let directory = tempfile::tempdir().unwrap();
    let account = "configuration.run = 'never'\nlifecycle.interval = '1s'\n\
                   metrics.interval = '1s'\nsink.log = { type = 'log', flush = '1s' }\n";
    fs::write(directory.path().join("account.toml"), account).unwrap();
    let mut up = gild();
    up.args(["up", "--once", "--local"]).arg(directory.path());
    up.arg("--state").arg(directory.path().join("state"));
    up.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", host.imds.endpoint());
    let output = up.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(host.imds.requests().len(), before);
}
