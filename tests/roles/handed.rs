//! The secrets of the daemon: where they are, whose they are, and when they are used.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::fakes::chat::TOKEN;
use crate::rig::{below, json as file_of_json};

const FILE: &str = "run/gild/secrets.json";

/// The number of the daemon's user.
const USER: u32 = 64_321;

const DOCUMENT: &str = "
metrics.interval = '1s'
configuration.run = 'never'
[notify.deploy]
type = 'discord'
url = { ssm = '/hook' }
[sink.mimir]
type = 'remote_write'
url = 'METRICS'
username = 'web'
password = { ssm = '/pw' }
[vars]
password = { file = '/only-for-the-step' }
";

/// The last Authorization header that a request of the sink had.
fn authorization(world: &World) -> Option<String> {
    let headers = world.metrics.headers();
    let last = headers.last()?.get("authorization")?;
    Some(last.to_str().unwrap().to_owned())
}

fn basic(password: &str) -> Option<String> {
    Some(format!("Basic {}", STANDARD.encode(format!("web:{password}"))))
}

/// Waits for a request of the sink from now on.
#[track_caller]
fn next_push(world: &World) -> Option<String> {
    let before = world.metrics.headers().len();
    wait_for("samples", || world.metrics.headers().len() > before);
    authorization(world)
}

#[test]
fn metrics_and_messages_go_on_over_a_restart_after_the_swap() {
    let world = World::new(DOCUMENT);
    // The message of the boot waits for the daemon.
    world.chat.faults.always("/", Fault::Close);
    world.configured();
    world.swap();
    world.deny("/hook");
    world.deny("/pw");
    let mut daemon = world.daemon();
    assert_eq!(next_push(&world), basic(PASSWORD));
    daemon.kill();
    world.chat.faults.clear();
    let _daemon = world.daemon();
    assert_eq!(next_push(&world), basic(PASSWORD));
    wait_for("message", || world.chat.posted("deploy").len() == 1);

    // Nor does a step by hand forget what it can no longer read.
    let before = fs::read(world.host.path(FILE)).unwrap();
    world.configured();
    assert_eq!(fs::read(world.host.path(FILE)).unwrap(), before);
}

#[test]
fn the_file_is_in_memory_for_the_daemon_s_user_alone_and_nowhere_else() {
    let world = World::new(DOCUMENT);
    let daemon = world.host.path("run/gild/daemon");
    chown(&daemon, Some(USER), Some(USER)).unwrap();
    world.configured();
    let file = world.host.path(FILE);
    let metadata = fs::metadata(&file).unwrap();
    assert_eq!((metadata.permissions().mode() & 0o7777, metadata.uid()), (0o400, USER));
    let names: Vec<String> = file_of_json(&file).as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["ssm:/hook", "ssm:/pw"], "the step's own is not the daemon's");

    let forms = [PASSWORD, TOKEN].map(|secret| {
        let encoded = STANDARD.encode(secret);
        [secret.to_owned(), encoded[..encoded.len() / 4 * 4 - 4].to_owned()]
    });
    let holds = |file: &std::path::Path| {
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        forms.iter().flatten().any(|form| text.contains(form))
    };
    let files = below(&world.host.path(""));
    let with: Vec<_> = files.iter().filter(|file| holds(file)).collect();
    assert!(files.len() > 4, "{files:?}");
    assert_eq!(with, Vec::<&std::path::PathBuf>::new(), "below the root, which is a disk");
    let run = fs::read_link(world.host.path("run")).unwrap();
    let with: Vec<_> = below(&run).into_iter().filter(|file| holds(file)).collect();
    assert_eq!(with, [run.join("gild/secrets.json")]);
}

/// What root may read and the daemon may not is handed over too.
#[test]
fn a_daemon_with_a_user_of_its_own_uses_what_only_root_can_read() {
    let world = World::new(&DOCUMENT.replace("{ ssm = '/pw' }", "{ file = '/etc/pw' }"));
    let secret = world.host.write("etc/pw", PASSWORD);
    fs::set_permissions(secret, fs::Permissions::from_mode(0o600)).unwrap();
    let own = ["run/gild/daemon", "var/lib/gild"].map(|path| world.host.path(path));
    own.iter().for_each(|path| chown(path, Some(USER), Some(USER)).unwrap());
    let open = [world.host.path(""), fs::read_link(world.host.path("run")).unwrap()];
    for directory in open {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    world.configured();
    fs::set_permissions(world.host.path("run/gild/config.json"), fs::Permissions::from_mode(0o644))
        .unwrap();
    let mut daemon = world.host.gild(&["run"]);
    daemon.uid(USER).gid(USER).stdout(Stdio::null()).stderr(Stdio::null());
    let _daemon = Running(daemon.spawn().unwrap());
    assert_eq!(next_push(&world), basic(PASSWORD));
}

#[test]
fn a_secret_that_was_rotated_wins() {
    let world = World::new(DOCUMENT);
    world.configured();
    world.parameters.put("/pw", "a new one");
    let _daemon = world.daemon();
    assert_eq!(next_push(&world), basic("a new one"));

    // And where it is rotated while the sink is at work.
    world.parameters.put("/pw", "a newer one");
    let push = format!("/{}", world.metrics.url().splitn(4, '/').last().unwrap());
    world.metrics.faults.next(&push, 1, Fault::Status(401, "who?".into()));
    wait_for("new password", || authorization(&world) == basic("a newer one"));
    let dropped = &world.status()["sinks"]["mimir"]["dropped"];
    assert_eq!(dropped, &json!({}), "what was refused is sent again");
}

#[test]
fn a_parameter_that_is_gone_is_not_used_any_more() {
    let world = World::new(DOCUMENT);
    world.configured();
    let absent = json!({ "__type": "ParameterNotFound" }).to_string();
    world.parameters.faults.always("/pw", Fault::Status(400, absent));
    let _daemon = world.daemon();
    wait_for("failure", || world.status()["sinks"]["mimir"]["last_error"].is_string());
    let error = world.status()["sinks"]["mimir"]["last_error"].to_string();
    assert!(error.contains("there is no such parameter"), "{error}");
}

#[test]
fn what_cannot_be_had_is_left_to_the_daemon_and_fails_no_boot() {
    let world = World::new(DOCUMENT);
    world.deny("/pw");
    let report = world.configured();
    assert_eq!(report["outcome"], "ready");
    let names = file_of_json(&world.host.path(FILE));
    assert_eq!(names.as_object().unwrap().keys().collect::<Vec<_>>(), ["ssm:/hook"]);
    // What nobody refers to any more is taken away.
    world.host.write("usr/lib/gild/config.d/10-image.toml", "configuration.run = 'never'\n");
    world.configured();
    assert!(!world.host.path(FILE).exists());
}

#[test]
fn a_plan_hands_nothing_over() {
    let world = World::new(DOCUMENT);
    let output = world.host.gild(&["configure", "--plan"]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("the configuration is resolved"), "{log}");
    assert_eq!(world.parameters.questions().len(), 0);
    assert!(!world.host.path(FILE).exists());
}

#[test]
fn where_run_is_a_disk_nothing_is_handed_over() {
    let mut host = Host::new("").with_run_in(env!("CARGO_TARGET_TMPDIR"));
    let parameters = Parameters::start(loopback());
    parameters.put("/pw", PASSWORD);
    parameters.put("/hook", "https://127.0.0.1:1/x");
    host.environment.push(("AWS_ENDPOINT_URL_SSM", parameters.endpoint()));
    host.configured(&DOCUMENT.replace("METRICS", "http://127.0.0.1:1/push"));
    let output = host.gild(&["configure"]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert_eq!(log.matches("no secret is handed to the daemon").count(), 1, "{log}");
    assert!(!host.path(FILE).exists());
}
