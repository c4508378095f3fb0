//! `gild config`, by the program itself: on a host whose configuration was resolved from a
//! fixed set of layers (`fixed`), and on one whose sources say something else by now (`sources`).

mod fixed;
mod sources;

use std::fs;
use std::path::PathBuf;
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
