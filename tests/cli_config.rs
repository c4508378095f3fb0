//! `gild config`, by the program itself: on a host whose configuration was resolved from a
//! fixed set of layers, and on one whose sources say something else by now.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gild::config::path::KeyPath;
use gild::config::trust::Refused;
use gild::config::{Document, Layer, LayerName, Merged, Origin, builtin, format::Format};
use gild::configure::handoff::{self, Handoff};
use gild::configure::report::{Outcome, Report, SourceOutcome, SourceReport, UnknownKey};
use gild::identity::{Identity, Provenance};
use gild::platform::fs::Access;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::place::loopback;
use crate::golden;
use crate::program::gild;

const GLOBAL: &str = "https://internal-acme.s3.eu-west-1.amazonaws.com/gild/global.toml";

fn layer(name: LayerName, source: &str, version: Option<&str>, text: &str) -> Layer {
    let document = Document::parse(text.as_bytes(), Format::Toml).unwrap();
    let version = version.map(Into::into);
    Layer { name, source: source.into(), version, last_good: false, document }
}

/// What the layers of an instance say of which a value was set by a tag, on a day on
/// which the account's parameter does not answer.
fn layers() -> Vec<Layer> {
    let global = "\n[metrics]\ninterval = \"20s\"\ncollectors = [\"cpu\", \"memory\", \"disk\"]\n\
        [sink.mimir]\ntype = \"remote_write\"\nurl = \"https://mimir.example/api/v1/push\"\n\
        bearer = { ssm = \"/gild/mimir/token\" }\n[vars]\nsite_name = \"example\"\n";
    let account = "[vars]\nenvironment_id = \"stg\"\n[metrics]\ninterval = \"30s\"\n";
    let mut account = layer(LayerName::Account, "ssm:/gild/account", Some("7"), account);
    account.last_good = true;
    let tag = |key: &str, text: &str| {
        let mut tag = layer(LayerName::Service, &format!("tag:gild:{key}"), None, text);
        tag.document.lines.clear();
        tag
    };
    vec![
        builtin::layer(),
        layer(LayerName::Global, GLOBAL, Some("\"9c1b5e\""), global),
        account,
        tag("metrics.interval", "metrics.interval = \"7s\"\n"),
        tag("vars.site_name", "vars.site_name = \"shop \\u009b31m\"\n"),
        layer(
            LayerName::Local,
            "/etc/gild/config.d/50-site.toml",
            None,
            "[service.web]\nunit = \"nginx.service\"\nfail_after = 5\n",
        ),
    ]
}

fn origin(layer: LayerName, source: &str) -> Origin {
    Origin { layer, source: source.into(), version: None, line: None, last_good: false }
}

fn source(
    layer: LayerName,
    source: &str,
    state: SourceOutcome,
    error: Option<&str>,
) -> SourceReport {
    serde_json::from_value(json!({
        "layer": layer, "source": source, "state": state, "version": null, "keys": 1,
        "attempts": 1, "elapsed_ms": 1.0, "error": error,
    }))
    .unwrap()
}

fn report() -> Report {
    let key = |text: &str| KeyPath::parse(text).unwrap();
    let refused = |name: &str, tag: &str, reason: &str| Refused {
        key: key(name),
        origin: origin(LayerName::Service, tag),
        reason: reason.to_owned(),
    };
    let unknown = |name: &str, nearest: &str| UnknownKey {
        key: key(name),
        origin: origin(LayerName::Service, &format!("tag:gild:{name}")),
        nearest: Some(nearest.to_owned()),
    };
    let bad = "tag:gild:metrics.collectors: metrics.collectors must be an array, each item one \
        of \"cpu\", \"memory\", \"swap\", \"disk\", \"load\" or \"network\", written as JSON";
    let no_answer = "failed to read 'ssm:/gild/account': ThrottlingException: Rate exceeded";
    Report {
        process: None,
        outcome: Outcome::Degraded,
        refused_keys: vec![refused(
            "sink",
            "tag:gild:sink.mimir.url",
            "scope.service.may_set does not allow it",
        )],
        unknown_keys: vec![
            unknown("metrics.intervall", "metrics.interval"),
            unknown("fail_after", "service.NAME.fail_after"),
        ],
        problems: vec![
            bad.to_owned(),
            format!("service layer, 'tags:gild:': left out: {bad}"),
            format!(
                "account layer, 'ssm:/gild/account': the copy of 2026-01-01 is used: {no_answer}"
            ),
        ],
        sources: vec![
            source(LayerName::Global, GLOBAL, SourceOutcome::Unchanged, None),
            source(
                LayerName::Account,
                "ssm:/gild/account",
                SourceOutcome::LastGood,
                Some(no_answer),
            ),
            source(
                LayerName::Service,
                "tags:gild:",
                SourceOutcome::Fetched,
                Some(&format!("left out: {bad}")),
            ),
        ],
        ..Report::started("2026-01-02T03:04:05.006Z")
    }
}

/// A host with a hand-off and a report.
struct Host {
    root: TempDir,
}

impl Host {
    fn new() -> Self {
        let host = Self { root: TempDir::new().unwrap() };
        host.hand_over(&layers());
        host.write("run/gild/report.json", &serde_json::to_vec(&report()).unwrap());
        host
    }

    fn hand_over(&self, layers: &[Layer]) {
        let merged = Merged::fold(layers);
        let handoff = Handoff {
            version: handoff::VERSION,
            resolved_at: "2026-01-02T03:04:06.007Z".to_owned(),
            digest: merged.digest(),
            identity: identity(),
            config: merged.root,
            sources: Vec::new(),
        };
        self.write("run/gild/config.json", &serde_json::to_vec(&handoff).unwrap());
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        gild::platform::fs::write_atomic(&path, bytes, Access::Owner).unwrap();
    }

    fn gild(&self, arguments: &[&str]) -> Command {
        let mut command = gild();
        command.arg("--root").arg(self.root.path()).arg("config").args(arguments);
        command
    }

    fn config(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        output(&mut self.gild(arguments))
    }
}

fn identity() -> Identity {
    serde_json::from_value(json!({
        "provenance": Provenance::Host, "instance_id": "i-1", "hostname": "h", "tags": {},
    }))
    .unwrap()
}

fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn explain_says_what_a_key_is_whose_value_it_has_and_who_was_refused() {
    let host = Host::new();
    let keys = [
        "metrics.interval",
        "metrics.collectors",
        "metrics",
        "sink",
        "sink.mimir",
        "sink.mimir.url",
        "sink.mimir.bearer",
        "sink.mimir.flush",
        "sink.other.flush",
        "sink.other.labels",
        "service.web.fail_after",
        "configuration.run",
        "vars.site_name",
    ];
    let mut page = String::new();
    for key in keys {
        let (code, stdout, stderr) = host.config(&["explain", key]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{key}");
        assert!(!stdout.contains('\u{1b}') && !stdout.contains('\u{9b}'), "{stdout:?}");
        page.push_str(&format!("$ gild config explain {key}\n{stdout}\n"));
    }
    golden::matches("explain.txt", &page);
    let (code, stdout, _) = host.config(&["explain", "metrics.interval", "--json"]);
    assert_eq!(code, Some(0));
    golden::matches("explain.json", &stdout);
}

#[test]
fn explain_tells_in_one_command_why_an_instance_differs_from_its_neighbours() {
    let host = Host::new();
    let (_, text, _) = host.config(&["explain", "metrics.interval"]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let chain = format!(
        "set by, the winner first \"7s\" service tag:gild:metrics.interval \"30s\" account \
         ssm:/gild/account, line 4, version 7, last good copy \"20s\" global {GLOBAL}, line 3, \
         version \"9c1b5e\" \"10s\" builtin defaults"
    );
    assert!(text.contains(&chain), "{text}");
    // A tag that is spelled wrong, and the source that did not answer.
    assert!(text.contains("metrics.intervall from service tag:gild:metrics.intervall"), "{text}");
    assert!(
        text.contains("its last good copy is used") && text.contains("Rate exceeded"),
        "{text}"
    );
}

#[test]
fn a_key_that_is_none_is_answered_with_the_nearest_ones() {
    let host = Host::new();
    for (key, code, said) in [
        ("interval", 1, "did you mean metrics.interval or service.NAME.interval?"),
        ("metric.interval", 1, "did you mean metrics.interval?"),
        ("web.fail_after", 1, "did you mean service.web.fail_after?"),
        ("bananas", 1, "'bananas' is not a known key\n"),
        ("a..b", 4, "is not a key; a key looks like metrics.interval"),
    ] {
        let (exit, stdout, stderr) = host.config(&["explain", key]);
        assert_eq!((exit, stdout.as_str()), (Some(code), ""), "{key}");
        assert!(stderr.contains(said), "{key}: {stderr}");
    }
    let tag = layer(LayerName::Service, "tag:gild:intervall", None, "intervall = \"7s\"\n");
    host.hand_over(&[builtin::layer(), tag]);
    let (_, _, stderr) = host.config(&["explain", "intervall"]);
    assert!(stderr.contains("set by service tag:gild:intervall"), "{stderr}");
}

#[test]
fn explain_works_before_anything_has_been_resolved() {
    let host = Host { root: TempDir::new().unwrap() };
    host.write("etc/gild/config.d/1.toml", b"metrics.interval = '5s'\n");
    let (code, stdout, stderr) = host.config(&["explain", "metrics.interval"]);
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("metrics.interval = \"5s\"\n"), "{stdout}");
    assert!(stderr.contains("nothing has been resolved on this host yet"), "{stderr}");
}

#[test]
fn show_lays_values_and_origins_out_in_columns() {
    let host = Host::new();
    let mut page = String::new();
    for arguments in [
        &["show", "metrics"] as &[&str],
        &["show", "--origin"],
        &["show", "sink", "--json"],
        &["show", "metrics", "--origin", "--json"],
    ] {
        let (code, stdout, _) = host.config(arguments);
        assert_eq!(code, Some(0));
        page.push_str(&format!("$ gild config {}\n{stdout}\n", arguments.join(" ")));
    }
    golden::matches("show.txt", &page);
    for (key, said) in [
        ("intervall", "is not set; did you mean metrics.interval or service.NAME.interval?"),
        ("sink.mimir.flush", "is not set; gild config explain sink.mimir.flush tells its default"),
    ] {
        let (code, stdout, stderr) = host.config(&["show", key]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert!(stderr.contains(said), "{stderr}");
    }
}

#[test]
fn check_gives_programs_the_same_findings() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/check");
    let check = |arguments: &[&str]| {
        output(gild().current_dir(&directory).args(["config", "check"]).args(arguments))
    };
    let (code, stdout, _) = check(&["--json", "global.toml", "missing.toml"]);
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, found.as_array().unwrap().len()), (Some(1), 5), "{stdout}");
    assert_eq!(found[0], json!({ "source": "missing.toml", "message": "there is no such file" }));
    assert_eq!(
        found[2],
        json!({
            "source": "global.toml", "line": 3, "key": "metrics.colectors",
            "message": "is not a known key; did you mean metrics.collectors?",
        })
    );
    assert_eq!(check(&["--json", "../../../config/demo/account.toml"]).1, "[]\n");
}

#[test]
fn diff_compares_with_what_another_host_printed_and_with_a_document() {
    let host = Host::new();
    let neighbour = Host::new();
    let others = layers().into_iter().filter(|layer| !layer.source.contains("metrics.interval"));
    neighbour.hand_over(&others.collect::<Vec<_>>());
    let mut page = String::new();
    for arguments in [&["show", "--json"] as &[&str], &["show", "--origin", "--json"]] {
        let (_, printed, _) = neighbour.config(arguments);
        host.write("neighbour.json", printed.as_bytes());
        let mut diff = |arguments: &[&str]| {
            let mut command = host.gild(&[&["diff", "neighbour.json"], arguments].concat());
            let (code, stdout, stderr) = output(command.current_dir(host.root.path()));
            assert_eq!((code, stderr.as_str()), (Some(1), ""), "{stdout}");
            page.push_str(&format!(
                "$ gild config diff {}\n{stdout}\n",
                [&["neighbour.json"], arguments].concat().join(" ")
            ));
        };
        diff(&[]);
        diff(&["--json"]);
        // The same configuration has no difference, whoever set it.
        let (_, own, _) = host.config(arguments);
        host.write("own.json", own.as_bytes());
        let own = host.path("own.json").display().to_string();
        assert_eq!(
            host.config(&["diff", &own]),
            (Some(0), "no difference\n".into(), String::new())
        );
        assert_eq!(host.config(&["diff", &own, "--json"]).1, "[]\n");
    }
    golden::matches("diff.txt", &page);

    let handoff = neighbour.path("run/gild/config.json").display().to_string();
    let (code, stdout, _) = host.config(&["diff", &handoff]);
    assert_eq!(code, Some(1));
    assert!(stdout.ends_with("1 difference\n"), "{stdout}");
    host.write("a.yaml", b"metrics: {interval: 1m}\n");
    let document = host.path("a.yaml").display().to_string();
    let (code, stdout, _) = host.config(&["diff", &document]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("+ metrics.interval = \"1m\""), "{stdout}");
    assert!(stdout.contains("- vars.environment_id = \"stg\""), "{stdout}");
}

#[test]
fn what_cannot_be_compared_with_is_trouble() {
    let host = Host::new();
    host.write("broken.toml", b"a = [\n");
    host.write("table.toml", b"metrics = 'on'\n");
    host.write("what", b"a = 1\n");
    host.write(
        "both.json",
        br#"[{"key":"a","value":1,"origin":{"layer":"local","source":"x"}},
        {"key":"a.b","value":1,"origin":{"layer":"local","source":"x"}}]"#,
    );
    for (file, why) in [
        ("nowhere.toml", "failed to read"),
        ("broken.toml", "not valid TOML"),
        ("table.toml", "metrics must be a table"),
        ("what", "must end in .toml"),
        ("both.json", "has a value where it also has a table"),
    ] {
        let path = host.path(file).display().to_string();
        let (code, stdout, stderr) = host.config(&["diff", &path]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{file}");
        assert!(stderr.contains(why), "{file}: {stderr}");
    }
    host.write("run/gild/config.json", b"{");
    assert_eq!(host.config(&["diff"]).0, Some(2));
}

/// A host that has been configured, its metadata service and its web server.
struct World {
    host: Host,
    imds: Imds,
    files: Files,
}

impl World {
    fn new() -> Self {
        Self::with(&[("gild:vars.name", "web")])
    }

    fn with(tags: &[(&str, &str)]) -> Self {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let tags = tags.collect();
        let imds = Imds::start(loopback(), &Instance { tags, ..Instance::default() });
        let world = Self {
            host: Host { root: TempDir::new().unwrap() },
            imds,
            files: Files::start(loopback()),
        };
        let scope = format!(
            "[scope]\nlocal_targets = true\ndeadline = '3s'\nattempt_timeout = '500ms'\n\
             [scope.global]\nsources = ['{}']\n[scope.service]\nsources = ['tags:gild:']\n\
             [configuration]\nrun = 'never'\n",
            world.files.url("/global.toml")
        );
        world.host.write("usr/lib/gild/config.d/10.toml", scope.as_bytes());
        world.files.put("/global.toml", "metrics.interval = '20s'\nvars.a = 1\n");
        let (code, _, stderr) = world.gild(&["configure"]);
        assert_eq!(code, Some(0), "{stderr}");
        world
    }

    fn gild(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = gild();
        command.arg("--root").arg(self.host.root.path()).args(arguments);
        output(command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.imds.endpoint()))
    }

    fn diff(&self) -> (Option<i32>, String, String) {
        self.gild(&["config", "diff"])
    }

    /// The files of the host with their contents.
    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut directories = vec![self.host.root.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    found.push((path, bytes));
                }
            }
        }
        found.sort();
        found
    }
}

#[test]
fn diff_asks_the_sources_anew_and_changes_nothing_on_disk() {
    let world = World::new();
    let before = world.everything();
    let (code, stdout, _) = world.diff();
    assert_eq!((code, stdout.as_str()), (Some(0), "no difference\n"));

    world.files.put("/global.toml", "metrics.interval = '25s'\nvars.a = 1\n");
    let (code, stdout, _) = world.diff();
    assert_eq!(code, Some(1), "{stdout}");
    let url = world.files.url("/global.toml:1");
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("- metrics.interval = \"20s\""), "{stdout}");
    assert!(stdout.contains("\n+ metrics.interval = \"25s\"") && stdout.contains(&url), "{stdout}");
    assert_eq!(lines.last(), Some(&"1 difference"));
    assert!(world.everything() == before, "something on disk has changed");
}

#[test]
fn a_source_that_fails_is_named_and_its_copy_is_compared_with() {
    let world = World::new();
    world.files.faults.always("/global.toml", Fault::Status(500, "down".into()));
    let (code, stdout, stderr) = world.diff();
    assert_eq!((code, stdout.as_str()), (Some(0), "no difference\n"), "{stderr}");
    assert!(stderr.contains("/global.toml") && stderr.contains("500"), "{stderr}");
    // Without the copy its keys would look as if they were gone.
    fs::remove_dir_all(world.host.path("var/lib/gild/last-good")).unwrap();
    let (code, stdout, stderr) = world.diff();
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("/global.toml") && stderr.contains("nothing stands in"), "{stderr}");
}

#[test]
fn explain_knows_what_a_boot_refused_and_left_out() {
    let world = World::with(&[
        ("gild:metrics.collectors", "cpu,memory"),
        ("gild:metrics.intervall", "5s"),
        ("gild:fail_after", "9"),
        ("gild:configuration.run", "every-boot"),
        ("gild:service.web.fail_after", "many"),
    ]);
    for (key, said) in [
        ("metrics.collectors", "left out tag:gild:metrics.collectors"),
        ("metrics.interval", "read by nothing metrics.intervall from service tag:gild:"),
        ("configuration.run", "refused configuration from service tag:gild:configuration.run"),
        ("service.web.fail_after", "left out tag:gild:service.web.fail_after"),
        ("service.web.fail_after", "read by nothing fail_after from service tag:gild:fail_after"),
    ] {
        let (code, stdout, stderr) = world.gild(&["config", "explain", key]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{key}");
        let text = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(said), "{key}: {stdout}");
    }
    // What is about other keys is not told.
    let (_, stdout, _) = world.gild(&["config", "explain", "configuration.timeout", "--json"]);
    let told: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&told["problems"], &told["unknown"]), (&json!([]), &json!([])), "{stdout}");
    assert_eq!(told["refused"][0]["key"], "configuration");
}
