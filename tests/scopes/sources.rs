//! Documents from elsewhere: that they are read, and what happens when they are not.

use std::fs;
use std::time::{Duration, Instant};

use gild::configure::report::SourceOutcome;
use gild::scope::verdict::Verdict;

use super::{THREE, World, source, value, with_moto};
use crate::fakes::fault::Fault;
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

#[tokio::test]
async fn parameters_and_objects_are_read() {
    let inside = with_moto("sources::parameters_and_objects_are_read", |moto| {
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
async fn what_failed_before_time_ran_out_is_told() {
    let scope = "
[scope]
deadline = '1s'
attempt_timeout = '5s'
[scope.global]
sources = ['FILES/gild/global.toml']
";
    let world = World::new(&[], scope);
    world.files.faults.next("/gild", 1, Fault::Status(503, "SlowDown".into()));
    world.files.faults.always("/gild", Fault::Hang);
    let resolution = world.resolve().await;
    let error = source(&resolution, "global.toml").error.clone().unwrap();
    assert!(error.contains("503") && error.contains("SlowDown"), "{error}");
}
