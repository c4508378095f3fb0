//! How long it takes from the start of the process to the merged configuration: with
//! nothing kept yet, and again with nothing changed; over plain HTTP and over TLS.
//! Beside it: curl, asking the same questions one after the other as a user-data script
//! does.
//!
//! The time is that of the whole process, from its start to its end, which includes the
//! hand-off and the report that it writes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::figures::Times;
use crate::world::World;

const ROUNDS: usize = 50;
const ROUND_TRIP: Duration = Duration::from_millis(20);

pub(crate) fn run(gild: &Path) {
    println!(
        "{ROUNDS} rounds; 1 ms to the metadata service, a round trip of {} ms to each of three remotes",
        ROUND_TRIP.as_millis()
    );
    println!(
        "{:<34} {:>9} {:>9} {:>9}   requests to metadata, remotes (conditional)",
        "", "median", "99 %", "worst"
    );
    for tls in [false, true] {
        let world = World::new(ROUND_TRIP, tls);
        let shell = if tls { None } else { Some(curl(&world)) };
        let over = if tls { "TLS" } else { "HTTP" };
        let mut medians = Vec::new();
        for kept in [false, true] {
            let what = if kept { "again, nothing changed" } else { "first, nothing kept" };
            let times = rounds(gild, &world, kept);
            medians.push(times.at(0.5));
            line(&format!("gild, {over}: {what}"), &times, &asked(gild, &world, kept));
        }
        if let Some(times) = &shell {
            line("curl, HTTP: one after the other", times, "");
            for (what, median) in ["first", "again"].iter().zip(&medians) {
                println!("curl / gild, {what}: {:.1}", times.at(0.5) / median);
            }
        }
    }
}

fn line(what: &str, times: &Times, after: &str) {
    let [median, edge, worst] = [0.5, 0.99, 1.0].map(|share| times.at(share));
    println!("{what:<34} {median:>6.1} ms {edge:>6.1} ms {worst:>6.1} ms   {after}");
}

fn rounds(gild: &Path, world: &World, kept: bool) -> Times {
    let mut times = Times::default();
    let root = tempfile::tempdir().unwrap();
    world.install(root.path());
    if kept {
        once(gild, world, root.path());
    }
    for _ in 0..ROUNDS {
        if !kept {
            let _ = std::fs::remove_dir_all(root.path().join("var/lib/gild/last-good"));
        }
        let start = Instant::now();
        once(gild, world, root.path());
        times.add(start.elapsed());
    }
    times
}

/// One resolve, which must come out well.
fn once(gild: &Path, world: &World, root: &Path) {
    let mut command = world.configure(gild, root);
    let output = command.stdout(Stdio::null()).output().unwrap();
    let report = std::fs::read(root.join("run/gild/report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["outcome"], "ready", "{report:#} {output:?}");
}

/// What one resolve asks for.
fn asked(gild: &Path, world: &World, kept: bool) -> String {
    let root = tempfile::tempdir().unwrap();
    world.install(root.path());
    if kept {
        once(gild, world, root.path());
    }
    let conditional = || {
        let all = [world.global.requests(), world.account.requests()].concat();
        all.iter().filter(|asked| !asked.header("if-none-match").is_empty()).count()
    };
    let remote = || {
        world.global.requests().len() + world.account.requests().len() + world.ssm.questions().len()
    };
    let before = (world.imds.requests().len(), remote(), conditional());
    once(gild, world, root.path());
    let after = (world.imds.requests().len(), remote(), conditional());
    format!("{}, {} ({})", after.0 - before.0, after.1 - before.1, after.2 - before.2)
}

/// The same questions by curl: a token, the identity document, the tags, credentials,
/// one remote after the other.
fn curl(world: &World) -> Times {
    let imds = world.imds.endpoint();
    let [global, account, ssm] = world.urls();
    let token = text(&[
        "-X",
        "PUT",
        "-H",
        "X-aws-ec2-metadata-token-ttl-seconds: 21600",
        &format!("{imds}/latest/api/token"),
    ]);
    let header = format!("X-aws-ec2-metadata-token: {token}");
    let meta = |path: &str| text(&["-H", &header, &format!("{imds}/latest/{path}")]);
    let tags = "meta-data/tags/instance";
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        text(&[
            "-X",
            "PUT",
            "-H",
            "X-aws-ec2-metadata-token-ttl-seconds: 21600",
            &format!("{imds}/latest/api/token"),
        ]);
        meta("dynamic/instance-identity/document");
        for tag in meta(tags).lines() {
            meta(&format!("{tags}/{tag}"));
        }
        let role = meta("meta-data/iam/security-credentials");
        meta(&format!("meta-data/iam/security-credentials/{role}"));
        text(&[&format!("{global}/gild/global.toml")]);
        let signed = ["--aws-sigv4", "aws:amz:eu-west-1:ssm", "--user", "key:secret"];
        let question = [
            "-H",
            "X-Amz-Target: AmazonSSM.GetParameter",
            "-H",
            "Content-Type: application/x-amz-json-1.1",
            "-d",
            "{\"Name\": \"/gild/account\"}",
            &ssm,
        ];
        text(&[&signed[..], &question[..]].concat());
        let signed = ["--aws-sigv4", "aws:amz:eu-west-1:s3", "--user", "key:secret"];
        let object = format!("{account}/conf-123456789012/gild/account.toml");
        text(&[&signed[..], &[&object]].concat());
        times.add(start.elapsed());
    }
    times
}

fn text(arguments: &[&str]) -> String {
    let output =
        Command::new("curl").args(["--silent", "--fail"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "curl {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
