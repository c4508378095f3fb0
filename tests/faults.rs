//! One source at a time is killed, or serves what no source should: garbage, half
//! of a document, nothing, 10 GB, ten thousand levels, a byte now and then. The
//! boot ends in time with the right state, the last valid copy is as it was, and
//! what people read names source, cause and consequence.
//!
//! `scopes` proves the ways of one web server; here are all kinds of sources.
//! Endpoints come from the environment alone, so the test runs itself again in a
//! process whose environment names its fakes; these have their orders before.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use gild::configure::report::SourceOutcome;
use gild::identity::ImdsOptions;
use gild::platform::http;
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;
use gild::scope::last_good::Copies;
use gild::scope::resolution::Resolution;
use gild::scope::resolve::{Context, resolve};
use gild::scope::verdict::Verdict;
use reqwest::Client;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::parameters::{Parameters, described};
use crate::fakes::place::loopback;
use crate::rig::{REACH, below};

/// What all sources of a boot have together.
const DEADLINE: Duration = Duration::from_millis(1500);

/// What the metadata service has before that.
const IDENTITY: Duration = Duration::from_secs(3);

/// What a boot may take besides, on a machine that is busy with all the others.
const MARGIN: Duration = Duration::from_secs(4);

const GOOD: &str = "vars.a = 'good'\n";

/// What a source does, and a part of the cause that people read.
#[derive(Clone)]
struct Case {
    name: &'static str,
    fault: Option<Fault>,
    document: String,
    cause: &'static [&'static str],
}

fn case(
    name: &'static str,
    fault: Option<Fault>,
    document: &str,
    cause: &'static [&'static str],
) -> Case {
    Case { name, fault, document: document.to_owned(), cause }
}

fn cases() -> Vec<Case> {
    let new = "vars.a = 'new'\n";
    let (deep, slow) = (10_000, Duration::from_millis(100));
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(deep), close.repeat(deep));
    // The last attempt of a source that is asked again may be cut by the deadline.
    vec![
        case("closed", Some(Fault::Close), new, &["no answer", "600ms"]),
        case("cut", Some(Fault::CutOff), new, &["broke off", "end of file", "600ms"]),
        case("hung", Some(Fault::Hang), new, &["600ms"]),
        case("slow", Some(Fault::Drip(slow)), new, &["600ms"]),
        case("endless", Some(Fault::Endless), new, &["larger than", "600ms"]),
        case("huge", Some(Fault::Huge), new, &["larger than", "600ms"]),
        case("garbage", Some(Fault::Garbage), new, &["line 1", "HTTP 200"]),
        case("denied", Some(Fault::Status(403, String::new())), new, &["403"]),
        case("down", Some(Fault::Throttle), new, &["SlowDown", "Throttling", "600ms"]),
        case("half", None, "vars.a = 'ne", &["line 1"]),
        case("text", None, "not [ a document", &["line 1", "table"]),
        case("deep-json", None, &nested("{\"a\":", "}"), &["nested", "recursion"]),
        case("deep-toml", None, &format!("a = {}", nested("[", "]")), &["nested", "recursion"]),
        case("deep-yaml", None, &format!("a: {}", nested("[", "]")), &["nested", "recursion"]),
        case("large", None, &format!("# {}\n", "x".repeat(100)).repeat(20_000), &["larger than"]),
    ]
}

/// The kinds of sources that are elsewhere.
const KINDS: [&str; 4] = ["http", "s3", "ssm", "tree"];

/// A source of a kind for a case.
fn source(kind: &str, name: &str, files: &str) -> String {
    match kind {
        "http" => format!("{files}/http/{name}"),
        "s3" => format!("s3://bucket/{name}"),
        "ssm" => format!("ssm:/ssm/{name}"),
        _ => format!("ssm:/tree/{name}/"),
    }
}

/// What the fakes do for a case, with an answer before that is good or without.
fn order(kind: &str, name: &str, copy: bool, case: &Case, files: &Files, store: &Parameters) {
    let (place, good) = match kind {
        "http" => (format!("/http/{name}"), GOOD.to_owned()),
        "s3" => (format!("/bucket/{name}"), GOOD.to_owned()),
        "ssm" => {
            let place = format!("/ssm/{name}");
            let good = json!({ "Parameter": described(&place, GOOD) });
            (place, good.to_string())
        }
        _ => {
            let place = format!("/tree/{name}");
            let good = json!({ "Parameters": [described(&format!("{place}/vars/a"), "good")] });
            (place, good.to_string())
        }
    };
    let faults = if ["http", "s3"].contains(&kind) {
        files.put(&place, &case.document);
        &files.faults
    } else {
        let name = if kind == "ssm" { place.clone() } else { format!("{place}/vars/a") };
        store.put(&name, &case.document);
        &store.faults
    };
    if copy {
        faults.next(&place, 1, Fault::Status(200, good));
    }
    if let Some(fault) = &case.fault {
        faults.always(&place, fault.clone());
    }
}

/// The cases that say something of a kind: what a parameter of a subtree holds is
/// no document.
fn fits(kind: &str, case: &Case) -> bool {
    kind != "tree" || case.fault.is_some()
}

#[test]
fn a_source_may_do_anything_at_any_moment() {
    const INSIDE: &str = "GILD_TEST_FAULTS";
    if let Ok(files) = std::env::var(INSIDE) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return LocalSet::new().block_on(&runtime, all(&files));
    }
    let (files, store) = (Files::start(loopback()), Parameters::start(loopback()));
    for kind in KINDS {
        for case in cases().iter().filter(|case| fits(kind, case)) {
            for copy in [true, false] {
                let name = format!("{}-{copy}", case.name);
                order(kind, &name, copy, case, &files, &store);
            }
        }
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::a_source_may_do_anything_at_any_moment", "--nocapture"])
        .env(INSIDE, files.url(""))
        .env("AWS_ENDPOINT_URL_S3", files.url(""))
        .env("AWS_ENDPOINT_URL_SSM", store.endpoint())
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
        .env("AWS_REGION", "eu-west-1")
        .output()
        .unwrap();
    let (text, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
    // Each of these streams goes on for ever: what counts is that nobody reads on.
    // What a connection holds between the two ends is some megabytes.
    for sent in [files.sent(), store.sent()] {
        assert!(sent < 128 << 20, "{sent} bytes were sent");
    }
}

/// All kinds, all cases, with a copy and without, some at the same time: most of
/// them wait most of the time.
async fn all(files: &str) {
    let room = Rc::new(Semaphore::new(12));
    let imds = Rc::new(Imds::start(loopback(), &Instance::default()));
    let client = http::client().unwrap();
    let mut running = Vec::new();
    for kind in KINDS {
        for case in cases().into_iter().filter(|case| fits(kind, case)) {
            for copy in [true, false] {
                let what = format!("{kind}, {}, copy: {copy}", case.name);
                let source = source(kind, &format!("{}-{copy}", case.name), files);
                let (imds, client, case) = (Rc::clone(&imds), client.clone(), case.clone());
                let room = Rc::clone(&room);
                let one = async move {
                    let _place = room.acquire().await;
                    one(&imds, &client, &source, &case, copy).await
                };
                running.push((what, tokio::task::spawn_local(one)));
            }
        }
    }
    let mut wrong = Vec::new();
    for (what, one) in running {
        if let Err(why) = one.await.unwrap() {
            wrong.push(format!("{what}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One boot with a source that does what the case says.
async fn one(
    imds: &Imds,
    client: &Client,
    source: &str,
    case: &Case,
    copy: bool,
) -> Result<(), String> {
    let host = Host::new(imds, client, source);
    if copy {
        let first = host.resolve().await;
        assert_eq!(first.verdict, Verdict::Ready, "{source}");
    }
    host.hurry(source);
    let before = host.copies();
    if before.len() != usize::from(copy) {
        return Err(format!("{before:?}"));
    }
    let start = Instant::now();
    let resolution = host.resolve().await;
    let took = start.elapsed();
    if took > DEADLINE + MARGIN {
        return Err(format!("it took {took:?}"));
    }
    if host.copies() != before {
        return Err("the copy is another one".to_owned());
    }
    judge(&resolution, source, case.cause, copy)
}

/// State, message and values are what they should be.
fn judge(resolution: &Resolution, source: &str, cause: &[&str], copy: bool) -> Result<(), String> {
    let report = resolution.sources.iter().find(|report| report.source == source).unwrap();
    let (text, consequence) = match &resolution.verdict {
        Verdict::Degraded { reasons } if copy => (reasons.join("; "), "the copy of "),
        Verdict::Failed { reason } if !copy => (reason.clone(), "nothing stands in for it"),
        other => return Err(format!("{other:?} {report:?}")),
    };
    let state = report.state;
    let right = match copy {
        true => state == SourceOutcome::LastGood,
        false => matches!(state, SourceOutcome::Failed | SourceOutcome::Bad),
    };
    if !right {
        return Err(format!("{state:?}"));
    }
    for part in [&[source][..], &[consequence], cause] {
        if !part.iter().any(|part| text.contains(part)) {
            return Err(format!("{part:?} is not in '{text}'"));
        }
    }
    // Where the cause is, in one line that people can read.
    let after = text.split_once(source).map_or("", |(_, after)| after);
    if after.len() < 40 || text.len() > 2000 || text.chars().any(char::is_control) {
        return Err(format!("this says nothing: '{text}'"));
    }
    // The rest of the configuration is there, whatever happened to this part of it.
    let values = resolution.merged.root.to_value();
    let expected = if copy { json!("good") } else { json!(null) };
    if values["vars"]["a"] != expected || values["vars"]["rest"] != json!("there") {
        return Err(format!("{}", values["vars"]));
    }
    Ok(())
}

/// A host with one source.
struct Host {
    root: TempDir,
    context: Context,
}

impl Host {
    fn new(imds: &Imds, client: &Client, source: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let context = Context {
            paths: Paths::installed(root.path()),
            client: client.clone(),
            imds: ImdsOptions::new(Some(imds.endpoint()), IDENTITY),
            redactor: Redactor::default(),
            copies: Copies::Kept,
            local: None,
        };
        let host = Self { root, context };
        host.configured(source, "20s", "10s");
        host
    }

    /// From now on, sources have no longer than this test wants to wait.
    fn hurry(&self, source: &str) {
        self.configured(source, &format!("{}ms", DEADLINE.as_millis()), "600ms");
    }

    fn configured(&self, source: &str, deadline: &str, attempt: &str) {
        let image = self.root.path().join("usr/lib/gild/config.d");
        fs::create_dir_all(&image).unwrap();
        fs::write(image.join("00-reach.toml"), REACH).unwrap();
        let text = format!(
            "vars.rest = 'there'\n[scope]\ndeadline = '{deadline}'\n\
             attempt_timeout = '{attempt}'\ntags_wait = '1s'\nglobal.sources = ['{source}']\n"
        );
        fs::write(image.join("10-image.toml"), text).unwrap();
    }

    async fn resolve(&self) -> Resolution {
        resolve(&self.context).await.unwrap()
    }

    fn copies(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = below(&self.root.path().join("var/lib/gild/last-good"));
        files.into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
    }
}

#[tokio::test]
async fn the_metadata_service_may_do_anything_to_tags() {
    let late = &["no whole answer"][..];
    let faults = [
        (Fault::Close, &["no whole answer", "closed"][..]),
        (Fault::CutOff, &["no whole answer"]),
        (Fault::Hang, late),
        (Fault::Drip(Duration::from_millis(500)), late),
        (Fault::Endless, &["larger than"]),
        (Fault::Huge, &["larger than"]),
        (Fault::Status(500, "down".into()), &["500"]),
        (Fault::Throttle, &["503"]),
    ];
    let client = http::client().unwrap();
    let (tags, source) = ("/latest/meta-data/tags/instance", "tags:gild:");
    LocalSet::new()
        .run_until(async {
            let mut running = Vec::new();
            for (fault, cause) in faults {
                for copy in [true, false] {
                    let (fault, client) = (fault.clone(), client.clone());
                    running.push(tokio::task::spawn_local(async move {
                        let own = BTreeMap::from([("gild:vars.a".to_owned(), "good".to_owned())]);
                        let instance = Instance { tags: own, ..Instance::default() };
                        let imds = Imds::start(loopback(), &instance);
                        let host = Host::new(&imds, &client, source);
                        if copy {
                            assert_eq!(host.resolve().await.verdict, Verdict::Ready);
                        }
                        host.hurry(source);
                        let before = host.copies();
                        imds.faults.always(tags, fault.clone());
                        let start = Instant::now();
                        let resolution = host.resolve().await;
                        // Identity has a budget of its own before the sources' deadline.
                        let took = start.elapsed();
                        assert!(took < IDENTITY + DEADLINE + MARGIN, "{fault:?} took {took:?}");
                        assert_eq!(host.copies(), before, "{fault:?}");
                        let judged = judge(&resolution, source, cause, copy);
                        assert_eq!(judged, Ok(()), "{fault:?}, copy: {copy}");
                    }));
                }
            }
            for one in running {
                one.await.unwrap();
            }
        })
        .await;
}

/// What makes a file wrong.
type Wrong<'a> = &'a dyn Fn(&Path);

#[tokio::test]
async fn a_file_may_be_anything_too() {
    let imds = Imds::start(loopback(), &Instance::default());
    let client = http::client().unwrap();
    let half = |path: &Path| fs::write(path, "vars.a = 'ne").unwrap();
    let deep = |path: &Path| fs::write(path, format!("a = {}", "[".repeat(10_000))).unwrap();
    // 10 GB of nothing, which take no room.
    let huge = |path: &Path| fs::File::create(path).unwrap().set_len(10 << 30).unwrap();
    let pipe = |path: &Path| {
        fs::remove_file(path).unwrap();
        nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    };
    let wrongs: [(&str, Wrong<'_>); 4] =
        [("line 1", &half), ("recursion", &deep), ("larger than", &huge), ("not a file", &pipe)];
    for (cause, wrong) in wrongs {
        for copy in [true, false] {
            let host = Host::new(&imds, &client, "file:/srv/x.toml");
            let path = host.root.path().join("srv/x.toml");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, GOOD).unwrap();
            if copy {
                assert_eq!(host.resolve().await.verdict, Verdict::Ready);
            }
            let before = host.copies();
            wrong(&path);
            let resolution = host.resolve().await;
            assert_eq!(host.copies(), before);
            let judged = judge(&resolution, "file:/srv/x.toml", &[cause], copy);
            assert_eq!(judged, Ok(()), "{cause}, copy: {copy}");
        }
    }
}
