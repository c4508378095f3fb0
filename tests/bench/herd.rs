//! 500 instances that boot at once, against a Parameter Store that answers 40
//! questions a second and a bucket that answers 503 for its first ten seconds;
//! beside them one that boots alone.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::fleet::{self, Plan};

pub(crate) fn run(_: &Path) {
    println!(
        "{:<22} {:>9} {:>9} {:>8} {:>8} {:>8} {:>14} {:>14} {:>9}",
        "", "resolved", "fresh", "half", "99 %", "all", "ssm a boot", "s3 a boot", "refused"
    );
    let whole = Plan { instances: 500, rate: 40.0, outage: Duration::from_secs(10), copies: false };
    // What this machine itself takes for so many at once.
    let free = Plan { rate: f64::MAX, outage: Duration::ZERO, ..whole };
    for (name, plan) in [
        ("herd, nothing wrong", free),
        ("one alone", Plan { instances: 1, ..whole }),
        ("herd, cold", whole),
        ("herd, with copies", Plan { copies: true, ..whole }),
    ] {
        let fleet = fleet::run(&plan, Command::new(std::env::current_exe().unwrap()));
        let count = |of: fn(&fleet::Boot) -> bool| fleet.boots.iter().filter(|b| of(b)).count();
        let pair = |(mean, most): (f64, u64)| format!("{mean:.1}, most {most}");
        let seconds = |share| format!("{:.1} s", fleet.by(share).as_secs_f64());
        let (asked, refused) = fleet.parameters;
        println!(
            "{name:<22} {:>9} {:>9} {:>8} {:>8} {:>8} {:>14} {:>14} {:>9}",
            format!("{}/{}", count(|boot| boot.resolved), plan.instances),
            count(|boot| boot.ready),
            seconds(0.5),
            seconds(0.99),
            seconds(1.0),
            pair(fleet.mean_and_most(|boot| boot.ssm)),
            pair(fleet.mean_and_most(|boot| boot.s3)),
            format!("{} %", 100 * refused / asked.max(1)),
        );
    }
}
