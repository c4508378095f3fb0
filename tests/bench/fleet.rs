//! A fleet that boots at once: as many instances as wanted, each with a root of
//! its own, all in one process, against services that cannot serve them all at
//! once.
//!
//! Endpoints come from the environment alone, so a fleet is a second run of the
//! same program: `run` starts the services and that second run, and `member` is
//! what is done there.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gild::identity::ImdsOptions;
use gild::platform::http;
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;
use gild::scope::last_good::Copies;
use gild::scope::resolve::{Context, resolve};
use gild::scope::verdict::Verdict;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::parameters::Parameters;
use crate::fakes::place::loopback;

/// Holds the second run's orders.
const ORDERS: &str = "GILD_TEST_FLEET";

/// What lets sources be on this host, where all the fakes are.
const REACH: &str = "scope.local_targets = true\n";

/// How long the metadata service may take, as in a boot.
const IDENTITY: Duration = Duration::from_secs(30);

/// A fleet and its services.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many instances boot.
    pub(crate) instances: usize,
    /// How many questions a second the Parameter Store answers.
    pub(crate) rate: f64,
    /// How long the bucket answers 503.
    pub(crate) outage: Duration,
    /// Whether each instance has a copy of each document.
    pub(crate) copies: bool,
}

/// What became of a fleet.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// Every instance.
    pub(crate) boots: Vec<Boot>,
    /// Questions to the Parameter Store, and how many of them it refused.
    pub(crate) parameters: (usize, usize),
}

/// What became of one instance.
#[derive(Debug)]
pub(crate) struct Boot {
    /// Whether all of its configuration is fresh.
    pub(crate) ready: bool,
    /// Whether it can be used, with copies or without.
    pub(crate) resolved: bool,
    /// From the first question to settings.
    pub(crate) took: Duration,
    /// Attempts at the Parameter Store.
    pub(crate) ssm: u64,
    /// Attempts at the bucket.
    pub(crate) s3: u64,
}

/// Boots a fleet. `again` is this program, so that it comes to `member`.
pub(crate) fn run(plan: &Plan, mut again: Command) -> Fleet {
    let (files, store) = (Files::start(loopback()), Parameters::start(loopback()));
    let imds = Imds::start(loopback(), &Instance::default());
    files.put("/gild/global.toml", "metrics.interval = '20s'\nvars.global = 1\n");
    store.put("/gild/account", "vars.account = 2\n");
    let orders = json!({
        "instances": plan.instances, "copies": plan.copies, "imds": imds.endpoint(),
        "files": files.url(""),
    });
    let mut child = again
        .env(ORDERS, orders.to_string())
        .env("AWS_ENDPOINT_URL_SSM", store.endpoint())
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
        .env("AWS_REGION", "eu-west-1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut input = child.stdin.take().unwrap();
    // Copies are made while nobody hinders it.
    assert!(lines.any(|line| line.ends_with("all are here")), "the fleet did not come up");
    let before = store.questions().len();
    store.limit(plan.rate);
    files.faults.always("/", Fault::Throttle);
    let faults = files.faults.clone();
    let outage = plan.outage;
    let end = std::thread::spawn(move || {
        std::thread::sleep(outage);
        faults.clear();
    });
    writeln!(input, "go").unwrap();
    let boots: Vec<Boot> = lines.filter_map(|line| Boot::read(&line)).collect();
    end.join().unwrap();
    assert!(child.wait().unwrap().success(), "the fleet did not end well");
    let questions = &store.questions()[before..];
    let refused = questions.iter().filter(|question| question.throttled).count();
    Fleet { boots, parameters: (questions.len(), refused) }
}

/// The second run: whether this is one, which is then over.
pub(crate) fn member() -> bool {
    let Ok(orders) = std::env::var(ORDERS) else { return false };
    let orders: Value = serde_json::from_str(&orders).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, boot_all(&orders));
    true
}

async fn boot_all(orders: &Value) {
    let text = |key: &str| orders[key].as_str().unwrap().to_owned();
    let place = tempfile::tempdir().unwrap();
    let contexts: Vec<Context> = (0..orders["instances"].as_u64().unwrap())
        .map(|number| {
            let root = place.path().join(number.to_string());
            let image = root.join("usr/lib/gild/config.d");
            fs::create_dir_all(&image).unwrap();
            fs::write(image.join("00-reach.toml"), REACH).unwrap();
            let document = format!(
                "scope.global.sources = ['{}/gild/global.toml']\n\
                 scope.account.sources = ['ssm:/gild/account']\n",
                text("files")
            );
            fs::write(image.join("10-image.toml"), document).unwrap();
            Context {
                paths: Paths::installed(&root),
                client: http::client().unwrap(),
                imds: ImdsOptions::new(Some(text("imds")), IDENTITY),
                redactor: Redactor::default(),
                copies: Copies::Kept,
                local: None,
            }
        })
        .collect();
    if orders["copies"] == true {
        let first = resolve(&contexts[0]).await.unwrap();
        assert_eq!(first.verdict, Verdict::Ready);
        for context in &contexts[1..] {
            copy(&contexts[0].paths.last_good(), &context.paths.last_good());
        }
    }
    println!("all are here");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
    let boots = contexts.into_iter().map(|context| tokio::task::spawn_local(boot(context)));
    let boots: Vec<_> = boots.collect();
    for boot in boots {
        println!("{}", boot.await.unwrap());
    }
}

async fn boot(context: Context) -> Value {
    let start = Instant::now();
    let resolution = resolve(&context).await.unwrap();
    let attempts = |kind: &str| {
        let of_kind = resolution.sources.iter().filter(|report| report.source.starts_with(kind));
        of_kind.map(|report| u64::from(report.attempts)).sum::<u64>()
    };
    json!({
        "ready": resolution.verdict == Verdict::Ready,
        "resolved": !matches!(resolution.verdict, Verdict::Failed { .. }),
        "took_ms": start.elapsed().as_millis() as u64,
        "ssm": attempts("ssm:"), "s3": attempts("http"),
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

impl Boot {
    fn read(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        Some(Self {
            ready: value["ready"].as_bool()?,
            resolved: value["resolved"].as_bool()?,
            took: Duration::from_millis(value["took_ms"].as_u64()?),
            ssm: value["ssm"].as_u64()?,
            s3: value["s3"].as_u64()?,
        })
    }
}

impl Fleet {
    /// When this share of the fleet was resolved, from 0 to 1.
    pub(crate) fn by(&self, share: f64) -> Duration {
        let mut times: Vec<Duration> = self.boots.iter().map(|boot| boot.took).collect();
        times.sort();
        let last = (times.len() as f64 * share).ceil() as usize;
        times[last.clamp(1, times.len()) - 1]
    }

    /// The mean and the largest number of something.
    pub(crate) fn mean_and_most(&self, of: impl Fn(&Boot) -> u64) -> (f64, u64) {
        let sum: u64 = self.boots.iter().map(&of).sum();
        (sum as f64 / self.boots.len() as f64, self.boots.iter().map(of).max().unwrap_or(0))
    }
}
