//! Sources that the weaker role may not read: their copies are current.

use super::*;

const DOCUMENT: &str = "
[scope]
refresh = '1h'
deadline = '5s'
attempt_timeout = '2s'
[scope.global]
sources = ['FILES/g.toml']
[scope.account]
sources = ['ssm:/gild/account']
[configuration]
run = 'on-change'
exec = ['/bin/true']
";

fn world() -> World {
    let world = World::new(DOCUMENT);
    world.host.program("bin/true", "#!/bin/sh\n");
    world.files.put("/g.toml", "vars.global = 1\n");
    world.parameters.put("/gild/account", "vars.account = 1\n");
    world
}

/// Lets nobody read anything any more.
fn deny(world: &World) {
    world.files.faults.always("/g.toml", Fault::Status(403, "AccessDenied".into()));
    world.deny("/gild/account");
}

/// The states of the two sources.
fn states(shown: &Value) -> Vec<&str> {
    let sources = shown["sources"].as_array().unwrap().iter();
    let remote = sources.filter(|source| source["layer"] != "image" && source["layer"] != "local");
    remote.map(|source| source["state"].as_str().unwrap()).collect()
}

#[test]
fn a_look_that_the_new_role_may_not_take_is_no_fault_and_for_the_same_role_it_is() {
    let world = world();
    assert_eq!(world.configured()["outcome"], "ready");
    let _daemon = world.daemon();
    deny(&world);
    let ill = world.refreshed();
    assert_eq!((&ill["state"], &ill["refresh"]["ok"]), (&json!("degraded"), &json!(false)));
    assert_eq!(states(&ill), ["last-good", "last-good"]);

    world.swap();
    let well = world.refreshed();
    assert_eq!((&well["state"], &well["refresh"]["ok"]), (&json!("ready"), &json!(true)));
    assert_eq!((&well["drift"], &well["problems"]), (&Value::Null, &json!([])));
    assert_eq!(states(&well), ["kept", "kept"]);
    let (code, text) = world.host.status();
    let note = format!("not readable by role '{WEAK}'; kept from role 'gild-instance': ");
    assert_eq!((code, text.matches(&note).count()), (Some(0), 2), "{text}");

    // Another failure is one, whoever asks.
    world.files.faults.clear();
    world.files.faults.always("/g.toml", Fault::Status(500, "oops".into()));
    let ill = world.refreshed();
    assert_eq!(states(&ill)[1], "kept", "{ill:#}");
    assert_ne!(states(&ill)[0], "kept", "{ill:#}");
}

#[test]
fn a_reboot_with_the_weaker_role_changes_nothing_and_is_ready() {
    let world = world();
    let first = world.configured();
    assert_eq!(first["decision"]["run"], true);
    world.swap();
    deny(&world);
    // Twice: what was kept is kept on.
    for _ in 0..2 {
        let report = world.configured();
        assert_eq!((&report["outcome"], &report["problems"]), (&json!("ready"), &json!([])));
        assert_eq!(report["digest"], first["digest"]);
        assert_eq!(report["decision"]["run"], false, "{report:#}");
        assert_eq!(states(&report), ["kept", "kept"]);
    }
    let explained = world.host.gild(&["config", "explain", "vars"]).output().unwrap();
    let text = String::from_utf8_lossy(&explained.stdout);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("its copy is current: not readable by role 'mimir-role'"), "{text}");
    let log = world.host.gild(&["configure"]).output().unwrap().stderr;
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("kept from role 'gild-instance'") && !log.contains("WARN"), "{log}");
}

#[test]
fn a_role_that_has_read_the_source_itself_and_may_no_more_has_failed() {
    let world = world();
    world.configured();
    world.swap();
    assert_eq!(states(&world.configured()), ["unchanged", "unchanged"]);
    deny(&world);
    let report = world.configured();
    assert_eq!(report["outcome"], "degraded");
    assert_eq!(states(&report), ["last-good", "last-good"]);
}

#[test]
fn without_a_copy_of_this_instance_s_own_it_is_a_failure() {
    let world = world();
    deny(&world);
    world.swap();
    assert_eq!(world.host.configure(&[]).0, Some(1));

    // A copy that came with the image is from another instance.
    world.files.faults.clear();
    world.parameters.faults.clear();
    world.configured();
    deny(&world);
    let id = "i-0fedcba9876543210".to_owned();
    world.host.imds.describe(&Instance { id, ..Instance::default() });
    let report = world.configured();
    assert_eq!(report["outcome"], "degraded");
    assert_eq!(states(&report), ["last-good", "last-good"]);
}

#[test]
fn a_scope_that_must_not_live_on_copies_fails() {
    let world = world();
    world.configured();
    world.host.configured("scope.global.on_bad = 'fail'\n");
    world.swap();
    deny(&world);
    let (code, report) = world.host.configure(&[]);
    assert_eq!((code, states(&report)), (Some(1), vec!["failed", "kept"]), "{report:#}");
}
