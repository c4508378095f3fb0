//! Lifecycle hooks by the program itself: what an autoscaling group that waits is told
//! of its instance, and that whatever it answers changes nothing else.

mod boots;
mod daemon;
mod ending;
mod refused;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::fakes::autoscaling::AutoScaling;
use crate::fakes::imds::Instance;
use crate::fakes::place::loopback;
use crate::host::Host;

const TARGET: &str = "/latest/meta-data/autoscaling/target-lifecycle-state";
const READY: &str = "[configuration]\nexec = [\"/step\"]\n";

/// A host in a group, in one state on its way to another.
fn host_in(state: &str, target: &str, document: &str) -> (Host, AutoScaling) {
    let mut host = Host::new(document);
    host.imds.set(TARGET, Some(target));
    host.program("step", "#!/bin/sh\nexit 0\n");
    let group = AutoScaling::start(loopback(), &Instance::default().id, state);
    host.environment.push(("AWS_ENDPOINT_URL_AUTO_SCALING", group.endpoint()));
    (host, group)
}

/// A host that its group waits for; the hook waits for a heartbeat this many seconds.
fn launched(heartbeat: u32, document: &str) -> (Host, AutoScaling) {
    let (host, group) = host_in("Pending:Wait", "InService", document);
    group.launch_hook("ready", heartbeat);
    (host, group)
}

/// Lays a step that goes on until `go` is there, and then ends with this code.
fn held_step(host: &Host, code: u8) -> PathBuf {
    let go = host.path("go");
    let text =
        format!("#!/bin/sh\nwhile [ ! -e {} ]; do sleep 0.05; done\nexit {code}\n", go.display());
    host.program("step", &text);
    go
}

/// Runs `gild configure` and gives its exit code, its report and its log.
fn configured(host: &Host) -> (Option<i32>, Value, String) {
    let output = host.gild(&["configure"]).stdout(Stdio::null()).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), host.report(), log)
}

/// The words that the group was told, with the hooks.
fn words(group: &AutoScaling) -> Vec<(String, String)> {
    let told = group.called("CompleteLifecycleAction");
    let of = |name: &'static str| {
        move |call: &crate::fakes::autoscaling::Called| call.field(name).to_owned()
    };
    let (hook, word) = (of("LifecycleHookName"), of("LifecycleActionResult"));
    told.iter().map(|call| (hook(call), word(call))).collect()
}

fn one(hook: &str, word: &str) -> Vec<(String, String)> {
    vec![(hook.to_owned(), word.to_owned())]
}

/// The phases of a report, with their outcomes.
fn phase(report: &Value, name: &str) -> Option<String> {
    let phases = report["phases"].as_array().unwrap();
    let found = phases.iter().find(|phase| phase["name"] == name)?;
    Some(found["outcome"].as_str().unwrap().to_owned())
}

/// The reports that are kept, the oldest first.
fn kept(host: &Host) -> Vec<Value> {
    let entries = fs::read_dir(host.path("var/lib/gild/reports")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}
