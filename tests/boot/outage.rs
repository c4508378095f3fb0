//! S3, SSM and the global document cannot be reached: the boot ends in time and says why.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::{STEP, report, status, status_json, target};
use crate::fakes::fault::Fault;
use crate::fakes::wait::until;
use crate::fixtures::{Plan, boot, instance};
use crate::world::World;

const DEADLINE_MS: f64 = 8000.0;

#[test]
fn unreachable_sources_are_named_with_what_was_tried_and_the_boot_ends_in_time() {
    let world = World::new(&instance());
    // Three ways to be away: nobody listens, nobody answers, and an error each time.
    world.files.faults.always("/gild/global.toml", Fault::Status(503, String::new()));
    world.files.faults.always("/", Fault::Hang);
    let environment = BTreeMap::from([
        ("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9".to_owned()),
        ("AWS_ENDPOINT_URL_S3", format!("http://{}", world.files.address())),
    ]);
    let scope = "deadline = \"8s\"\nattempt_timeout = \"2s\"";
    let plan = Plan { environment, scope, ..Plan::default() };
    let machine = boot(&world, &plan);

    machine.wait_configured(STEP);
    let report = report(&machine);
    let phases = report["phases"].as_array().cloned().unwrap_or_default();
    let scopes = phases.iter().find(|phase| phase["name"] == "scopes");
    let took =
        scopes.and_then(|phase| phase["duration_ms"].as_f64()).expect("a phase for the scopes");
    assert!(took <= DEADLINE_MS + 1000.0, "the scopes took {took} ms: {report:#}");
    assert!(report["ended_at"].is_string(), "{report:#}");

    let (code, said) = until("final status", Duration::from_secs(30), || match status(&machine) {
        (Some(code), said) if [1, 3].contains(&code) => Ok((code, said)),
        other => Err(format!("{other:?}")),
    });
    let json = status_json(&machine);
    let sources = json["sources"].as_array().cloned().unwrap_or_default();
    for name in
        ["http://global.test", "ssm:/gild/account", "s3://internal-123456789012/gild/account.toml"]
    {
        let of = |s: &&serde_json::Value| {
            s["source"].as_str().is_some_and(|source| source.contains(name))
        };
        let source = sources.iter().find(of).unwrap_or_else(|| panic!("no {name} in {json:#}"));
        assert_eq!(source["state"], "failed", "{source:#}");
        assert!(source["attempts"].as_u64() >= Some(2), "{source:#}");
        let elapsed = source["elapsed_ms"].as_f64().expect("a time");
        assert!(elapsed > 100.0 && elapsed <= DEADLINE_MS + 1000.0, "{source:#}");
        assert!(source["error"].as_str().is_some_and(|error| !error.is_empty()), "{source:#}");
        assert!(said.contains(name), "{said}");
    }
    // The tags were there all the time.
    let tags = |s: &serde_json::Value| s["source"] == "tags:gild:" && s["state"] == "fetched";
    assert!(sources.iter().any(tags), "{json:#}");
    let reached = target(&machine);
    assert_eq!(reached, if code == 3 { "active" } else { "inactive" }, "{said}");
}
