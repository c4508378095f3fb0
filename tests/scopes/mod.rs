//! From sources to settings: three scopes merged, and what happens when one of them is
//! slow, wrong, gone, or late.
//!
//! `World` is an instance with its metadata service and a web server; the modules are
//! what the tests are about.

mod answers;
mod group;
mod merging;
mod parameters;
mod secrets;
mod sources;
mod tags;
mod targets;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gild::config::KeyPath;
use gild::configure::report::SourceReport;
use gild::identity::ImdsOptions;
use gild::platform::http;
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;
use gild::scope::last_good::Copies;
use gild::scope::resolution::Resolution;
use gild::scope::resolve::{Context, resolve};
use tempfile::TempDir;

use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::moto::Moto;
use crate::fakes::place::Place;
use crate::fakes::place::loopback;

/// A host, its metadata service and a web server with a document for all.
pub(crate) struct World {
    pub(crate) root: TempDir,
    pub(crate) imds: Imds,
    pub(crate) files: Files,
}

pub(crate) fn instance(tags: &[(&str, &str)]) -> Instance {
    let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Instance { tags, ..Instance::default() }
}

impl World {
    pub(crate) fn new(tags: &[(&str, &str)], scope: &str) -> Self {
        // Without any tag the metadata would not say whether it holds tags at all.
        let mut instance = instance(tags);
        instance.tags.insert("unrelated".to_owned(), "x".to_owned());
        Self::of(&instance, scope)
    }

    pub(crate) fn of(instance: &Instance, scope: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let imds = Imds::start(loopback(), instance);
        let world = Self { root, imds, files: Files::start(loopback()) };
        let scope = scope.replace("FILES", &world.files.url(""));
        world.write("usr/lib/gild/config.d/10.toml", &scope);
        // Every server of a test is on this host.
        world.write("usr/lib/gild/config.d/20.toml", "scope.local_targets = true\n");
        world
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) async fn resolve(&self) -> Resolution {
        resolve(&context(self.root.path(), Some(self.imds.endpoint()))).await.unwrap()
    }
}

pub(crate) fn context(root: &Path, endpoint: Option<String>) -> Context {
    Context {
        paths: Paths::installed(root),
        client: http::client().unwrap(),
        imds: ImdsOptions::new(endpoint, Duration::from_secs(5)),
        redactor: Redactor::default(),
        copies: Copies::Kept,
        local: None,
    }
}

pub(crate) fn value(resolution: &Resolution, key: &str) -> serde_json::Value {
    let node = resolution.merged.root.get(&KeyPath::parse(key).unwrap());
    node.map_or(serde_json::Value::Null, |node| node.to_value())
}

pub(crate) fn source<'a>(resolution: &'a Resolution, part: &str) -> &'a SourceReport {
    let found = resolution.sources.iter().find(|report| report.source.contains(part));
    found.unwrap_or_else(|| panic!("no source {part} in {:?}", resolution.sources))
}

pub(crate) const THREE: &str = "
[scope]
deadline = '3s'
attempt_timeout = '500ms'
[scope.global]
sources = ['FILES/gild/global.toml']
[scope.account]
sources = ['FILES/gild/{account}/account.yaml']
[scope.service]
sources = ['tags:gild:']
import = { Name = 'vars.name' }
";

const INSIDE: &str = "GILD_TEST_INSIDE";

/// Whether this is the process that `again` has started.
pub(crate) fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs the test `scopes::TEST` again in a process with this environment, which is where
/// endpoints and certificates come from and nowhere else. True in that process.
pub(crate) fn again<'a>(test: &str, environment: impl FnOnce() -> Vec<(&'a str, String)>) -> bool {
    again_at(&format!("scopes::{test}"), environment)
}

/// As `again`, for the test at this path.
pub(crate) fn again_at<'a>(
    test: &str,
    environment: impl FnOnce() -> Vec<(&'a str, String)>,
) -> bool {
    if inside() {
        return true;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .envs(environment())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
    false
}

/// As `again`, where AWS is at `endpoint`.
pub(crate) fn with_aws(test: &str, endpoint: String, more: &[(&'static str, String)]) -> bool {
    again(test, || {
        let aws = [
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", "eu-west-1".to_owned()),
        ];
        aws.into_iter().chain(more.iter().cloned()).collect()
    })
}

/// As `with_aws`, where AWS is moto.
fn with_moto(test: &str, prepare: impl FnOnce(&Moto)) -> bool {
    if inside() {
        return true;
    }
    let moto = Moto::start(&Place::Host);
    prepare(&moto);
    with_aws(test, moto.endpoint(), &[])
}
