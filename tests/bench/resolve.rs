//! From the start of the process to a merged configuration, by the program itself
//! (`gild configure` with a step that never runs), where the metadata service
//! takes 1 ms and each remote source 20 ms: a web server, a parameter, an object
//! and tags. First with nothing on disk, then again with nothing changed. Beside
//! it curl, which asks for the same, one after the other.
//!
//!     GILD_BIN=target/x86_64-unknown-linux-gnu/release/gild tests/bench/run resolve
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "the fakes serve the tests too")]
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../program.rs"]
mod program;
#[allow(dead_code, reason = "the rig serves the tests too")]
#[path = "../rig.rs"]
mod rig;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fakes::fault::Fault;
use fakes::http::Files;
use fakes::parameters::Parameters;
use fakes::place::loopback;
use rig::{Rig, json};
use tempfile::TempDir;

const ROUNDS: usize = 50;
const NEAR: Duration = Duration::from_millis(1);
const FAR: Duration = Duration::from_millis(20);

const IMAGE: &str = "
configuration.run = 'never'
[scope.global]
sources = ['FILES/gild/global.toml']
[scope.account]
sources = ['ssm:/gild/account', 's3://bucket/account.yaml']
[scope.service]
sources = ['tags:gild:']
import = { Name = 'vars.name' }
";

/// What is asked of the metadata service, for curl.
const METADATA: [&str; 5] = [
    "dynamic/instance-identity/document",
    "meta-data/tags/instance",
    "meta-data/tags/instance/Name",
    "meta-data/tags/instance/gild:metrics.interval",
    "meta-data/local-hostname",
];

/// An instance and what is far from it.
struct World {
    rig: Rig,
    bucket: Files,
    store: Parameters,
    _run: TempDir,
}

/// How long one run took, and its parts by its own account.
#[derive(Clone, Copy, Debug)]
struct Run {
    whole: f64,
    identity: f64,
    scopes: f64,
}

impl World {
    fn new() -> Self {
        let (bucket, store) = (Files::start(loopback()), Parameters::start(loopback()));
        let tags = [("gild:metrics.interval", "30s"), ("Name", "web")];
        let rig = Rig::new(IMAGE, &tags)
            .setting("AWS_ENDPOINT_URL_S3", &bucket.url(""))
            .setting("AWS_ENDPOINT_URL_SSM", &store.endpoint());
        // As on a host: /run is memory, /var is not.
        let run = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::remove_dir_all(rig.path("run")).unwrap();
        std::os::unix::fs::symlink(run.path(), rig.path("run")).unwrap();
        let text = |name: &str| {
            (0..100).map(|number| format!("{name}{number}: 'some value'\n")).collect::<String>()
        };
        let toml = text("g").replace(": ", " = ");
        rig.files.put("/gild/global.toml", &format!("[vars]\n{toml}"));
        bucket
            .put("/bucket/account.yaml", &format!("vars:\n  {}", text("a").replace('\n', "\n  ")));
        store.put("/gild/account", "vars.account = 'x'\nmetrics.interval = '20s'\n");
        rig.imds.faults.always("/", Fault::Delay(NEAR));
        for faults in [&rig.files.faults, &bucket.faults, &store.faults] {
            faults.always("/", Fault::Delay(FAR));
        }
        Self { rig, bucket, store, _run: run }
    }

    fn forget(&self) {
        for directory in ["run/gild", "var/lib/gild"] {
            let _ = fs::remove_dir_all(self.rig.path(directory));
            fs::create_dir_all(self.rig.path(directory)).unwrap();
        }
    }

    fn run(&self) -> Run {
        let mut command = self.rig.gild(&["configure"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().unwrap();
        let whole = start.elapsed().as_secs_f64() * 1000.0;
        let report = json(&self.rig.path("run/gild/report.json"));
        assert!(status.success() && report["outcome"] == "ready", "{report:#}");
        let phase = |name: &str| {
            let phases = report["phases"].as_array().unwrap();
            phases.iter().find(|phase| phase["name"] == name).unwrap()["duration_ms"]
                .as_f64()
                .unwrap()
        };
        Run { whole, identity: phase("identity"), scopes: phase("scopes") }
    }

    /// A run with nothing changed, which asks each source once, and tells the web
    /// server and the bucket what it has.
    fn run_again(&self) -> Run {
        let counts = || {
            (
                self.rig.files.requests().len(),
                self.bucket.requests().len(),
                self.store.questions().len(),
            )
        };
        let before = counts();
        let run = self.run();
        let after = counts();
        assert_eq!(after, (before.0 + 1, before.1 + 1, before.2 + 1), "one question a source");
        for files in [&self.rig.files, &self.bucket] {
            let asked = files.requests();
            assert!(!asked.last().unwrap().header("if-none-match").is_empty(), "conditional");
        }
        let report = json(&self.rig.path("run/gild/report.json"));
        let sources = report["sources"].as_array().unwrap();
        let mut remote = sources.iter().filter(|source| source["layer"] != "image");
        assert!(remote.all(|source| source["state"] == "unchanged"), "{report:#}");
        run
    }

    /// Two runs of curl: one for the token, one for all the rest.
    fn curl(&self) -> f64 {
        let imds = self.rig.imds.endpoint();
        let start = Instant::now();
        let token = Command::new("curl")
            .args(["-sf", "-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60"])
            .arg(format!("{imds}/latest/api/token"))
            .output()
            .unwrap();
        let token = String::from_utf8(token.stdout).unwrap();
        let mut all = Command::new("curl");
        all.args(["-sf", "-o", "/dev/null"])
            .args(["-H", &format!("X-aws-ec2-metadata-token: {token}")]);
        for path in METADATA {
            all.arg(format!("{imds}/latest/{path}")).args(["-o", "/dev/null"]);
        }
        all.args(["--next", "-sf", "-o", "/dev/null"]).arg(self.rig.files.url("/gild/global.toml"));
        all.args(["--next", "-sf", "-o", "/dev/null"]).arg(self.bucket.url("/bucket/account.yaml"));
        all.args([
            "--next",
            "-sf",
            "-o",
            "/dev/null",
            "-H",
            "X-Amz-Target: AmazonSSM.GetParameter",
        ]);
        all.args(["-d", r#"{"Name":"/gild/account"}"#]).arg(self.store.endpoint());
        assert!(all.status().unwrap().success(), "{all:?}");
        start.elapsed().as_secs_f64() * 1000.0
    }
}

/// The median and the worst.
fn of(mut numbers: Vec<f64>) -> (f64, f64) {
    numbers.sort_by(f64::total_cmp);
    (numbers[numbers.len() / 2], numbers[numbers.len() - 1])
}

fn main() {
    let world = World::new();
    let (mut cold, mut second, mut curl) = (Vec::new(), Vec::new(), Vec::new());
    let metadata = world.rig.imds.requests().len();
    world.run();
    // The token is a question too.
    let metadata = world.rig.imds.requests().len() - metadata + 1;
    for _ in 0..ROUNDS {
        world.forget();
        cold.push(world.run());
        second.push(world.run_again());
        curl.push(world.curl());
    }
    let floor = metadata as f64 * NEAR.as_secs_f64() * 1000.0 + FAR.as_secs_f64() * 1000.0;
    println!(
        "{ROUNDS} rounds; metadata {NEAR:?} x {metadata}, remote {FAR:?} each; {}",
        std::env::var("GILD_BIN").unwrap_or_else(|_| "the binary of the tests".to_owned())
    );
    println!(
        "{:<34} {:>10} {:>10} {:>9} {:>10} {:>10}",
        "ms", "median", "worst", "x floor", "identity", "scopes"
    );
    let row = |name: &str, runs: &[Run]| {
        let (median, worst) = of(runs.iter().map(|run| run.whole).collect());
        let (identity, _) = of(runs.iter().map(|run| run.identity).collect());
        let (scopes, _) = of(runs.iter().map(|run| run.scopes).collect());
        println!(
            "{name:<34} {median:>10.1} {worst:>10.1} {:>9.2} {identity:>10.1} {scopes:>10.1}",
            median / floor
        );
    };
    row("first resolve, cold", &cold);
    row("second resolve, nothing changed", &second);
    let (median, worst) = of(curl);
    println!(
        "{:<34} {median:>10.1} {worst:>10.1} {:>9.2}",
        "curl, one after the other",
        median / floor
    );
    println!("{:<34} {floor:>10.1} {:>10} {:>9.2}", "the injected latencies alone", "", 1.0);
}
