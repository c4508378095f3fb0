//! Scopes merged into settings, and what the documents of the host do to that.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gild::config::KeyPath;
use gild::config::check::Finding;
use gild::configure::report::SourceOutcome;
use gild::scope::resolve::resolve;
use gild::scope::verdict::Verdict;

use super::{THREE, World, context, source, value};
use crate::fakes::place::loopback;
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
