//! From sources to settings: three scopes merged, and what happens when one of them is
//! slow, wrong, gone, or late.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use gild::config::check::Finding;
use gild::config::{KeyPath, LayerName, SecretRef};
use gild::configure::report::{SourceOutcome, SourceReport};
use gild::identity::ImdsOptions;
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;
use gild::platform::{error::chain_text, http};
use gild::scope::last_good::Copies;
use gild::scope::resolution::Resolution;
use gild::scope::resolve::{Context, resolve};
use gild::scope::secrets::Secrets;
use gild::scope::verdict::Verdict;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::moto::Moto;
use crate::fakes::place::Place;
use crate::fakes::place::loopback;

/// A host, its metadata service and a web server with a document for all.
struct World {
    root: TempDir,
    imds: Imds,
    files: Files,
}

fn instance(tags: &[(&str, &str)]) -> Instance {
    let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Instance { tags, ..Instance::default() }
}

impl World {
    fn new(tags: &[(&str, &str)], scope: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let imds = Imds::start(loopback(), &instance(tags));
        let world = Self { root, imds, files: Files::start(loopback()) };
        let scope = scope.replace("FILES", &world.files.url(""));
        world.write("usr/lib/gild/config.d/10.toml", &scope);
        world
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    async fn resolve(&self) -> Resolution {
        resolve(&context(self.root.path(), Some(self.imds.endpoint()))).await.unwrap()
    }
}

fn context(root: &Path, endpoint: Option<String>) -> Context {
    Context {
        paths: Paths::installed(root),
        client: http::client().unwrap(),
        imds: ImdsOptions::new(endpoint, Duration::from_secs(5)),
        redactor: Redactor::default(),
        copies: Copies::Kept,
        local: None,
    }
}

fn value(resolution: &Resolution, key: &str) -> serde_json::Value {
    let node = resolution.merged.root.get(&KeyPath::parse(key).unwrap());
    node.map_or(serde_json::Value::Null, |node| node.to_value())
}

fn source<'a>(resolution: &'a Resolution, part: &str) -> &'a SourceReport {
    let found = resolution.sources.iter().find(|report| report.source.contains(part));
    found.unwrap_or_else(|| panic!("no source {part} in {:?}", resolution.sources))
}

const THREE: &str = "
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

#[tokio::test]
async fn three_scopes_are_merged_and_the_highest_wins() {
    let name = "{{ lookup('pipe','touch /tmp/x') }} $(id) \"'\nnext";
    let world = World::new(&[("Name", name), ("gild:metrics.interval", "7s")], THREE);
    world.files.put("/gild/global.toml", "metrics.interval = '20s'\nvars.a = 'g'\nvars.b = 'g'\n");
    world.files.put("/gild/123456789012/account.yaml", "metrics: {interval: 15s}\nvars: {b: a}\n");
    let first = world.resolve().await;
    assert_eq!(first.verdict, Verdict::Ready, "{:?}", first.sources);
    assert_eq!(first.settings.metrics.interval, Duration::from_secs(7));
    assert_eq!(value(&first, "vars"), serde_json::json!({"a": "g", "b": "a", "name": name}));
    let node = first.merged.root.get(&KeyPath::parse("metrics.interval").unwrap()).unwrap();
    assert_eq!(node.origin().source.as_ref(), "tag:gild:metrics.interval");
    let names: Vec<&str> = first.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names, ["identity", "scopes"]);

    // The second time every question is a conditional one.
    let second = world.resolve().await;
    assert_eq!(source(&second, "global.toml").state, SourceOutcome::Unchanged);
    assert_eq!(source(&second, "account.yaml").state, SourceOutcome::Unchanged);
    assert_eq!(second.digest, first.digest);
    let asked = world.files.requests();
    let conditional = asked.iter().filter(|asked| !asked.header("if-none-match").is_empty());
    assert_eq!((asked.len(), conditional.count()), (4, 2));
}

#[tokio::test]
async fn what_is_not_there_is_an_empty_layer_unless_it_is_required() {
    let world = World::new(&[], THREE);
    let resolution = world.resolve().await;
    assert_eq!(resolution.verdict, Verdict::Ready);
    assert_eq!(source(&resolution, "global.toml").state, SourceOutcome::Absent);
    world.write("etc/gild/config.d/9.toml", "scope.account.required = true\n");
    let Verdict::Failed { reason } = world.resolve().await.verdict else { panic!() };
    assert!(reason.contains("account scope is required"), "{reason}");
}

#[tokio::test]
async fn a_source_that_fails_is_replaced_by_its_last_valid_copy() {
    let faults = [
        Fault::Close,
        Fault::Hang,
        Fault::CutOff,
        Fault::Endless,
        Fault::Status(500, "down".into()),
        Fault::Status(403, "denied".into()),
        Fault::Status(200, "not [ a document".into()),
        Fault::Status(200, String::new()),
        Fault::Status(200, "metrics.interval = 5".into()),
        Fault::Redirect("http://127.0.0.1:1/".into()),
    ];
    let scope = "scope.deadline = '1s'\nscope.attempt_timeout = '400ms'\n\
                 scope.global.sources = ['FILES/g.toml']\n";
    for fault in faults {
        let world = World::new(&[], scope);
        world.files.put("/g.toml", "vars.a = 'good'\n");
        assert_eq!(world.resolve().await.verdict, Verdict::Ready);
        // Another document, so that the answer has a body to be cut off.
        world.files.put("/g.toml", "vars.a = 'new'\n");
        world.files.faults.always("/g.toml", fault.clone());
        // Twice: what failed has replaced nothing.
        for _ in 0..2 {
            let start = Instant::now();
            let resolution = world.resolve().await;
            assert!(start.elapsed() < Duration::from_secs(2), "{fault:?}");
            let report = source(&resolution, "g.toml");
            assert_eq!(report.state, SourceOutcome::LastGood, "{fault:?} {report:?}");
            assert_eq!(value(&resolution, "vars.a"), "good", "{fault:?}");
            assert!(report.error.is_some());
            let Verdict::Degraded { reasons } = resolution.verdict else { panic!("{fault:?}") };
            assert!(reasons[0].contains("g.toml"), "{reasons:?}");
        }
    }
}

#[tokio::test]
async fn a_document_that_lost_most_of_its_keys_waits_for_a_word() {
    let scope = "scope.account.sources = ['FILES/a.toml']\n";
    let world = World::new(&[], scope);
    world.files.put("/a.toml", "vars = { a = '1', b = '1', c = '1' }\n");
    assert_eq!(world.resolve().await.verdict, Verdict::Ready);
    world.files.put("/a.toml", "vars.a = '2'\n");
    // Twice: what is refused has replaced nothing.
    for _ in 0..2 {
        let resolution = world.resolve().await;
        let Verdict::Degraded { reasons } = &resolution.verdict else { panic!() };
        assert!(reasons[0].contains("has 1 key, and its last valid copy has 3"), "{reasons:?}");
        assert!(reasons[0].contains("scope.account.accept_shrink = true"), "{reasons:?}");
        assert_eq!(value(&resolution, "vars.a"), "1");
        let report = source(&resolution, "a.toml");
        assert_eq!(report.state, SourceOutcome::LastGood);
        let copied_at = report.copied_at.as_ref().unwrap();
        assert!(reasons[0].contains(copied_at.as_str()), "{reasons:?}");
    }
    world.files.put("/a.toml", "accept_shrink = true\nvars.a = '2'\n");
    let resolution = world.resolve().await;
    assert_eq!(resolution.verdict, Verdict::Ready);
    assert_eq!(value(&resolution, "vars"), serde_json::json!({"a": "2"}));
    assert_eq!(source(&resolution, "a.toml").copied_at, None);
}

#[tokio::test]
async fn the_scope_may_say_that_its_documents_may_shrink() {
    let scope = "scope.account.sources = ['FILES/a.toml']\n";
    let world = World::new(&[], scope);
    world.files.put("/a.toml", "vars = { a = '1', b = '1', c = '1' }\n");
    assert_eq!(world.resolve().await.verdict, Verdict::Ready);
    world.files.put("/a.toml", "vars.a = '2'\n");
    world.write("etc/gild/config.d/9.toml", "scope.account.accept_shrink = true\n");
    assert_eq!(world.resolve().await.verdict, Verdict::Ready);
    // Tags come and go.
    let tags = [("gild:vars.a", "1"), ("gild:vars.b", "1"), ("gild:vars.c", "1")];
    let world = World::new(&tags, THREE);
    assert_eq!(world.resolve().await.verdict, Verdict::Ready);
    world.imds.describe(&instance(&tags[..1]));
    assert_eq!(world.resolve().await.verdict, Verdict::Ready);
}

#[tokio::test]
async fn what_is_final_no_tag_changes() {
    let world = World::new(&[("gild:metrics.interval", "1s"), ("gild:vars.x", "1")], THREE);
    world.files.put("/gild/global.toml", "final = ['metrics.interval']\n");
    let resolution = world.resolve().await;
    assert_eq!(resolution.verdict, Verdict::Ready);
    assert_eq!(value(&resolution, "metrics.interval"), "10s");
    let [refused] = resolution.refused.as_slice() else { panic!("{:?}", resolution.refused) };
    assert_eq!(refused.origin.source.as_ref(), "tag:gild:metrics.interval");
    let start = format!("final since global {}:1", world.files.url("/gild/global.toml"));
    assert!(refused.reason.starts_with(&start), "{}", refused.reason);
}

#[tokio::test]
async fn without_a_copy_the_boot_fails_with_the_cause_and_there_are_settings_still() {
    let world = World::new(&[], THREE);
    world.files.faults.always("/gild/global.toml", Fault::Status(500, "down".into()));
    world.files.put("/gild/123456789012/account.yaml", "metrics: {interval: 15s}\n");
    let resolution = world.resolve().await;
    let Verdict::Failed { reason } = &resolution.verdict else { panic!() };
    assert!(reason.contains("global.toml") && reason.contains("500"), "{reason}");
    assert_eq!(resolution.settings.metrics.interval, Duration::from_secs(15));
    assert!(source(&resolution, "global.toml").attempts > 1);
}

#[tokio::test]
async fn a_permanent_failure_does_not_wait_for_the_deadline() {
    let world = World::new(&[], &THREE.replace("3s", "60s"));
    world.files.faults.always("/gild/global.toml", Fault::Status(403, "denied".into()));
    let start = Instant::now();
    let resolution = world.resolve().await;
    assert!(matches!(resolution.verdict, Verdict::Failed { .. }));
    assert_eq!(source(&resolution, "global.toml").attempts, 1);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn sources_are_asked_at_the_same_time() {
    let world = World::new(&[], &THREE.replace("500ms", "5s"));
    world.files.faults.always("/gild", Fault::Delay(Duration::from_millis(700)));
    let resolution = world.resolve().await;
    let scopes = resolution.phases.iter().find(|phase| phase.name == "scopes").unwrap();
    assert!((700.0..1390.0).contains(&scopes.duration_ms), "{}", scopes.duration_ms);
}

#[tokio::test]
async fn a_required_tag_that_comes_late_is_waited_for() {
    let scope = format!("{THREE}require = ['vars.role']\n");
    let world = World::new(&[("gild:vars.x", "1")], &scope);
    let resolution = async { world.resolve().await };
    let late = async {
        // The first look has found that the tag is missing when the list is asked again.
        let list = "/latest/meta-data/tags/instance";
        while world.imds.requests().iter().filter(|path| *path == list).count() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.imds.describe(&instance(&[("gild:vars.role", "db")]));
    };
    let (resolution, ()) = tokio::join!(resolution, late);
    assert_eq!(value(&resolution, "vars.role"), "db");
    assert_eq!(resolution.verdict, Verdict::Ready, "{:?}", resolution.sources);
    assert_eq!(resolution.identity.unwrap().tags["gild:vars.role"], "db");
}

#[tokio::test]
async fn a_required_tag_that_never_comes_is_named() {
    let scope =
        format!("{THREE}require = ['role']\n").replace("[scope]", "[scope]\ntags_wait='600ms'");
    let world = World::new(&[("gild:vars.x", "1")], &scope);
    let Verdict::Failed { reason } = world.resolve().await.verdict else { panic!() };
    assert!(reason.contains("required and not there") && reason.contains("role"), "{reason}");
}

#[tokio::test]
async fn tags_that_contradict_each_other_are_both_named() {
    let world = World::new(&[("gild:vars.a", "1"), ("gild:vars.a.b", "2")], THREE);
    let resolution = world.resolve().await;
    let Verdict::Degraded { reasons } = &resolution.verdict else { panic!() };
    assert!(
        reasons[0].contains("tag:gild:vars.a;") && reasons[0].contains("gild:vars.a.b"),
        "{reasons:?}"
    );
    assert_eq!(value(&resolution, "vars.a"), "1");
}

#[tokio::test]
async fn one_bad_tag_is_left_out_and_the_others_apply() {
    for (key, bad) in [
        ("gild:metrics.collectors", "cpu,memory"),
        ("gild:metrics.collectors", r#"["no"]"#),
        ("gild:metrics.interval", "soon"),
        ("gild:a..b", "x"),
    ] {
        let world = World::new(&[(key, bad), ("gild:vars.a", "1"), ("Name", "web")], THREE);
        // The second time there is a copy.
        for _ in 0..2 {
            let resolution = world.resolve().await;
            let Verdict::Degraded { reasons } = &resolution.verdict else { panic!("{key} {bad}") };
            assert!(reasons.len() == 1 && reasons[0].contains(key), "{reasons:?}");
            assert!(resolution.problems.iter().any(|found| found.source.contains(key)));
            assert_eq!(value(&resolution, "vars"), serde_json::json!({"a": "1", "name": "web"}));
        }
    }
}

#[tokio::test]
async fn placeholders_are_filled_and_cannot_leave_their_place() {
    let scope = "vars.environment_id = 'stg.local'\n\
                 scope.global.sources = ['FILES/{environment}/{tag:team}.toml']\n\
                 scope.account.sources = ['FILES/{tag:path}/x.toml']\n";
    let world = World::new(&[("team", "a b?"), ("path", "../../secret")], scope);
    world.files.put("/stg.local/a%20b%3F.toml", "vars.a = 'x'\n");
    let resolution = world.resolve().await;
    assert_eq!(value(&resolution, "vars.a"), "x");
    assert_eq!(world.files.requests().len(), 1);
    let Verdict::Failed { reason } = resolution.verdict else { panic!() };
    assert!(reason.contains("{tag:path}"), "{reason}");
}

/// The older system keeps the environment's name in a parameter of the account.
#[tokio::test]
async fn an_environment_that_a_lower_source_names_is_waited_for() {
    let scope = "scope.deadline = '4s'\n\
                 scope.global.sources = ['FILES/{environment}.toml', 'FILES/global.toml']\n\
                 scope.account.sources = [{ url = 'FILES/old', format = 'yaml', into = 'vars' }]\n\
                 scope.service.sources = ['tags:gild:', 'FILES/slow.toml']\n";
    let world = World::new(&[("gild:vars.environment_id", "prod.local")], scope);
    world.files.put("/old", "environment_id: stg.local\n");
    world.files.put("/stg.local.toml", "vars.a = 'stg'\n");
    world.files.put("/prod.local.toml", "vars.a = 'prod'\n");
    // What is fetched for the service keeps nothing waiting.
    world.files.faults.always("/slow.toml", Fault::Delay(Duration::from_secs(1)));
    let resolution = world.resolve().await;
    assert_eq!(resolution.verdict, Verdict::Ready, "{:#?}", resolution.sources);
    assert_eq!(value(&resolution, "vars.a"), "stg");
    assert_eq!(value(&resolution, "vars.environment_id"), "prod.local");
    let sources: Vec<&str> =
        resolution.sources.iter().skip(1).map(|report| report.source.as_str()).collect();
    let ends = ["/stg.local.toml", "/global.toml", "/old", "tags:gild:", "/slow.toml"];
    assert!(sources.iter().zip(ends).all(|(source, end)| source.ends_with(end)), "{sources:?}");
    let asked: Vec<String> = world.files.requests().into_iter().map(|asked| asked.path).collect();
    let at = |wanted: &str| asked.iter().position(|path| path == wanted).unwrap();
    assert!(at("/stg.local.toml") > at("/old"), "{asked:?}");
    let scopes = resolution.phases.iter().find(|phase| phase.name == "scopes").unwrap();
    assert!(scopes.duration_ms < 1900.0, "{}", scopes.duration_ms);

    // The name comes from the copy on a day on which its source is away.
    world.files.faults.always("/old", Fault::Status(403, "denied".into()));
    let resolution = world.resolve().await;
    assert_eq!(source(&resolution, "/stg.local.toml").state, SourceOutcome::Unchanged);
}

#[tokio::test]
async fn an_environment_that_nobody_names_fails_its_source_alone() {
    let scope = "scope.global.sources = ['FILES/{environment}.toml', 'FILES/global.toml']\n\
                 scope.service.sources = ['tags:gild:']\n";
    let world = World::new(&[("gild:vars.environment_id", "prod.local")], scope);
    world.files.put("/global.toml", "vars.a = 'g'\n");
    let resolution = world.resolve().await;
    assert_eq!(value(&resolution, "vars.a"), "g");
    let Verdict::Failed { reason } = resolution.verdict else { panic!() };
    assert!(
        reason.contains(
            "the image, local, global and account layers set neither \
                         vars.environment_id nor vars.environment"
        ),
        "{reason}"
    );
    let asked = world.files.requests();
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn tags_may_not_name_what_root_runs() {
    let world = World::new(&[("gild:configuration.exec", r#"["sh"]"#)], THREE);
    let resolution = world.resolve().await;
    assert!(resolution.settings.configuration.exec.is_empty());
    assert_eq!(resolution.refused[0].key.to_string(), "configuration");
    assert_eq!(resolution.refused[0].origin.layer, LayerName::Service);
}

#[tokio::test]
async fn tags_may_not_choose_how_ansible_runs_not_even_by_an_import() {
    let scope = THREE.replace("Name = 'vars.name'", "Name = 'vars.ansible_python_interpreter'");
    let tags = [("Name", "/tmp/x"), ("gild:vars.ansible_connection", "ssh"), ("gild:vars.a", "1")];
    let resolution = World::new(&tags, &scope).resolve().await;
    assert_eq!(resolution.verdict, Verdict::Ready);
    assert_eq!(value(&resolution, "vars"), serde_json::json!({"a": "1"}));
    let mut keys: Vec<String> =
        resolution.refused.iter().map(|refused| refused.key.to_string()).collect();
    keys.sort();
    assert_eq!(keys, ["vars.ansible_connection", "vars.ansible_python_interpreter"]);
}

#[tokio::test]
async fn unknown_keys_degrade_the_host_s_own_layers_only() {
    let world = World::new(&[("gild:metrics.intervall", "5s")], THREE);
    let resolution = world.resolve().await;
    assert_eq!(resolution.verdict, Verdict::Ready);
    assert_eq!(resolution.unknown[0].nearest.as_deref(), Some("metrics.interval"));
    world.write("etc/gild/config.d/9.toml", "\nmetrics.collector = []\n");
    let resolution = world.resolve().await;
    assert!(matches!(resolution.verdict, Verdict::Degraded { .. }));
    let line = |finding: &Finding| (finding.line, finding.key.clone().unwrap().to_string());
    assert_eq!(line(&resolution.problems[0]), (Some(2), "metrics.collector".to_owned()));
}

#[tokio::test]
async fn a_broken_document_of_the_operator_fails_the_boot_and_spares_the_rest() {
    let world = World::new(&[], THREE);
    world.write("etc/gild/config.d/1.toml", "metrics.interval = '9s'\n");
    world.write("etc/gild/config.d/2.toml", "vars = [\n");
    let resolution = world.resolve().await;
    assert_eq!(resolution.settings.metrics.interval, Duration::from_secs(9));
    let Verdict::Failed { reason } = resolution.verdict else { panic!() };
    assert!(reason.contains("2.toml"), "{reason}");
}

#[tokio::test]
async fn an_instance_without_a_name_has_settings_and_says_why() {
    let world = World::new(&[], THREE);
    let nobody = loopback().local_addr().unwrap();
    let mut context = context(world.root.path(), Some(format!("http://{nobody}")));
    context.imds.budget = Duration::from_millis(300);
    let resolution = resolve(&context).await.unwrap();
    assert!(resolution.identity.is_none());
    let Verdict::Failed { reason } = &resolution.verdict else { panic!() };
    assert!(reason.contains("metadata service"), "{reason}");
    assert_eq!(source(&resolution, "global.toml").state, SourceOutcome::Failed);
}

#[tokio::test]
async fn a_directory_can_stand_for_all_scopes() {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("global.toml", "vars.a = 'g'\nvars.b = 'g'\nvars.c = 'g'\n"),
        ("account.yaml", "vars: {b: a, c: a}\n"),
        ("service.json", r#"{"vars": {"c": "s"}}"#),
    ] {
        fs::write(root.path().join(name), text).unwrap();
    }
    let mut context = context(Path::new("/nonexistent"), None);
    context.local = Some(root.path().to_owned());
    let resolution = resolve(&context).await.unwrap();
    assert_eq!(resolution.verdict, Verdict::Ready);
    assert_eq!(value(&resolution, "vars"), serde_json::json!({"a": "g", "b": "a", "c": "s"}));
    context.local = Some(root.path().join("nowhere"));
    assert!(matches!(resolve(&context).await.unwrap().verdict, Verdict::Failed { .. }));
}

/// Endpoints come from the environment alone, so what talks to moto runs this very test
/// again in a process whose environment names it. True in that process.
fn with_moto(test: &str, prepare: impl FnOnce(&Moto)) -> bool {
    if std::env::var_os("AWS_ENDPOINT_URL").is_some() {
        return true;
    }
    let moto = Moto::start(&Place::Host);
    prepare(&moto);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("scopes::{test}"), "--nocapture"])
        .env("AWS_ENDPOINT_URL", moto.endpoint())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "eu-west-1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
    false
}

#[tokio::test]
async fn parameters_and_objects_are_read() {
    let inside = with_moto("parameters_and_objects_are_read", |moto| {
        moto.put_parameter("eu-west-1", "UserDataYAMLConfig", "String", "environment_id: stg\n");
        moto.put_parameter("eu-west-1", "/gild/secret", "SecureString", "vars.s = 'hunter23'\n");
        moto.put_parameter("eu-west-1", "/gild/tree/metrics/collectors", "String", "cpu");
        for number in 0..23 {
            let name = format!("/gild/tree/vars/n{number}");
            moto.put_parameter("eu-west-1", &name, "String", "many");
        }
        moto.put_parameter("eu-west-1", "/gild/tree/metrics/interval", "String", "11s");
        moto.put_parameter("eu-west-1", "/gild/tree/vars/password", "SecureString", "hunter22");
        moto.put_object("internal-123456789012", "gild/account.toml", "vars.from = 's3'\n");
    });
    if !inside {
        return;
    }
    let scope = "
[scope.global]
sources = [{ url = 'ssm:UserDataYAMLConfig', format = 'yaml', into = 'vars' }, 'ssm:/gild/secret',
    'ssm:/gild/none']
[scope.account]
sources = ['ssm:/gild/tree/', 's3://internal-{account}/gild/account.toml',
    's3://internal-{account}/none']
";
    let world = World::new(&[], scope);
    let first = world.resolve().await;
    // A secure document is refused, a parameter that does not fit is left out alone.
    let Verdict::Failed { reason } = &first.verdict else { panic!("{:#?}", first.sources) };
    assert!(reason.contains("SecureString") && reason.contains("'ssm:/path/'"), "{reason}");
    assert_eq!(source(&first, "/gild/secret").state, SourceOutcome::Bad);
    assert_eq!(value(&first, "vars.s"), serde_json::Value::Null);
    assert!(!format!("{first:?}").contains("hunter23"));
    let tree = source(&first, "/gild/tree/");
    assert_eq!(tree.state, SourceOutcome::Fetched);
    assert!(tree.error.as_ref().unwrap().contains("ssm:/gild/tree/metrics/collectors"), "{tree:?}");
    assert_eq!(value(&first, "vars.environment_id"), "stg");
    assert_eq!(value(&first, "vars.from"), "s3");
    assert_eq!(value(&first, "vars.n22"), "many");
    assert_eq!(
        value(&first, "vars.password"),
        serde_json::json!({"ssm": "/gild/tree/vars/password"})
    );
    assert_eq!(first.settings.metrics.interval, Duration::from_secs(11));
    assert_eq!(source(&first, "ssm:/gild/none").state, SourceOutcome::Absent);
    assert_eq!(source(&first, "/none").state, SourceOutcome::Absent);
    assert_eq!(source(&first, "UserDataYAML").version.as_deref(), Some("1"));

    let second = world.resolve().await;
    assert_eq!(source(&second, "account.toml").state, SourceOutcome::Unchanged);
    assert_eq!(source(&second, "UserDataYAML").state, SourceOutcome::Unchanged);
    assert_eq!(source(&second, "/gild/secret").state, SourceOutcome::Bad);
    let copies = fs::read_dir(world.root.path().join("var/lib/gild/last-good")).unwrap();
    for copy in copies {
        let text = fs::read_to_string(copy.unwrap().path()).unwrap();
        assert!(!text.contains("vars.s =") && !text.contains("hunter22"), "{text}");
    }
}

#[tokio::test]
async fn references_are_resolved_and_masked() {
    let inside = with_moto("references_are_resolved_and_masked", |moto| {
        moto.put_secret("eu-west-1", "vault_secret", "plain-password");
        moto.put_secret("eu-west-1", "object", r#"{"field":"one-of-many","other":1}"#);
        moto.put_parameter("eu-west-1", "/pw", "SecureString", "hunter22");
    });
    if !inside {
        return;
    }
    let redactor = Redactor::default();
    let paths = Paths::installed(Path::new("/nonexistent"));
    let client = http::client().unwrap();
    let budget = Duration::from_secs(10);
    let secrets = Secrets::new(&paths, &client, None, &redactor, budget);
    let manager = |id: &str, key: Option<&str>| SecretRef::SecretsManager {
        id: id.to_owned(),
        key: key.map(str::to_owned),
    };
    for (reference, expected) in [
        (manager("vault_secret", None), "plain-password"),
        (manager("object", Some("field")), "one-of-many"),
        (SecretRef::Ssm("/pw".to_owned()), "hunter22"),
    ] {
        let value = secrets.resolve(&reference).await.unwrap();
        assert_eq!(value.expose_secret(), expected);
        assert_eq!(redactor.text(&format!("a {expected} b")), "a ‹secret› b");
    }
    for (reference, why) in [
        (manager("object", Some("nope")), "no field 'nope'"),
        (manager("vault_secret", Some("x")), "not a JSON object"),
        (manager("nope", None), "no such secret"),
        (SecretRef::Ssm("/nope".to_owned()), "no such parameter"),
    ] {
        let text = chain_text(&secrets.resolve(&reference).await.unwrap_err());
        assert!(text.contains(why), "{text}");
    }
}
