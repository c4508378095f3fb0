//! A small herd: more instances than the services serve at once all come to
//! their configuration, and none asks without measure. The whole one is a
//! benchmark: `tests/bench/run herd`.

use std::process::Command;
use std::time::Duration;

use crate::fleet::{Plan, member, run};

#[test]
fn a_herd_resolves_within_the_deadline_and_asks_with_measure() {
    if member() {
        return;
    }
    for copies in [false, true] {
        let plan = Plan { instances: 40, rate: 20.0, outage: Duration::from_secs(3), copies };
        let mut again = Command::new(std::env::current_exe().unwrap());
        let test = "herd::a_herd_resolves_within_the_deadline_and_asks_with_measure";
        again.args(["--exact", test, "--nocapture"]);
        let fleet = run(&plan, again);
        assert_eq!(fleet.boots.len(), plan.instances);
        assert!(fleet.boots.iter().all(|boot| boot.ready), "{fleet:?}");
        assert!(fleet.by(1.0) < Duration::from_secs(20), "{fleet:?}");
        let (ssm, s3) = (fleet.mean_and_most(|boot| boot.ssm), fleet.mean_and_most(|boot| boot.s3));
        assert!(ssm.0 < 6.0 && ssm.1 <= 14, "{ssm:?}");
        assert!(s3.0 < 8.0 && s3.1 <= 14, "{s3:?}");
    }
}
