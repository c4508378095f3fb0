//! What the daemon tells: the end of a stay in the warm pool, and services that stay down.

use super::*;
use crate::host::wait_for;

const HEALTH: &str = "SetInstanceHealth";

/// A critical service that cannot be up, as nobody listens there.
fn down(after: &str) -> String {
    let taken = loopback();
    let port = taken.local_addr().unwrap().port();
    drop(taken);
    format!(
        "{READY}[metrics]\ninterval = \"1s\"\n[lifecycle]\nunhealthy_after = \"{after}\"\n\
         [service.web]\ntcp = \"127.0.0.1:{port}\"\ninterval = \"1s\"\nfail_after = 1\n\
         critical = true\n"
    )
}

#[test]
fn a_critical_service_that_stays_down_is_told_once_an_outage() {
    let (host, group) = host_in("InService", "InService", &down("2s"));
    let _daemon = host.started(&["run"]);
    assert_eq!(configured(&host).0, Some(0));
    wait_for("word", || group.health() == "Unhealthy");
    assert_eq!(group.called(HEALTH).len(), 1);
}
