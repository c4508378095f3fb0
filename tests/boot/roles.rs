//! An instance whose role is replaced by a weaker one when it is configured: what the daemon
//! needs was handed over, in memory and to its user alone, and nothing is amiss.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::json;

use crate::check::{FLOW, STEP, now, status_json, target, wait_points};
use crate::fakes::fault::Fault;
use crate::fakes::imds::Instance;
use crate::fakes::parameters::Parameters;
use crate::fakes::wait::until;
use crate::fixtures::{ACCOUNT, Plan, boot, instance, password};
use crate::search::{contains, files_with, forms, journal, whole_root};
use crate::world::World;

const FILE: &str = "/run/gild/secrets.json";

const PUSH: &str = "username = \"web\"\npassword = { ssm = \"/push\" }";

#[test]
fn a_weaker_role_costs_neither_metrics_nor_the_state_and_leaves_no_secret_on_disk() {
    let world = World::new(&instance());
    let parameters = Parameters::start(world.place.listen("127.0.0.1:0"));
    let secret = password();
    parameters.put("/push", &secret);
    parameters.put("/gild/account", ACCOUNT);
    let environment = BTreeMap::from([("AWS_ENDPOINT_URL_SSM", parameters.endpoint())]);
    let plan = Plan { environment, push: PUSH, ..Plan::default() };
    let mut machine = boot(&world, &plan);
    machine.wait_configured(STEP);
    assert_eq!(target(&machine), "active", "{}", machine.story());
    wait_points(&world, "node_load1");

    let file = fs::metadata(machine.path(FILE)).unwrap();
    let user = machine.say(&["id", "-u", "gild"]).trim().parse::<u32>().unwrap();
    assert_eq!((file.permissions().mode() & 0o7777, file.uid()), (0o400, user));
    assert_eq!(machine.say(&["stat", "-f", "-c", "%T", FILE]).trim(), "tmpfs");

    world.imds.describe(&Instance { role: "mimir-role".into(), ..instance() });
    let denied = json!({ "__type": "AccessDeniedException" }).to_string();
    parameters.faults.always("/", Fault::Status(400, denied));
    let restarted = now();
    assert!(machine.exec(&["systemctl", "restart", "gild.service"]).status.success());
    until("points of the new daemon", FLOW, || {
        let series = world.prometheus.points("node_load1", "5m");
        let newest = series.iter().map(|series| series.last().0).fold(0.0, f64::max);
        if newest > restarted + 5.0 { Ok(()) } else { Err(machine.story()) }
    });
    // What it may no longer read is no fault, and whoever resolves again finds the same.
    let before = status_json(&machine)["configuration"]["digest"].clone();
    let again = machine.exec(&["systemctl", "start", "gild-reconfigure.service"]);
    assert!(again.status.success(), "{}", machine.story());
    let kept = |source: &serde_json::Value| source["state"] == "kept";
    let status = until("the state with the new role", FLOW, || match status_json(&machine) {
        status if status["sources"].as_array().unwrap().iter().any(kept) => Ok(status),
        status => Err(format!("{status:#}")),
    });
    assert_eq!(status["state"], "ready", "{status:#}");
    assert_eq!(status["configuration"]["digest"], before);

    let needles = forms(&secret);
    let found = files_with(&needles, &whole_root(&machine));
    assert!(matches!(&found[..], [only] if only.ends_with(FILE)), "{found:?}");
    assert!(!contains(&journal(&machine), &needles), "the journal has the secret");
    let disk = [machine.power_off()];
    assert_eq!(files_with(&needles, &disk), Vec::<String>::new());
}
