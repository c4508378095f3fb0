//! Tags as configuration: late ones, bad ones, hostile ones.

use std::time::Duration;

use gild::config::LayerName;
use gild::scope::verdict::Verdict;

use super::{THREE, World, instance, value};
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
