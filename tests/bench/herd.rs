//! Many instances that boot at once: parameters behind the limit of an account, a bucket
//! that answers 503 at first. Each instance is a process of its own. Beside it: one
//! instance alone.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fakes::fault::Fault;
use crate::figures::Times;
use crate::world::World;

const INSTANCES: usize = 500;
const PARAMETERS_A_SECOND: u32 = 40;
const OUTAGE: Duration = Duration::from_secs(10);
const ROUND_TRIP: Duration = Duration::from_millis(20);

pub(crate) fn run(gild: &Path) {
    println!(
        "{INSTANCES} instances at once; {PARAMETERS_A_SECOND} requests a second to SSM; the bucket \
         answers 503 for {} s",
        OUTAGE.as_secs()
    );
    println!(
        "{:<30} {:>9} {:>8} {:>8} {:>8} {:>8}   {:>14} {:>14}",
        "", "resolved", "half", "99 %", "all", "SSM/s", "SSM each, most", "S3 each, most"
    );
    herd("one alone, all well", gild, 1, Duration::ZERO, false);
    herd("nothing kept", gild, INSTANCES, OUTAGE, false);
    herd("a last valid copy each", gild, INSTANCES, OUTAGE, true);
}

/// One instance's way.
struct Boot {
    took: Duration,
    outcome: String,
    /// Questions to SSM, and to the bucket.
    asked: (u64, u64),
}

fn herd(what: &str, gild: &Path, instances: usize, outage: Duration, kept: bool) {
    let world = World::new(ROUND_TRIP, false);
    let roots: Vec<_> = (0..instances).map(|_| tempfile::tempdir().unwrap()).collect();
    for root in &roots {
        world.install(root.path());
        if kept {
            seed(&world, gild, root.path());
        }
    }
    world.ssm.limit(PARAMETERS_A_SECOND);
    let before = (world.ssm.operations().len(), world.ssm.throttled());
    if !outage.is_zero() {
        world.global.faults.always("", Fault::Throttle);
    }
    let start = Instant::now();
    let boots: Vec<Boot> = std::thread::scope(|scope| {
        let running: Vec<_> = roots
            .iter()
            .map(|root| {
                let mut command = world.configure(gild, root.path());
                let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                let report = root.path().join("run/gild/report.json");
                scope.spawn(move || boot(child, start, report))
            })
            .collect();
        std::thread::sleep(outage.saturating_sub(start.elapsed()));
        world.global.faults.clear();
        running.into_iter().map(|boot| boot.join().unwrap()).collect()
    });
    let mut times = Times::default();
    for boot in boots.iter().filter(|boot| boot.outcome == "ready") {
        times.add(boot.took);
    }
    let resolved = times.count();
    let admitted = world.ssm.operations().len() - before.0 - (world.ssm.throttled() - before.1);
    let [half, edge, all] = [0.5, 0.99, 1.0].map(|share| times.at(share) / 1e3);
    let each = |pick: fn(&Boot) -> u64| {
        let sum: u64 = boots.iter().map(pick).sum();
        let most = boots.iter().map(pick).max().unwrap_or_default();
        format!("{:.1}, {most}", sum as f64 / instances as f64)
    };
    println!(
        "{what:<30} {:>9} {half:>6.1} s {edge:>6.1} s {all:>6.1} s {:>8.1}   {:>14} {:>14}",
        format!("{resolved}/{instances}"),
        admitted as f64 / all,
        each(|boot| boot.asked.0),
        each(|boot| boot.asked.1),
    );
    for boot in boots.iter().filter(|boot| boot.outcome != "ready").take(3) {
        println!("  {} after {:.1} s", boot.outcome, boot.took.as_secs_f64());
    }
}

/// Lets an instance keep copies, as a bake does.
fn seed(world: &World, gild: &Path, root: &Path) {
    let status = world.configure(gild, root).stderr(Stdio::null()).status().unwrap();
    assert!(status.success());
}

fn boot(mut child: std::process::Child, start: Instant, report: PathBuf) -> Boot {
    child.wait().unwrap();
    let took = start.elapsed();
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let attempts = |scheme: &str| {
        let sources = report["sources"].as_array().unwrap().iter();
        sources
            .filter(|source| source["source"].as_str().unwrap().starts_with(scheme))
            .map(|source| source["attempts"].as_u64().unwrap())
            .sum()
    };
    let outcome = match report["failure"]["message"].as_str() {
        Some(message) => format!("failed: {message}"),
        None => report["outcome"].as_str().unwrap_or_default().to_owned(),
    };
    Boot { took, outcome, asked: (attempts("ssm:"), attempts("http")) }
}
