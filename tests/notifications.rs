//! Who is told what came of a boot: in a channel and at a topic, once, however
//! the receivers behave, and without any effect on the boot.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::boots::waiting_step;
use crate::fakes::chat::{Chat, TOKEN, path};
use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::moto::{Moto, tool};
use crate::fakes::place::{Closed, Place, loopback};
use crate::host::{Host, Running, wait_for};
use crate::program::gild;

const SECRET: &str = "correct horse battery staple";
const READY: &str = "[configuration]\nrun = \"never\"\n";

/// A Discord notifier named like its webhook.
fn discord(chat: &Chat, name: &str) -> String {
    format!("[notify.{name}]\ntype = \"discord\"\nurl = \"{}\"\n", chat.webhook(name))
}

/// A host whose daemon runs.
fn daemon(host: &Host) -> Running {
    let daemon = host.started(&["run"]);
    wait_for("daemon", || host.status().0 != Some(5));
    daemon
}

/// What a verb says on stderr.
fn stderr(host: &Host, arguments: &[&str]) -> (Option<i32>, String) {
    let output = host.gild(arguments).stdout(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The messages in the spool.
fn spooled(host: &Host) -> Vec<Value> {
    let Ok(entries) = fs::read_dir(host.path("var/lib/gild/notify")) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

fn title(body: &Value) -> &str {
    body["embeds"][0]["title"].as_str().unwrap()
}

/// What the daemon has noted of its deliveries.
fn noted(host: &Host) -> String {
    fs::read_to_string(host.path("var/lib/gild/spool/notify/told.json")).unwrap_or_default()
}

/// A topic whose messages are kept in a queue.
fn topic(moto: &Moto) {
    moto.form("eu-west-1", "sns", "Action=CreateTopic&Version=2010-03-31&Name=boots");
    let queue = serde_json::json!({ "QueueName": "kept" });
    moto.call("eu-west-1", "sqs", "AmazonSQS.CreateQueue", &queue);
    let form = "Action=Subscribe&Version=2010-03-31&Protocol=sqs\
                &TopicArn=arn:aws:sns:eu-west-1:123456789012:boots\
                &Endpoint=arn:aws:sqs:eu-west-1:123456789012:kept";
    moto.form("eu-west-1", "sns", form);
}

/// What the topic was sent.
fn published(moto: &Moto) -> Vec<Value> {
    let url = format!("{}/123456789012/kept", moto.endpoint());
    let ask = serde_json::json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
    let answer = moto.call("eu-west-1", "sqs", "AmazonSQS.ReceiveMessage", &ask);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    let body = |message: Value| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    messages.into_iter().map(body).collect()
}

/// Lays a playbook and the Ansible of the tests below the host's root.
fn playbook(host: &Host, tasks: &str) {
    let ansible = tool("GILD_TEST_ANSIBLE", "ansible-playbook");
    fs::create_dir_all(host.path("deployment/ansibleenv")).unwrap();
    symlink(ansible.parent().unwrap(), host.path("deployment/ansibleenv/bin")).unwrap();
    fs::create_dir_all(host.path("deployment/playbook")).unwrap();
    let python = ansible.with_file_name("python3");
    let settings = format!("[defaults]\ninterpreter_python = {}\n", python.display());
    fs::write(host.path("deployment/playbook/ansible.cfg"), settings).unwrap();
    let head = "- hosts: all\n  gather_facts: false\n  tasks:\n";
    fs::write(host.path("deployment/playbook/main.yml"), format!("{head}{tasks}")).unwrap();
}

#[test]
fn the_failed_task_and_its_message_arrive_in_a_channel_and_at_a_topic_once() {
    let chat = Chat::start(loopback());
    let moto = Moto::start(&Place::Host);
    topic(&moto);
    let mut host = Host::new("");
    host.environment = vec![
        ("AWS_ENDPOINT_URL", moto.endpoint()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ];
    fs::write(host.path("hook"), format!("{}\n", chat.webhook("deploy"))).unwrap();
    fs::write(host.path("password"), SECRET).unwrap();
    playbook(
        &host,
        "    - name: start @everyone\n      tags: configuration\n      ansible.builtin.fail:\n\
         \x20       msg: \"no ```login``` with {{ password }} {{ 'x' * 10000 }}\"\n",
    );
    host.configured(
        "[notify.deploy]\ntype = \"discord\"\nurl = { file = \"/hook\" }\n\
         [notify.topic]\ntype = \"sns\"\ntopic = \"boots\"\n\
         [vars]\nenvironment_id = \"opinion-stg.local\"\npassword = { file = \"/password\" }\n",
    );
    let (code, log) = stderr(&host, &["configure"]);
    assert_eq!(code, Some(1), "{log}");
    let report = host.report();
    assert_eq!(report["failure"]["task"], "start @everyone", "{report}");
    let last = report["phases"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["name"], &last["outcome"]), (&"notify".into(), &"ok".into()), "{log}");

    let posted = chat.posted("deploy");
    let body = &posted[0].body;
    assert_eq!(title(body), "FAILED on ip-10-1-2-3.eu-west-1.compute.internal (10.1.2.3)");
    assert_eq!(body["content"], "Failure on opinion-stg.local");
    let fields = body["embeds"][0]["fields"].as_array().unwrap();
    let trouble = fields.last().unwrap();
    assert_eq!(trouble["name"], "error in start @everyone:");
    let value = trouble["value"].as_str().unwrap();
    assert!(value.starts_with("```\nno `\u{200b}`\u{200b}`login"), "{value}");
    assert!(fields.iter().any(|field| field["value"] == "198.51.100.7"), "{fields:?}");
    let at_topic = published(&moto);
    let subject = at_topic[0]["Subject"].as_str().unwrap();
    assert_eq!(subject, "FAILED on ip-10-1-2-3.eu-west-1.compute.internal (10.1.2.3)");
    let text = at_topic[0]["Message"].as_str().unwrap();
    assert!(text.contains("error in start @everyone:\nno ```login``` with ‹secret›"), "{text}");
    assert_eq!(at_topic[0]["MessageAttributes"]["outcome"]["Value"], "failed");

    // Neither systemd's word of the failure nor the daemon says it again.
    assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
    let _daemon = daemon(&host);
    assert_eq!(host.configure(&[]).0, Some(1));
    assert_eq!((chat.posted("deploy").len(), at_topic.len()), (1, 1));
    assert_eq!(published(&moto).len(), 0);
    let everything = format!("{body}{at_topic:?}{log}{:?}{report}", spooled(&host));
    for secret in [SECRET, TOKEN] {
        assert!(!everything.contains(secret), "{everything}");
    }
}

#[test]
fn receivers_that_misbehave_change_nothing_and_get_their_message_later() {
    let chat = Chat::start(loopback());
    let names = ["gone", "broken", "silent", "closing", "cut"];
    let document: String = names.iter().map(|name| discord(&chat, name)).collect();
    let host = Host::new(&format!("{READY}{document}"));
    let echo = format!("no webhook {}", path("gone"));
    chat.faults.always(&path("gone"), Fault::Status(404, echo));
    chat.faults.always(&path("broken"), Fault::Status(500, "oops".to_owned()));
    chat.faults.always(&path("silent"), Fault::Hang);
    chat.faults.always(&path("closing"), Fault::Close);
    chat.faults.always(&path("cut"), Fault::CutOff);
    let begun = Instant::now();
    let (code, log) = stderr(&host, &["configure"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
    let report = host.report();
    assert_eq!(report["outcome"], "ready");
    let last = report["phases"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["name"], &last["outcome"]), (&"notify".into(), &"failed".into()));
    let to = &spooled(&host)[0]["to"];
    let fates = names.map(|name| to[name]["fate"].as_str().unwrap());
    assert_eq!(fates, ["dropped", "waiting", "waiting", "waiting", "delivered"], "{log}");
    assert!(!log.contains(TOKEN), "{log}");

    chat.faults.clear();
    let first = daemon(&host);
    for name in ["broken", "silent", "closing"] {
        wait_for(name, || chat.posted(name).len() == 1);
    }
    wait_for("notes", || noted(&host).matches("delivered").count() == 3);
    drop(first);
    // Neither a new daemon nor the same boot again tells it twice.
    let _second = daemon(&host);
    assert_eq!(host.configure(&[]).0, Some(0));
    let counts = names.map(|name| chat.posted(name).len());
    assert_eq!(counts, [0, 1, 1, 1, 1]);
}

#[test]
fn a_wish_to_be_left_alone_is_honoured() {
    let chat = Chat::start(loopback());
    let host = Host::new(&format!("{READY}{}", discord(&chat, "deploy")));
    chat.faults.next(&path("deploy"), 1, Fault::Throttle);
    let begun = Instant::now();
    assert_eq!(host.configure(&[]).0, Some(0));
    let posted = chat.posted("deploy");
    assert_eq!(posted.len(), 1);
    assert!(posted[0].at - begun >= Duration::from_millis(1250));
    assert_eq!(spooled(&host)[0]["to"]["deploy"]["fate"], "delivered");
}

#[test]
fn a_receiver_that_was_down_at_boot_is_told_late_but_once() {
    let closed = Closed::new();
    let url = format!("http://{}{}", closed.address(), path("deploy"));
    let document = format!("[notify.deploy]\ntype = \"discord\"\nurl = \"{url}\"\n");
    let host = Host::new(&format!("{READY}{document}"));
    let running = daemon(&host);
    let (code, log) = stderr(&host, &["configure"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("failed to post to '127.0.0.1'"), "{log}");
    assert!(!log.contains(TOKEN), "{log}");
    // A reboot's news waits behind it.
    let chat = Chat::start(closed.open());
    wait_for("message", || chat.posted("deploy").len() == 1);
    wait_for("note", || noted(&host).contains("delivered"));
    let shown = host.gild(&["config", "show", "notify.deploy.url"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("‹secret›") && !shown.contains(TOKEN), "{shown}");
    drop(running);
    let shown = host.gild(&["config", "show", "notify.deploy.url"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&shown.stdout).contains(TOKEN));
    assert_eq!(chat.posted("deploy").len(), 1);
}

#[test]
fn a_daemon_that_is_stopped_notes_what_arrives() {
    let chat = Chat::start(loopback());
    let host = Host::new(&format!("{READY}{}", discord(&chat, "deploy")));
    chat.faults.always(&path("deploy"), Fault::Status(503, String::new()));
    assert_eq!(host.configure(&[]).0, Some(0));
    chat.faults.clear();
    chat.faults.next(&path("deploy"), 1, Fault::Delay(Duration::from_secs(1)));
    let before = chat.connections();
    let mut first = daemon(&host);
    wait_for("attempt", || chat.connections() > before);
    first.signal(Signal::SIGTERM);
    assert!(first.0.wait().unwrap().success());
    assert_eq!(chat.posted("deploy").len(), 1);
    assert!(noted(&host).contains("delivered"), "{}", noted(&host));
    let _second = daemon(&host);
    assert_eq!(host.configure(&[]).0, Some(0));
    assert_eq!(chat.posted("deploy").len(), 1);
}

#[test]
fn a_boot_that_is_killed_is_told_of_once() {
    let chat = Chat::start(loopback());
    let host = Host::new("");
    let (step, begun) = waiting_step(&host);
    host.configured(&format!("{step}{}", discord(&chat, "deploy")));
    let mut boot = host.started(&["configure"]);
    wait_for("step", || begun.exists());
    assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
    assert_eq!(chat.posted("deploy").len(), 0, "it is at work");
    boot.0.kill().unwrap();
    boot.0.wait().unwrap();
    for _ in 0..2 {
        assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
    }
    let posted = chat.posted("deploy");
    assert_eq!(posted.len(), 1);
    let fields = posted[0].body["embeds"][0]["fields"].as_array().unwrap();
    let value = fields.last().unwrap()["value"].as_str().unwrap();
    assert!(value.contains("configure ended without a report; its last phase was"), "{value}");
    let step: i32 = fs::read_to_string(&begun).unwrap().trim().parse().unwrap();
    let _ = kill(Pid::from_raw(step), Signal::SIGKILL);

    // The next boot works, and is told of as a recovery.
    fs::write(host.path("wait.sh"), "#!/bin/sh\nexit 0\n").unwrap();
    assert_eq!(host.configure(&[]).0, Some(0));
    assert!(title(&chat.posted("deploy")[1].body).starts_with("READY again on "));
}

#[test]
fn a_kill_at_any_moment_is_told_and_the_next_boot_works() {
    let chat = Chat::start(loopback());
    let host = Host::new("");
    let (step, _) = waiting_step(&host);
    fs::write(host.path("wait.sh"), "#!/bin/sh\nexec sleep 0.2\n").unwrap();
    let running = daemon(&host);
    let newest = || spooled(&host).last().map(|last| last["message"]["event"].clone());
    let notifier = format!("{}most_per_hour = 100\n", discord(&chat, "deploy"));
    for moment in 0..12_u64 {
        host.configured(&format!("{step}{notifier}[vars]\nx = {moment}\n"));
        let mut boot = host.started(&["configure"]);
        std::thread::sleep(Duration::from_millis(moment * 35));
        boot.0.kill().unwrap();
        let killed = !boot.0.wait().unwrap().success();
        assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
        let event = newest().unwrap();
        // One that was killed when all was done has told so.
        let told = ["failed", "ready", "recovered"].contains(&event.as_str().unwrap());
        assert!(told && (killed || event != "failed"), "{moment}: {event}");
        assert_eq!(host.configure(&[]).0, Some(0), "{moment}: {}", host.report());
        assert_ne!(newest().unwrap(), "failed", "{moment}");
    }
    // What the killed ones had not sent, the daemon sends; and nothing twice, but
    // what arrived in the very moment of a kill.
    let settled = || {
        let notes = noted(&host);
        let all = spooled(&host);
        all.iter().all(|spooled| {
            let waits = spooled["to"]["deploy"]["fate"] == "waiting";
            !waits || notes.contains(spooled["id"].as_str().unwrap())
        })
    };
    wait_for("arrival", settled);
    let (told, spooled) = (chat.posted("deploy").len(), spooled(&host).len());
    assert!(told >= spooled && told <= spooled + 2, "{told} of {spooled}");
    drop(running);
}

#[test]
fn a_boot_that_is_killed_while_it_tells_leaves_its_message_to_the_daemon() {
    let chat = Chat::start(loopback());
    let host = Host::new(&format!("{READY}{}", discord(&chat, "deploy")));
    chat.faults.next(&path("deploy"), 1, Fault::Hang);
    let mut boot = host.started(&["configure"]);
    wait_for("attempt", || chat.connections() == 1);
    // While it is at work the daemon leaves its message alone.
    let _daemon = daemon(&host);
    assert_eq!(chat.posted("deploy").len(), 0);
    boot.0.kill().unwrap();
    boot.0.wait().unwrap();
    assert_eq!(host.report()["outcome"], "ready");
    wait_for("message", || chat.posted("deploy").len() == 1);
    wait_for("note", || noted(&host).contains("delivered"));
    assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
    assert_eq!(chat.posted("deploy").len(), 1);
}

/// No file below the directory holds the token of a webhook.
fn holds_no_token(directory: &std::path::Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds_no_token(&path);
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains(TOKEN), "{}: {text}", path.display());
        }
    }
}

#[test]
fn a_boot_that_left_nothing_at_all_is_told_of() {
    let chat = Chat::start(loopback());
    let host = Host::new(&discord(&chat, "deploy"));
    assert_eq!(stderr(&host, &["notify", "failed-boot"]).0, Some(0));
    let posted = chat.posted("deploy");
    assert_eq!(posted.len(), 1);
    let text = posted[0].body.to_string();
    assert!(text.contains("configure ended without a report"), "{text}");
    assert!(text.contains("i-0123456789abcdef0"), "{text}");
}

#[test]
fn the_older_list_of_webhooks_is_read_without_a_trace_on_disk() {
    let chat = Chat::start(loopback());
    let files = Files::start(loopback());
    let list = |keys: &[&str]| -> String {
        keys.iter().map(|key| format!("{key}: \"{}\"\n", chat.webhook(key))).collect()
    };
    files.put("/discord/webhooks.yml", list(&["default", "deploy", "apilog"]));
    let document = format!(
        "[notify.deploy]\ntype = \"discord\"\nwebhooks = \"{}\"\nkey = \"deploy\"\n",
        files.url("/discord/webhooks.yml")
    );
    let host = Host::new(&format!("{READY}{document}"));
    assert_eq!(host.configure(&[]).0, Some(0));
    assert_eq!(chat.posted("deploy").len(), 1);

    files.put("/discord/webhooks.yml", list(&["default"]));
    host.configured(&format!("{READY}{document}[vars]\nx = 1\n"));
    assert_eq!(host.configure(&[]).0, Some(0));
    assert_eq!((chat.posted("deploy").len(), chat.posted("default").len()), (1, 1));

    // A list that is none is given up with a reason that does not quote it.
    for (number, bad) in
        [format!("deploy: [{TOKEN}"), "deploy: here\n".to_owned()].iter().enumerate()
    {
        files.put("/discord/webhooks.yml", bad);
        host.configured(&format!("{READY}{document}[vars]\nbad = {number}\n"));
        let (code, log) = stderr(&host, &["configure"]);
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("the list of webhooks ") && !log.contains(TOKEN), "{log}");
    }
    assert!(!host.report()["phases"].is_null() && !spooled(&host).is_empty());
    for directory in ["run", "var"] {
        holds_no_token(&host.path(directory));
    }
}

#[test]
fn a_plan_tells_nobody() {
    let chat = Chat::start(loopback());
    let host = Host::new(&format!("{READY}{}", discord(&chat, "deploy")));
    let (_, log) = stderr(&host, &["configure", "--plan"]);
    assert!(log.contains("the boot failed"), "{log}");
    assert_eq!((chat.connections(), spooled(&host).len()), (0, 0));
}

#[test]
fn a_boot_in_the_foreground_tells_too() {
    let chat = Chat::start(loopback());
    let directory = tempfile::tempdir().unwrap();
    let account =
        format!("{READY}{}[sink.log]\ntype = \"log\"\nflush = \"1s\"\n", discord(&chat, "deploy"));
    fs::write(directory.path().join("account.toml"), account).unwrap();
    let mut up = gild();
    up.args(["up", "--once", "--local"]).arg(directory.path());
    up.arg("--state").arg(directory.path().join("state"));
    let output = up.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    assert_eq!(chat.posted("deploy").len(), 1);
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[test]
fn a_receiver_of_json_gets_its_headers_and_what_is_documented() {
    let receiver = crate::fakes::http::Files::start(loopback());
    let host = Host::new(&format!(
        "{READY}[notify.events]\ntype = \"webhook\"\nurl = \"{}\"\n\
         headers = {{ Authorization = {{ file = \"/token\" }} }}\n",
        receiver.url("/events")
    ));
    fs::write(host.path("token"), format!("Bearer {SECRET}\n")).unwrap();
    fs::set_permissions(host.path("token"), fs::Permissions::from_mode(0o600)).unwrap();
    let (code, log) = stderr(&host, &["configure"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(SECRET), "{log}");
    // The receiver refuses, but has seen it.
    let asked = &receiver.requests()[0];
    assert_eq!(asked.header("authorization"), format!("Bearer {SECRET}"));
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["event"], "ready");
    assert_eq!(body["instance"]["id"], "i-0123456789abcdef0");
    assert_eq!(body["instance"]["public_ip"], "198.51.100.7");
    assert_eq!(spooled(&host)[0]["to"]["events"]["fate"], "dropped");
}
