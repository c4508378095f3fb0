//! What receivers get, and what they may do without changing what came of the boot.

use super::*;

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
    assert!(!log.contains(TOKEN), "{log}");
    // It waits with the daemon, which says why.
    let error =
        || host.ask(http::Method::GET, "/v1/status")["notify"]["deploy"]["last_error"].clone();
    wait_for("attempt", || error().is_string());
    let error = error().to_string();
    assert!(error.contains("failed to post to '127.0.0.1'") && !error.contains(TOKEN), "{error}");
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
