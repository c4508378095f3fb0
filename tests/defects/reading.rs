//! What a boot reads, and what it makes of it.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::fakes::fault::Fault;
use crate::fakes::imds::Instance;
use crate::host::wait_for;
use crate::rig::Rig;

/// A step that shows what it was given.
fn shown(rig: &Rig) -> Value {
    rig.program("bin/step", "#!/bin/sh\ncp \"$GILD_VARS\" \"$(dirname \"$0\")/given.json\"\n");
    let (code, report) = rig.configure(&["--force"]);
    assert_eq!(code, Some(0), "{report:#}");
    crate::rig::json(&rig.path("bin/given.json"))
}

const STEP: &str = "configuration.exec = ['/bin/step']\n";

/// D9: the other half, that what is in it is not run, `step::text` shows with Ansible.
#[test]
fn a_tag_with_spaces_sets_one_variable() {
    let name = "x aws_iam_role=Admin -e b=c '\"";
    let image = format!(
        "{STEP}[scope.service]\nsources = ['tags:gild:']\n\
         import = {{ playbook_name = 'vars.playbook_name' }}\n"
    );
    let rig = Rig::new(&image, &[("playbook_name", name)]);
    let given = shown(&rig);
    assert_eq!(given["playbook_name"], name);
    let names: Vec<_> = given.as_object().unwrap().keys().collect();
    assert_eq!(names, ["gild", "playbook_name"]);
}

/// D10
#[test]
fn a_comment_is_no_value_and_quotes_are_none_of_it() {
    let image = format!(
        "{STEP}[scope.account]\nsources = [{{ url = 'FILES/x', format = 'yaml', into = 'vars' }}]\n"
    );
    let rig = Rig::new(&image, &[]);
    let document = "# environment_id and topic_name: see below\n\
                    environment_id: \"opinion-stg.local\" # not topic_name\n\
                    topic_name: 'errors'\n";
    rig.files.put("/x", document);
    let given = shown(&rig);
    assert_eq!(given["environment_id"], "opinion-stg.local");
    assert_eq!(given["topic_name"], "errors");
    assert_eq!(given.as_object().unwrap().len(), 3, "{given}");
}

/// D11: `local` is the end of every environment's name; and nothing is the end of everything.
#[test]
fn an_environment_loads_its_own_document_and_no_other() {
    let image = format!(
        "{STEP}[scope]\ndeadline = '2s'\n[scope.account]\nsources = ['FILES/account.toml',\n\
         {{ url = 'FILES/main/{{environment}}.toml', required = true }}]\n"
    );
    let rig = Rig::new(&image, &[]);
    for name in ["local", "opinion-stg.local", "opinion-prod.local"] {
        rig.files.put(&format!("/main/{name}.toml"), format!("vars.from = '{name}'\n"));
    }
    let environment = |name: &str| {
        rig.files.put("/account.toml", format!("vars.environment_id = '{name}'\n"));
    };
    for name in ["local", "opinion-stg.local"] {
        environment(name);
        assert_eq!(shown(&rig)["from"], name);
    }
    let asked = rig.files.requests();
    assert!(asked.iter().all(|asked| !asked.path.contains("prod")), "{asked:?}");
    // A typo, and nothing: what was there before stands in, and that is said, or the boot fails.
    for name in ["opinion-sgt.local", ""] {
        environment(name);
        let (_, report) = rig.configure(&["--force"]);
        assert_ne!(report["outcome"], "ready", "{name}: {report:#}");
        let problems = report["problems"].to_string() + &report["failure"].to_string();
        assert!(problems.contains("/main/"), "{name}: {problems}");
    }
}

/// D13
#[test]
fn a_page_that_says_404_is_no_name_and_an_id_may_have_any_length() {
    let image = format!(
        "{STEP}[scope.service]\nsources = ['tags:gild:']\n\
         import = {{ playbook_name = 'vars.playbook_name', Name = 'vars.name' }}\n"
    );
    let rig = Rig::new(&image, &[("Name", "web-1")]);
    // The list says that there is one, and asked for it the service shows its page.
    rig.imds.set("/latest/meta-data/tags/instance", Some("Name\nplaybook_name"));
    let given = shown(&rig);
    assert_eq!(given["name"], "web-1");
    assert_eq!(given.get("playbook_name"), None, "{given}");
    for id in ["i-1a2b3c4d", "i-0123456789abcdef0123456789"] {
        let tags = [("Name".to_owned(), "web-1".to_owned())].into();
        rig.imds.describe(&Instance { id: id.to_owned(), tags, ..Instance::default() });
        assert_eq!(shown(&rig)["gild"]["instance_id"], id);
        assert_eq!(rig.report()["instance_id"], id);
    }
}

/// D14
#[test]
fn a_tag_cannot_name_a_secret_or_who_is_told() {
    let hook = "https://discord.com/api/webhooks/1/token-in-a-tag";
    let tags = [
        ("gild:notify.deploy", r#"{"type": "discord", "url": "https://evil.example/x"}"#),
        ("gild:notify.deploy.url", hook),
        ("gild:configuration.vault_password", r#"{"file": "/etc/shadow"}"#),
        ("gild:vars.password", r#"{"secretsmanager": "root_password"}"#),
        ("gild:vars.fine", "1"),
    ];
    for left_out in [0, 1] {
        // Both of the first two together contradict each other.
        let mut tags = tags.to_vec();
        tags.remove(left_out);
        let image = format!("{STEP}[scope.service]\nsources = ['tags:gild:']\n");
        let rig = Rig::new(&image, &tags);
        let given = shown(&rig);
        assert_eq!(given["fine"], "1");
        // At most as the text that it is.
        assert!(!given["password"].is_object(), "{given}");
        let handed = crate::rig::json(&rig.path("run/gild/config.json"));
        let config = &handed["config"];
        assert!(config["notify"].is_null() || config["notify"] == json!({}), "{config:#}");
        let refused = rig.report()["refused_keys"].to_string();
        assert!(refused.contains("notify") && refused.contains("configuration"), "{refused}");
        assert!(!refused.contains("token-in-a-tag"), "{refused}");
    }
}

/// D15, D17: what a server says when it fails is not what was asked for.
#[test]
fn an_error_page_is_neither_a_document_nor_a_playbook() {
    let image = "[scope.account]\nsources = ['FILES/account.toml']\n\
                 [configuration]\nplaybook = 'FILES/main.tar.gz'\nfetch_timeout = '2s'\n";
    let zeros = "0".repeat(64);
    let page = "<!DOCTYPE html><html><body>#!/bin/sh\ntouch harm</body></html>";
    let rig = Rig::new(&format!("{image}sha256 = '{zeros}'\nexec = ['./main.sh']\n"), &[]);
    for (place, text) in [("/account.toml", "vars.fine = 1\n"), ("/main.tar.gz", page)] {
        rig.files.put(place, text);
    }
    let (code, report) = rig.configure(&[]);
    assert_eq!(code, Some(1), "{report:#}");
    assert!(report["failure"].to_string().contains("main.tar.gz"), "{report:#}");
    rig.files.put("/account.toml", page);
    let (_, report) = rig.configure(&[]);
    let mut sources = report["sources"].as_array().unwrap().iter();
    let source = sources.find(|source| source["source"] == rig.files.url("/account.toml"));
    assert_eq!(source.unwrap()["state"], "last-good", "{report:#}");
    // Nobody else was asked for anything.
    let mut asked: Vec<_> = rig.files.requests().into_iter().map(|asked| asked.path).collect();
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["/account.toml", "/main.tar.gz"]);
}

/// D21
#[test]
fn a_daemon_whose_sources_all_hang_is_there_at_once() {
    let image = "[scope]\ndeadline = '2s'\nattempt_timeout = '1s'\nrefresh = '1s'\n\
                 [scope.global]\nsources = ['FILES/global.toml']\n";
    let rig = Rig::new(image, &[]);
    rig.files.faults.always("/", Fault::Hang);
    rig.imds.faults.always("/", Fault::Hang);
    let begun = Instant::now();
    let _daemon = rig.started(&["run"]);
    wait_for("daemon", || rig.status().0 != Some(5));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // It measures all the same.
    let collected = || rig.ask(Method::GET, "/v1/status")["collectors"]["memory"]["ok"] == true;
    wait_for("sample", collected);
}
