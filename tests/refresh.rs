//! The daemon looks at the sources again: what it puts in force, what it shows as drift,
//! what it asks for, and what a source that dies does to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use http::Method;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::boots::waiting_step;
use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::place::loopback;
use crate::fakes::wait::until;
use crate::host::{Host, ask, wait_for};
use crate::program::gild;

const PATIENCE: Duration = Duration::from_secs(30);

/// Looks come when they are asked for; an hour is longer than any test.
const SCOPE: &str = "
[scope]
refresh = '1h'
deadline = '3s'
attempt_timeout = '1s'
local_targets = true
[scope.global]
sources = ['FILES/g.toml']
";
const STEP_NEVER: &str = "configuration.run = 'never'\n\
    sink.out = { type = 'log', flush = '1s', include = ['node_load*'] }\n";

/// A host with a web server for its global document.
struct World {
    files: Files,
    host: Host,
}

impl World {
    fn new(document: &str) -> Self {
        let (files, host) = (Files::start(loopback()), Host::new(""));
        let scope = SCOPE.replace("FILES", &files.url(""));
        fs::write(host.path("usr/lib/gild/config.d/10.toml"), scope).unwrap();
        files.put("/g.toml", document);
        Self { files, host }
    }

    fn status(&self) -> Value {
        self.host.ask(Method::GET, "/v1/status")
    }

    /// Asks for a look and waits until it is over.
    #[track_caller]
    fn refreshed(&self) -> Value {
        refreshed(&|method, page| self.host.ask(method, page))
    }

    fn copies(&self) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
        let copies = fs::read_dir(self.host.path("var/lib/gild/last-good")).unwrap();
        let copy = |entry: std::io::Result<fs::DirEntry>| {
            let path = entry.unwrap().path();
            let when = fs::metadata(&path).unwrap().modified().unwrap();
            (path.display().to_string(), (fs::read(&path).unwrap(), when))
        };
        copies.map(copy).collect()
    }
}

#[track_caller]
fn refreshed(ask: &dyn Fn(Method, &str) -> Value) -> Value {
    let before = ask(Method::GET, "/v1/status")["refresh"]["at"].clone();
    assert_eq!(ask(Method::POST, "/v1/refresh"), json!({ "refresh": "started" }));
    until("look", PATIENCE, || match ask(Method::GET, "/v1/status") {
        status if status["refresh"]["at"] != before => Ok(status),
        status => Err(format!("{status:#}")),
    })
}

fn drift(status: &Value) -> BTreeMap<String, (Value, Value, bool)> {
    let keys = status["drift"]["keys"].as_array().cloned().unwrap_or_default();
    let value = |side: &Value| side["value"].clone();
    keys.iter()
        .map(|key| {
            let change = (value(&key["before"]), value(&key["after"]));
            let in_force = key["in_force"].as_bool().unwrap();
            (key["key"].as_str().unwrap().to_owned(), (change.0, change.1, in_force))
        })
        .collect()
}

fn sent(status: &Value) -> u64 {
    status["sinks"]["out"]["sent"].as_u64().unwrap()
}

#[test]
fn new_settings_are_in_force_at_once_and_the_rest_is_drift() {
    let world =
        World::new(&format!("{STEP_NEVER}metrics.interval = '1h'\nvars.a = 'old'\nvars.b = 1\n"));
    assert_eq!(world.host.configure(&[]).0, Some(0));
    let copies = world.copies();
    let _daemon = world.host.started(&["run"]);
    wait_for("first samples", || world.host.status().0.is_some_and(|code| code != 5));
    wait_for("first samples", || sent(&world.status()) > 0);
    let first = world.status();
    assert_eq!((&first["refresh"], &first["drift"]), (&Value::Null, &Value::Null));

    // The first look is a conditional one too, by the copies that the boot has kept.
    let asked = world.files.requests().len();
    let same = world.refreshed();
    assert_eq!(same["drift"], Value::Null, "{same:#}");
    assert_eq!((&same["refresh"]["ok"], &same["refresh"]["since"]), (&json!(true), &Value::Null));
    assert_eq!(same["state"], first["state"]);
    assert_eq!(world.files.requests().len(), asked + 1);

    world.files.put(
        "/g.toml",
        format!("{STEP_NEVER}metrics.interval = '1s'\nvars.a = 'new'\nvars.c = 2\n"),
    );
    let before = sent(&same);
    let status = world.refreshed();
    let expected = [
        ("metrics.interval", (json!("1h"), json!("1s"), true)),
        ("vars.a", (json!("old"), json!("new"), false)),
        ("vars.b", (json!(1), Value::Null, false)),
        ("vars.c", (Value::Null, json!(2), false)),
    ];
    assert_eq!(drift(&status), expected.map(|(key, change)| (key.to_owned(), change)).into());
    assert_eq!(status["drift"]["keys"][0]["after"]["origin"]["layer"], "global");
    assert_eq!(status["drift"]["more"], 0);
    assert_eq!(status["state"], first["state"], "drift alone is no fault");
    wait_for("measurements at the new interval", || sent(&world.status()) > before);
    let (_, text) = world.host.status();
    assert!(text.contains("vars.a: \"old\" → \"new\", waits for a configuration step"), "{text}");

    // What is in force is shown with its origin; what waits is not in force.
    let show = |key: &str| {
        let shown = world.host.gild(&["config", "show", key, "--origin", "--json"]).output();
        serde_json::from_slice::<Value>(&shown.unwrap().stdout).unwrap()[0].clone()
    };
    let interval = show("metrics.interval");
    assert_eq!(
        (&interval["value"], &interval["origin"]["layer"]),
        (&json!("1s"), &json!("global"))
    );
    assert_eq!(interval["overrode"][0]["value"], "10s");
    assert_eq!(show("vars.a")["value"], "old");
    let digest = world.host.ask(Method::GET, "/v1/config")["digest"].clone();
    assert_ne!(digest, status["drift"]["digest"]);
    assert_ne!(digest, status["configuration"]["digest"]);

    // Nothing new: one conditional request, and everything stays.
    let asked = world.files.requests().len();
    let again = world.refreshed();
    assert_eq!(again["drift"], status["drift"]);
    let requests = world.files.requests().split_off(asked);
    assert_eq!(requests.len(), 1);
    assert!(!requests[0].header("if-none-match").is_empty());
    assert_eq!(again["sources"][1]["state"], "unchanged", "{again:#}");

    assert_eq!(world.copies(), copies, "the daemon wrote a copy");

    // The old document comes back, and with it all that was in force.
    world.files.put(
        "/g.toml",
        format!("{STEP_NEVER}metrics.interval = '1h'\nvars.a = 'old'\nvars.b = 1\n"),
    );
    assert_eq!(world.refreshed()["drift"], Value::Null);
    assert_eq!(show("metrics.interval")["value"], "1h");
}

#[test]
fn looks_come_by_themselves_as_often_as_the_host_says() {
    let world = World::new(STEP_NEVER);
    world.host.configured("scope.refresh = '1s'\n");
    assert_eq!(world.host.configure(&[]).0, Some(0));
    let _daemon = world.host.started(&["run"]);
    wait_for("daemon", || world.host.status().0.is_some_and(|code| code != 5));
    wait_for("look", || world.status()["refresh"]["ok"] == true);
    world.host.configured("scope.refresh = '1h'\n");
    wait_for("another period", || !world.status()["drift"].is_null());
    let expected = (json!("1s"), json!("1h"), true);
    assert_eq!(drift(&world.status()), BTreeMap::from([("scope.refresh".to_owned(), expected)]));
    // A document that the daemon cannot use is a source that fails.
    world.host.configured("scope = [\n");
    let status = world.refreshed();
    assert_eq!((&status["state"], &status["refresh"]["ok"]), (&json!("degraded"), &json!(false)));
    assert!(status["problems"].to_string().contains("local layer"), "{status:#}");
    assert_eq!(drift(&status).len(), 1, "what is not whole changes nothing");
}

#[test]
fn a_step_by_hand_ends_the_drift() {
    let world = World::new(&format!("{STEP_NEVER}vars.a = 1\nmetrics.interval = '9s'\n"));
    assert_eq!(world.host.configure(&[]).0, Some(0));
    let _daemon = world.host.started(&["run"]);
    wait_for("daemon", || world.host.status().0.is_some_and(|code| code != 5));
    let new = format!("{STEP_NEVER}vars.a = 2\nmetrics.interval = '8s'\n");
    world.files.put("/g.toml", &new);
    assert_eq!(drift(&world.refreshed()).len(), 2);
    let newest = format!("{STEP_NEVER}vars.a = 3\nmetrics.interval = '7s'\n");
    world.files.put("/g.toml", &newest);
    assert_eq!(world.host.configure(&[]).0, Some(0));
    wait_for("end of the drift", || world.status()["drift"].is_null());
    let config = world.host.ask(Method::GET, "/v1/config");
    assert_eq!(config["digest"], world.host.report()["digest"]);

    // From then on it is the copy of `configure` that stands in.
    world.files.faults.always("/g.toml", Fault::Status(403, "denied".into()));
    let status = world.refreshed();
    assert_eq!((&status["refresh"]["ok"], &status["drift"]), (&json!(false), &Value::Null));
}

#[test]
fn a_source_that_dies_degrades_since_then_and_nothing_is_lost() {
    let world = World::new(&format!("{STEP_NEVER}metrics.interval = '1h'\n"));
    assert_eq!(world.host.configure(&[]).0, Some(0));
    let _daemon = world.host.started(&["run"]);
    wait_for("daemon", || world.host.status().0.is_some_and(|code| code != 5));
    world.files.put("/g.toml", format!("{STEP_NEVER}metrics.interval = '30m'\n"));
    let well = world.refreshed();
    assert_eq!(drift(&well).len(), 1);

    world.files.faults.always("/g.toml", Fault::Status(403, "denied".into()));
    let ill = world.refreshed();
    assert_eq!((&ill["state"], &ill["refresh"]["ok"]), (&json!("degraded"), &json!(false)));
    let since = ill["refresh"]["since"].as_str().unwrap().to_owned();
    let problems = ill["problems"].to_string();
    for part in ["global layer", "/g.toml", "403", &since, "stands in"] {
        assert!(problems.contains(part), "{part} in {problems}");
    }
    assert!(ill["refresh"]["error"].as_str().unwrap().contains("/g.toml"));
    assert_eq!(drift(&ill), drift(&well), "the copy is that of the last look");
    assert_eq!(ill["drift"]["since"], well["drift"]["since"]);
    let source = &ill["sources"].as_array().unwrap()[1];
    assert_eq!(source["state"], "last-good");
    assert!(source["copied_at"].is_string(), "{source:#}");
    assert_eq!(world.refreshed()["refresh"]["since"], since, "the time is that of the first");

    world.files.faults.clear();
    let again = world.refreshed();
    assert_eq!((&again["state"], &again["refresh"]["ok"]), (&well["state"], &json!(true)));
    assert_eq!((&again["refresh"]["since"], &again["problems"]), (&Value::Null, &well["problems"]));
}

#[test]
fn a_step_is_asked_for_once_for_each_configuration() {
    let step = "[configuration]\nrun = 'on-change'\nexec = ['/bin/true']\n";
    let host = Host::new("scope.refresh = '1h'\nscope.global.sources = ['file:/g.toml']\n");
    fs::create_dir_all(host.path("bin")).unwrap();
    fs::copy("/bin/true", host.path("bin/true")).unwrap();
    fs::create_dir_all(host.path("run/gild/daemon")).unwrap();
    let document = |more: &str| fs::write(host.path("g.toml"), format!("{step}{more}")).unwrap();
    let refreshed = || refreshed(&|method, page| host.ask(method, page));
    let asked = || {
        let file = host.path("run/gild/daemon/reconfigure");
        let digest = fs::read_to_string(&file).ok();
        let _ = fs::remove_file(file);
        digest
    };
    document("[vars]\na = 1\n");
    assert_eq!(host.configure(&[]).0, Some(0));
    let _daemon = host.started(&["run"]);
    wait_for("daemon", || host.status().0 == Some(0));

    // What the daemon applies by itself needs no step.
    document("[vars]\na = 1\n[metrics]\ninterval = '9s'\n");
    assert_eq!(drift(&refreshed()).len(), 1);
    assert_eq!(asked(), None);

    document("[vars]\na = 2\n[metrics]\ninterval = '9s'\n");
    let status = refreshed();
    assert_eq!(status["state"], "ready");
    assert_eq!(asked().map(Value::from).as_ref(), Some(&status["drift"]["digest"]));
    assert_eq!(drift(&refreshed()).len(), 2);
    assert_eq!(asked(), None, "the same one was asked for again");

    let (code, report) = host.configure(&[]);
    assert_eq!((code, &report["decision"]["run"]), (Some(0), &json!(true)), "{report:#}");
    wait_for("end of the drift", || {
        let status = host.ask(Method::GET, "/v1/status");
        status["drift"].is_null() && status["state"] == "ready"
    });
    assert_eq!(asked(), None);
}

#[test]
fn nothing_is_looked_at_while_the_step_is_at_work() {
    let world = World::new("");
    let (document, begun) = waiting_step(&world.host);
    world.files.put("/g.toml", &document);
    let _daemon = world.host.started(&["run"]);
    wait_for("daemon", || world.host.status().0 == Some(2));
    assert_eq!(world.host.ask(Method::POST, "/v1/refresh")["refresh"], "started");
    let step = world.host.started(&["configure"]);
    wait_for("step", || begun.exists());
    wait_for("report", || world.status()["configuration"]["outcome"] == "running");
    let asked = world.files.requests().len();
    assert_eq!(world.host.ask(Method::POST, "/v1/refresh")["refresh"], "started");
    assert_eq!((asked, &world.status()["refresh"]), (1, &Value::Null));
    step.signal(Signal::SIGTERM);
    wait_for("end of the step", || world.status()["state"] == "failed");
    assert_eq!(world.refreshed()["refresh"]["ok"], true);
    assert_eq!(world.files.requests().len(), asked + 1);
}

#[test]
fn a_look_that_hangs_holds_up_neither_answers_nor_the_end() {
    let world = World::new(STEP_NEVER);
    let slow = "scope.deadline = '10m'\nscope.attempt_timeout = '10m'\nmetrics.interval = '1s'\n";
    world.host.configured(slow);
    assert_eq!(world.host.configure(&[]).0, Some(0));
    let mut daemon = world.host.started(&["run"]);
    wait_for("daemon", || world.host.status().0.is_some_and(|code| code != 5));
    world.files.faults.always("/g.toml", Fault::Hang);
    let connections = world.files.connections();
    world.host.ask(Method::POST, "/v1/refresh");
    wait_for("look", || world.files.connections() > connections);
    let before = sent(&world.status());
    wait_for("measurement", || sent(&world.status()) > before);
    // Whoever asks meanwhile starts no second look.
    world.host.ask(Method::POST, "/v1/refresh");
    let before = sent(&world.status());
    wait_for("measurement", || sent(&world.status()) > before);
    assert_eq!(world.files.connections(), connections + 1);
    daemon.signal(Signal::SIGTERM);
    let ended = until("end", PATIENCE, || match daemon.0.try_wait().unwrap() {
        Some(status) => Ok(status),
        None => Err("it runs".to_owned()),
    });
    assert!(ended.success(), "{ended}");
}

#[test]
fn up_shows_drift_of_its_directory_and_starts_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (documents, state) = (directory.path().join("d"), directory.path().join("s"));
    fs::create_dir(&documents).unwrap();
    let document = |value: u32| {
        let text = format!("[configuration]\nexec = ['/bin/true']\n[vars]\na = {value}\n");
        fs::write(documents.join("global.toml"), text).unwrap();
    };
    document(1);
    let mut up = gild();
    up.arg("up").arg("--local").arg(&documents).arg("--state").arg(&state);
    up.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let _up = crate::host::Running(up.spawn().unwrap());
    let socket = state.join("run/status.sock");
    wait_for("socket", || socket.exists());
    wait_for("ready", || ask(&socket, Method::GET, "/v1/status")["state"] == "ready");
    let requests: &Path = &state.join("run/daemon");
    fs::create_dir(requests).unwrap();
    document(2);
    let status = refreshed(&|method, page| ask(&socket, method, page));
    assert_eq!(drift(&status)["vars.a"], (json!(1), json!(2), false));
    assert_eq!(status["state"], "ready");
    assert_eq!(fs::read_dir(requests).unwrap().count(), 0);
}
