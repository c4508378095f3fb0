//! What is told of a boot, and what it leaves.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Output;

use serde_json::Value;

use crate::fakes::chat::{Chat, Posted};
use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::place::loopback;
use crate::fakes::tool::tool;
use crate::host::Host;
use crate::rig::below;

const SECRET: &str = "correct horse battery staple";

fn discord(chat: &Chat) -> String {
    format!("[notify.deploy]\ntype = \"discord\"\nurl = \"{}\"\n", chat.webhook("deploy"))
}

fn step(host: &Host, chat: &Chat, script: &str) {
    host.program("step", &format!("#!/bin/sh\n{script}\n"));
    host.configured(&format!("[configuration]\nexec = [\"/step\"]\n{}", discord(chat)));
}

/// A file that only its owner reads, as credentials are.
fn credential(host: &Host, name: &str) -> String {
    let path = host.write(&format!("run/credentials/{name}"), SECRET);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    format!("{{ file = \"/run/credentials/{name}\" }}")
}

fn baked_playbook(host: &Host, tasks: &str) {
    let ansible = tool("GILD_TEST_ANSIBLE", "ansible-playbook");
    let baked = host.write("deployment/ansibleenv/here", "");
    symlink(ansible.parent().unwrap(), baked.with_file_name("bin")).unwrap();
    let python = ansible.with_file_name("python3");
    let settings = format!("[defaults]\ninterpreter_python = {}\n", python.display());
    host.write("deployment/playbook/ansible.cfg", &settings);
    let head = "- hosts: all\n  gather_facts: false\n  tags: configuration\n  tasks:\n";
    host.write("deployment/playbook/main.yml", &format!("{head}{tasks}"));
}

fn configure(host: &Host, level: &str) -> Output {
    host.gild(&["configure"]).env("GILD_LOG", level).output().unwrap()
}

/// The one message that was told.
#[track_caller]
fn message(chat: &Chat) -> Posted {
    let mut posted = chat.posted("deploy");
    assert_eq!(posted.len(), 1, "{posted:?}");
    posted.remove(0)
}

/// The files below the root that hold the secret, besides the one that it is given in.
fn holding_it(host: &Host) -> Vec<String> {
    let holds = |text: &[u8]| text.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    let given = host.path("run/credentials");
    let files = below(&host.path("")).into_iter().filter(|path| !path.starts_with(&given));
    let files = files.filter(|path| fs::read(path).is_ok_and(|text| holds(&text)));
    files.map(|path| path.display().to_string()).collect()
}

/// D1: what a step said on neither output cannot be told; that it failed can.
#[test]
fn a_step_that_says_nothing_is_told_of_in_words() {
    let chat = Chat::start(loopback());
    let host = Host::new("");
    step(&host, &chat, "exit 3");
    assert_eq!(host.configure(&[]).0, Some(1));
    let body = message(&chat).body;
    let fields = body["embeds"][0]["fields"].as_array().unwrap();
    let trouble = fields.last().unwrap();
    assert_eq!(trouble["name"], "error in step:", "{body}");
    let text = trouble["value"].as_str().unwrap();
    assert!(text.contains("step ended with exit status: 3"), "{text}");
}

/// D2: refused at once here; that nobody answers, and for how long that is tried, `boot::outage`
/// shows.
#[test]
fn a_boot_that_gets_nothing_from_aws_runs_nothing_and_says_so() {
    let chat = Chat::start(loopback());
    let aws = Files::start(loopback());
    aws.faults.always("/", Fault::Status(403, String::new()));
    let mut host = Host::new("");
    host.environment = vec![
        ("AWS_ENDPOINT_URL", aws.url("")),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ];
    baked_playbook(&host, "    - ansible.builtin.file: { path: ran, state: touch }\n");
    host.configured(&format!(
        "[configuration]\nvault_password = {{ secretsmanager = \"vault_secret\" }}\n{}",
        discord(&chat)
    ));
    let (code, report) = host.configure(&[]);
    assert_eq!((code, &report["outcome"]), (Some(1), &"failed".into()), "{report:#}");
    let message = report["failure"]["message"].as_str().unwrap();
    assert!(message.contains("vault_secret"), "{message}");
    assert!(!host.path("deployment/playbook/ran").exists(), "it was run without its password");
    let told = self::message(&chat).body.to_string();
    assert!(told.contains("vault_secret") && told.contains("i-0123456789abcdef0"), "{told}");
}

/// D3, D4: a play that fails, with all that Ansible and gild can say of it.
#[test]
fn a_failed_play_leaves_no_vault_password() {
    let chat = Chat::start(loopback());
    let host = Host::new("");
    baked_playbook(
        &host,
        "    - name: show it\n      ansible.builtin.command: { cmd: \"echo {{ password }}\" }\n\
         \x20   - name: fail\n      ansible.builtin.fail: { msg: \"with {{ password }}\" }\n",
    );
    let vault = credential(&host, "vault");
    host.configured(&format!(
        "[configuration]\nvault_password = {vault}\nverbosity = 4\n{}[vars]\npassword = {vault}\n",
        discord(&chat)
    ));
    let said = configure(&host, "trace");
    assert_eq!(said.status.code(), Some(1));
    let log = format!("{said:?}");
    assert!(log.contains("show it") && !log.contains(SECRET), "{log}");
    let told = message(&chat).body.to_string();
    assert!(told.contains("with ‹secret›") && !told.contains(SECRET), "{told}");
    assert_eq!(holding_it(&host), Vec::<String>::new());
}

/// D6: the step's own word counts, whatever it has done after the part that failed.
#[test]
fn a_failure_is_not_hidden_by_what_the_step_does_after_it() {
    let chat = Chat::start(loopback());
    let host = Host::new("");
    baked_playbook(
        &host,
        "    - name: install\n      ansible.builtin.command: { cmd: \"false\" }\n\
         \x20   - name: say that all is well\n      ansible.builtin.debug: { msg: done }\n",
    );
    host.configured(&discord(&chat));
    let (code, report) = host.configure(&[]);
    assert_eq!((code, &report["failure"]["task"]), (Some(1), &"install".into()), "{report:#}");
    assert!(message(&chat).body.to_string().contains("error in install:"));
}

/// D7
#[test]
fn a_duration_is_the_same_in_every_time_zone() {
    for zone in ["Asia/Kolkata", "America/St_Johns"] {
        let chat = Chat::start(loopback());
        let mut host = Host::new("");
        host.environment = vec![("TZ", zone.to_owned())];
        step(&host, &chat, "exec sleep 0.3");
        let (code, report) = host.configure(&[]);
        assert_eq!(code, Some(0), "{report:#}");
        let at = |key: &str| humantime::parse_rfc3339(report[key].as_str().unwrap()).unwrap();
        let took = at("ended_at").duration_since(at("started_at")).unwrap().as_secs_f64();
        let off = at("started_at").elapsed().unwrap().as_secs();
        assert!((0.3..20.0).contains(&took) && off < 60, "{zone}: {took} s, {off} s ago");
        let body = message(&chat).body;
        let fields = body["embeds"][0]["fields"].as_array().unwrap();
        let told = fields.iter().find(|field| field["name"] == "Duration").unwrap();
        let told = told["value"].as_str().unwrap();
        let seconds = match told.strip_suffix("ms") {
            Some(thousandths) => thousandths.parse::<f64>().unwrap() / 1000.0,
            None => told.strip_suffix('s').unwrap().parse().unwrap(),
        };
        assert!((0.3..20.0).contains(&seconds), "{told}");
    }
}

/// D20: nothing is read where everybody writes.
#[test]
fn a_list_of_webhooks_that_somebody_planted_is_not_read() {
    let chat = Chat::start(loopback());
    let files = Files::start(loopback());
    files.put("/webhooks.yml", format!("default: \"{}\"\n", chat.webhook("deploy")));
    let host = Host::new(&format!(
        "[configuration]\nrun = \"never\"\n[notify.deploy]\ntype = \"discord\"\nwebhooks = \"{}\"\n",
        files.url("/webhooks.yml")
    ));
    for place in ["tmp", "var/tmp", "dev/shm"] {
        host.write(
            &format!("{place}/webhooks.yml"),
            &format!("default: \"{}\"\n", chat.webhook("planted")),
        );
    }
    assert_eq!(host.configure(&[]).0, Some(0));
    message(&chat);
    assert_eq!(chat.posted("planted").len(), 0);
}

/// D27: what an image would take along.
#[test]
fn what_a_boot_leaves_on_disk_holds_no_credential() {
    let chat = Chat::start(loopback());
    let host = Host::new("");
    host.program("step", "#!/bin/sh\ncat \"$GILD_VARS\"\n");
    let password = credential(&host, "password");
    host.configured(&format!(
        "[configuration]\nexec = [\"/step\"]\n{}[vars]\npassword = {password}\n",
        discord(&chat)
    ));
    let said = configure(&host, "trace");
    assert_eq!(host.report()["outcome"], Value::from("ready"));
    let log = format!("{said:?}");
    assert!(log.contains("‹secret›") && !log.contains(SECRET), "{log}");
    assert_eq!(holding_it(&host), Vec::<String>::new());
    // A baked directory holds nothing of the instance but what tells it from its copies.
    let mut left: Vec<_> = fs::read_dir(host.path("var/lib/gild")).unwrap().collect();
    left.retain(|entry| !entry.as_ref().unwrap().file_name().is_empty());
    let mut left: Vec<_> = left.into_iter().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["applied.json", "notify", "reports", "state.json"]);
}
