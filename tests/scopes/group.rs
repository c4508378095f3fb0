//! Tags that the metadata does not hold: those of the instance's group.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gild::configure::report::SourceOutcome;
use gild::scope::verdict::Verdict;

use super::{World, inside, source, value, with_aws};
use crate::fakes::calls::Calls;
use crate::fakes::fault::Fault;
use crate::fakes::imds::Instance;
use crate::fakes::moto::Moto;
use crate::fakes::place::{Place, loopback};
use crate::fakes::server::{Asked, text};

const SCOPE: &str = "
[scope.global]
sources = ['FILES/{tag:team}/{asg}.toml', 'FILES/all.toml']
[scope.service]
sources = ['tags:gild:']
import = { Name = 'vars.name' }
";

/// An answer of the Auto Scaling API.
fn result(action: &str, inner: &str) -> String {
    let space = "http://autoscaling.amazonaws.com/doc/2011-01-01/";
    format!(
        "<{action}Response xmlns=\"{space}\"><{action}Result>{inner}</{action}Result>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn of_group() -> String {
    let instance = Instance::default().id;
    result(
        "DescribeAutoScalingInstances",
        &format!(
            "<AutoScalingInstances><member><InstanceId>{instance}</InstanceId>\
             <AutoScalingGroupName>web</AutoScalingGroupName></member></AutoScalingInstances>"
        ),
    )
}

fn tags(tags: &[(&str, &str)], next: &str) -> String {
    let members: String = tags
        .iter()
        .map(|(key, value)| {
            format!(
                "<member><ResourceId>web</ResourceId><ResourceType>auto-scaling-group</ResourceType>\
                 <Key>{key}</Key><Value>{value}</Value></member>"
            )
        })
        .collect();
    result("DescribeTags", &format!("<Tags>{members}</Tags>{next}"))
}

fn denied() -> String {
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
     <Message>not authorized</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        .to_owned()
}

/// The actions that were asked for, in order.
fn actions(calls: &Calls) -> Vec<String> {
    calls.asked().iter().map(|asked| field(asked, "Action")).collect()
}

fn field(asked: &Asked, name: &str) -> String {
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    let fields = body.split('&').filter_map(|field| field.split_once('='));
    let mut found = fields.filter(|(key, _)| *key == name);
    found.next().map_or_else(String::new, |(_, value)| value.to_owned())
}

#[tokio::test]
async fn the_tags_of_the_group_are_used_where_the_metadata_has_none() {
    let test = "group::the_tags_of_the_group_are_used_where_the_metadata_has_none";
    if !inside() {
        let moto = Moto::start(&Place::Host);
        let tags =
            [("gild:metrics.interval", "7s"), ("Name", "web 1"), ("team", "a b"), ("x", "y")];
        let id = moto.put_group("eu-west-1", "web", &tags);
        moto.put_group("eu-west-1", "other", &[("gild:metrics.interval", "9s")]);
        with_aws(test, moto.endpoint(), &[("GILD_TEST_INSTANCE", id)]);
        return;
    }
    let id = std::env::var("GILD_TEST_INSTANCE").unwrap();
    let world = World::of(&Instance { id, ..Instance::default() }, SCOPE);
    world.files.put("/a%20b/web.toml", "vars.from = 'file'\n");
    let resolution = world.resolve().await;
    assert_eq!(resolution.verdict, Verdict::Ready, "{:?}", resolution.sources);
    assert_eq!(resolution.settings.metrics.interval, Duration::from_secs(7));
    let vars = serde_json::json!({ "from": "file", "name": "web 1" });
    assert_eq!(value(&resolution, "vars"), vars);
    let identity = resolution.identity.unwrap();
    assert_eq!(identity.autoscaling_group.as_deref(), Some("web"));
    assert_eq!(identity.tags.len(), 3, "only what is wanted: {:?}", identity.tags);

    // An instance of no group has no tags.
    let scope = "scope.service.sources = ['tags:gild:']\n";
    let resolution = World::of(&Instance::default(), scope).resolve().await;
    assert_eq!(resolution.verdict, Verdict::Ready, "{:?}", resolution.sources);
    assert_eq!(source(&resolution, "tags:").state, SourceOutcome::Absent);
    assert_eq!(resolution.identity.unwrap().autoscaling_group, None);
}

#[tokio::test]
async fn tags_come_page_by_page_and_a_throttled_question_is_asked_again() {
    let test = "group::tags_come_page_by_page_and_a_throttled_question_is_asked_again";
    let count = AtomicUsize::new(0);
    let calls = Calls::start(loopback(), move |asked| {
        let throttled = denied().replace("AccessDenied", "Throttling");
        let next = "<NextToken>two</NextToken>";
        match (field(asked, "Action").as_str(), field(asked, "NextToken").as_str()) {
            _ if count.fetch_add(1, Ordering::SeqCst) == 0 => text(400, &throttled),
            ("DescribeAutoScalingInstances", _) => text(200, &of_group()),
            (_, "") => text(200, &tags(&[("gild:vars.a", "1"), ("x", "y")], next)),
            (_, "two") => text(200, &tags(&[("gild:vars.b", "2")], "")),
            _ => text(404, ""),
        }
    });
    if !with_aws(test, calls.endpoint(), &[]) {
        let groups = "DescribeAutoScalingInstances";
        assert_eq!(actions(&calls), [groups, groups, "DescribeTags", "DescribeTags"]);
        return;
    }
    let world = World::of(&Instance::default(), "scope.service.sources = ['tags:gild:']\n");
    let resolution = world.resolve().await;
    assert_eq!(value(&resolution, "vars"), serde_json::json!({ "a": "1", "b": "2" }));
}

#[tokio::test]
async fn a_refusal_names_both_ways_and_spares_the_other_sources() {
    let test = "group::a_refusal_names_both_ways_and_spares_the_other_sources";
    let calls = Calls::start(loopback(), |asked| match field(asked, "Action").as_str() {
        "DescribeAutoScalingInstances" => text(200, &of_group()),
        _ => text(403, &denied()),
    });
    if !with_aws(test, calls.endpoint(), &[]) {
        // Asked once for all who want to know.
        assert_eq!(actions(&calls), ["DescribeAutoScalingInstances", "DescribeTags"]);
        return;
    }
    let world = World::of(&Instance::default(), SCOPE);
    world.files.put("/all.toml", "vars.a = 'x'\n");
    let resolution = world.resolve().await;
    for part in ["tags:gild:", "{tag:team}"] {
        let report = source(&resolution, part);
        assert_eq!(report.state, SourceOutcome::Failed);
        let error = report.error.as_deref().unwrap();
        for word in [
            "allow tags in the instance's metadata",
            "autoscaling:DescribeAutoScalingInstances and autoscaling:DescribeTags",
            "failed to call DescribeTags: the answer was AccessDenied",
        ] {
            assert!(error.contains(word), "{error}");
        }
    }
    assert_eq!(value(&resolution, "vars.a"), "x");
}

#[tokio::test]
async fn a_required_tag_of_the_group_is_waited_for_and_the_api_is_spared() {
    let test = "group::a_required_tag_of_the_group_is_waited_for_and_the_api_is_spared";
    let count = AtomicUsize::new(0);
    let calls = Calls::start(loopback(), move |asked| match field(asked, "Action").as_str() {
        "DescribeAutoScalingInstances" => text(200, &of_group()),
        _ if count.fetch_add(1, Ordering::SeqCst) == 0 => text(200, &tags(&[], "")),
        _ => text(200, &tags(&[("gild:vars.role", "db")], "")),
    });
    if !with_aws(test, calls.endpoint(), &[]) {
        assert_eq!(actions(&calls).len(), 4, "{:?}", actions(&calls));
        return;
    }
    let scope = "scope.service.sources = ['tags:gild:']\nscope.service.require = ['vars.role']\n";
    let world = World::of(&Instance::default(), scope);
    let start = Instant::now();
    let resolution = world.resolve().await;
    assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(value(&resolution, "vars.role"), "db");
    assert_eq!(resolution.verdict, Verdict::Ready, "{:?}", resolution.sources);
}

#[tokio::test]
async fn who_needs_no_tags_does_not_wait_for_them() {
    let test = "group::who_needs_no_tags_does_not_wait_for_them";
    let calls = Calls::start(loopback(), |_| text(404, ""));
    calls.faults.always("/", Fault::Hang);
    if !with_aws(test, calls.endpoint(), &[]) {
        return;
    }
    let scope = "scope.deadline = '3s'\nscope.attempt_timeout = '1s'\n\
                 scope.global.sources = ['FILES/all.toml']\n\
                 scope.account.sources = ['FILES/{environment}.toml']\n\
                 scope.service.sources = ['tags:gild:', 'FILES/{tag:team}.toml']\n";
    let world = World::of(&Instance::default(), scope);
    world.files.put("/all.toml", "vars.environment_id = 'stg'\n");
    world.files.put("/stg.toml", "vars.a = 'x'\n");
    let resolution = world.resolve().await;
    assert_eq!(value(&resolution, "vars.a"), "x", "{:#?}", resolution.sources);
    for part in ["all.toml", "stg.toml"] {
        let report = source(&resolution, part);
        assert_eq!(report.state, SourceOutcome::Fetched);
        assert!(report.elapsed_ms < 1500.0, "{report:?}");
    }
    let error = source(&resolution, "tags:").error.as_deref().unwrap();
    assert!(error.contains("no complete answer within 1s"), "{error}");
}

#[tokio::test]
async fn the_api_is_not_asked_where_nobody_wants_tags_or_the_metadata_has_them() {
    let test = "group::the_api_is_not_asked_where_nobody_wants_tags_or_the_metadata_has_them";
    let calls = Calls::start(loopback(), |_| text(403, &denied()));
    if !with_aws(test, calls.endpoint(), &[]) {
        assert!(calls.asked().is_empty());
        return;
    }
    let world = World::new(&[], "scope.global.sources = ['FILES/all.toml']\n");
    assert_eq!(world.resolve().await.verdict, Verdict::Ready);
    let tags = [("team", "t"), ("aws:autoscaling:groupName", "web"), ("Name", "x")];
    assert_eq!(World::new(&tags, SCOPE).resolve().await.verdict, Verdict::Ready);
}
