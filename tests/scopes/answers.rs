//! What is made of answers: those that lost most of their keys, what is final, and
//! the environment that one source tells another.

use std::time::Duration;

use gild::config::{KeyPath, Layer, LayerName};
use gild::configure::report::SourceOutcome;
use gild::platform::paths::Paths;
use gild::scope::last_good::{Copies, LastGood, Subject};
use gild::scope::text::Text;
use gild::scope::verdict::Verdict;

use super::{THREE, World, instance, source, value, with_moto};
use crate::fakes::fault::Fault;

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
    let fetched = resolution.sources.iter().filter(|report| report.layer.is_remote());
    let sources: Vec<&str> = fetched.map(|report| report.source.as_str()).collect();
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
async fn a_subtree_with_many_unusable_parameters_replaces_no_copy() {
    let keys = [("vars.a", "1"), ("metrics.interval", "11s"), ("configuration.run", "never")];
    let name = |key: &str| format!("/gild/tree/{}", key.replace('.', "/"));
    let inside =
        with_moto("answers::a_subtree_with_many_unusable_parameters_replaces_no_copy", |moto| {
            for (key, _) in keys {
                moto.put_parameter("eu-west-1", &name(key), "String", "wrong");
            }
        });
    if !inside {
        return;
    }
    let world = World::new(&[], "scope.account.sources = ['ssm:/gild/tree/']\n");
    let paths = Paths::installed(world.root.path());
    let copies = LastGood::new(&paths, Some("123456789012".to_owned()), &Copies::Kept);
    let source_text = "ssm:/gild/tree/".to_owned();
    let subject = Subject { layer: LayerName::Account, source: source_text, instance: None };
    let texts = keys.map(|(key, value)| {
        let path = KeyPath::parse(key).unwrap();
        Text::of_value(format!("ssm:{}", name(key)), Some("1".to_owned()), &path, value.into())
    });
    let layers = texts.clone().map(|text| Layer {
        name: LayerName::Account,
        source: text.name.as_str().into(),
        version: None,
        last_good: false,
        document: text.parse(None).unwrap(),
    });
    copies.keep(&subject, &texts, &layers).unwrap();
    let resolution = world.resolve().await;
    assert!(matches!(resolution.verdict, Verdict::Degraded { .. }));
    assert_eq!(source(&resolution, "/gild/tree/").state, SourceOutcome::Fetched);
    assert_eq!(value(&resolution, "vars.a"), "wrong");
    assert_eq!(copies.load(&subject, None).unwrap().texts, texts);
}
