//! One archive: what is accepted, what is refused and why, and what is fetched
//! when.

use std::fs;

use serde_json::Value;

use super::{Host, SCRIPT, Signer, moto, sha256, tar_gz, tar_zst};
use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::place::loopback;

#[test]
fn a_signed_archive_is_run_by_ansible_and_not_fetched_again() {
    let moto = moto();
    let host = Host::new(Some(&moto));
    let signer = Signer::new();
    let archive = tar_gz(&host.playbook("one"));
    moto.put_object("p-123456789012", "web-1.0.tar.gz", &archive);
    let signature = signer.sign(&archive, "gild name=web version=1.0 serial=3");
    moto.put_object("p-123456789012", "web-1.0.tar.gz.minisig", &signature);
    host.configured(&format!(
        "playbook = \"s3://p-{{account}}/web-1.0.tar.gz\"\ntrusted_keys = [\"{}\"]\n\
         require_signature = true",
        signer.key()
    ));
    let (code, report) = host.boot();
    assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("ready")), "{report:#}");
    assert_eq!(host.written(), "one");
    let playbook = &report["playbook"];
    assert_eq!(playbook["source"], "s3://p-123456789012/web-1.0.tar.gz");
    assert_eq!(playbook["state"], "fetched");
    assert_eq!(playbook["sha256"], sha256(&archive));
    assert_eq!(playbook["bytes"], archive.len());
    assert_eq!(playbook["key"].as_str().unwrap().len(), 16);
    assert_eq!((&playbook["name"], &playbook["serial"]), (&"web".into(), &3.into()));
    let phases: Vec<_> = report["phases"].as_array().unwrap().iter().collect();
    let fetch = phases.iter().find(|phase| phase["name"] == "fetch").unwrap();
    assert_eq!(fetch["outcome"], "ok");
    assert!(fetch["duration_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(host.kept(), [sha256(&archive)]);
    assert_eq!(host.good_boot(), ("reused".to_owned(), false));
}

#[test]
fn a_pinned_archive_that_is_there_needs_no_source() {
    let moto = moto();
    let mut host = Host::new(Some(&moto));
    let archive = tar_zst(&host.script("one"));
    moto.put_object("bucket", "x.tar.zst", &archive);
    let lines = format!("playbook = \"s3://bucket/x.tar.zst\"\nsha256 = \"{}\"", sha256(&archive));
    host.configured(&format!("{lines}\n{SCRIPT}"));
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(host.written(), "one");
    host.cut_off();
    drop(moto);
    assert_eq!(host.good_boot(), ("reused".to_owned(), false));
    // As an image that was baked with it: another state, the same directory.
    fs::remove_file(host.path("var/lib/gild/state.json")).unwrap();
    assert_eq!(host.good_boot(), ("reused".to_owned(), true));
    // Something in it was changed: it is not what was checked, and not run.
    let directory = host.path("var/lib/gild/playbooks").join(sha256(&archive));
    fs::write(directory.join("run.sh"), "#!/bin/sh\nexit 0\n").unwrap();
    host.configured(&format!("{lines}\n{SCRIPT}\nfetch_timeout = \"1s\""));
    assert!(host.refused().contains("failed to fetch 's3://bucket/x.tar.zst'"));
}

#[test]
fn a_changed_archive_is_fetched_and_the_one_before_is_kept() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let signer = Signer::new();
    let publish = |text: &str, serial: u64| {
        let archive = tar_gz(&host.script(text));
        web.put("/x.tar.gz", archive.clone());
        web.put("/x.tar.gz.minisig", signer.sign(&archive, &format!("gild serial={serial}")));
        sha256(&archive)
    };
    let configured = |more: &str| {
        host.configured(&format!(
            "playbook = \"{}\"\ntrusted_keys = [\"{}\"]\n{SCRIPT}\n{more}",
            web.url("/x.tar.gz"),
            signer.key()
        ));
    };
    configured("");
    let first = publish("one", 1);
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    web.answers();
    assert_eq!(host.good_boot(), ("reused".to_owned(), false));
    assert_eq!(web.answers(), [("/x.tar.gz".to_owned(), 304)]);

    let second = publish("two", 2);
    let (_, report) = host.boot();
    let reason = report["decision"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("the playbook changed (digest "), "{reason}");
    assert_eq!(host.written(), "two");
    let mut both = [first, second.clone()];
    both.sort();
    assert_eq!(host.kept(), both);

    let third = publish("three", 3);
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    let mut both = [second, third];
    both.sort();
    assert_eq!(host.kept(), both);

    // An old one, however well signed: the new one goes on, and that is said.
    publish("one", 1);
    let (code, report) = host.boot();
    assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("degraded")));
    assert_eq!(report["playbook"]["state"], "last-good");
    let problem = report["problems"][0].as_str().unwrap();
    assert!(problem.contains("its serial 1 is older than 3"), "{problem}");
    assert_eq!(host.written(), "three");

    // A source that is gone: the same. A host that never had one fails.
    web.faults.always("", Fault::Status(500, String::new()));
    configured("fetch_timeout = \"1s\"");
    let (code, report) = host.boot();
    assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("degraded")), "{report:#}");
    assert!(report["problems"].to_string().contains("500"), "{report:#}");
    fs::remove_dir_all(host.path("var/lib/gild/playbooks")).unwrap();
    assert!(host.refused().contains("500"));
}

#[test]
fn what_is_not_as_it_should_be_is_refused_with_the_reason() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let (signer, stranger) = (Signer::new(), Signer::new());
    let archive = tar_gz(&host.script("hostile"));
    web.put("/x.tar.gz", archive.clone());
    web.put("/good.minisig", signer.sign(&archive, "gild serial=1"));
    web.put("/other.minisig", stranger.sign(&archive, "gild serial=1"));
    web.put("/wrong.minisig", signer.sign(b"another archive", "gild serial=1"));
    let url = web.url("/x.tar.gz");
    let refused = |lines: &str| {
        host.configured(&format!("{SCRIPT}\n{lines}"));
        let message = host.refused();
        assert_eq!(host.written(), "", "{message}");
        assert!(host.kept().is_empty(), "{message}");
        message
    };
    let key = format!("trusted_keys = [\"{}\"]", signer.key());
    let zeros = "0".repeat(64);
    for (lines, reason) in [
        (format!("playbook = \"{url}\""), "there is neither"),
        (format!("playbook = \"{url}\"\nsha256 = \"{zeros}\""), "and configuration.sha256 is 0000"),
        (format!("playbook = \"{url}\"\n{key}"), "failed to fetch 'the signature 'http://"),
        (
            format!("playbook = \"{url}\"\n{key}\nsignature = \"{}\"", web.url("/other.minisig")),
            "which is not among configuration.trusted_keys",
        ),
        (
            format!("playbook = \"{url}\"\n{key}\nsignature = \"{}\"", web.url("/wrong.minisig")),
            "is not of this archive",
        ),
        (format!("playbook = \"{url}\"\n{key}\nsignature = \"/etc/none.minisig\""), "none.minisig"),
        // With both, both must hold.
        (
            format!(
                "playbook = \"{url}\"\n{key}\nsha256 = \"{zeros}\"\nsignature = \"{}\"",
                web.url("/good.minisig")
            ),
            "and configuration.sha256 is 0000",
        ),
        (
            format!(
                "playbook = \"{url}\"\nsha256 = \"{}\"\nrequire_signature = true",
                sha256(&archive)
            ),
            "there are no configuration.trusted_keys",
        ),
        (
            format!("playbook = \"s3://b/p/\"\n{key}\nrequire_signature = true"),
            "is a prefix, which nobody signs",
        ),
        (format!("playbook = \"/x\"\nsha256 = \"{zeros}\""), "is about one archive"),
        (
            format!("playbook = \"{}\"\n{key}", web.url("/{tag:name}.tar.gz")),
            "{tag:name} must not stand in what root runs",
        ),
    ] {
        let message = refused(&lines);
        assert!(message.contains(reason), "{lines}: {message}");
    }
    // The same archive with its own signature is run.
    let good = web.url("/good.minisig");
    host.configured(&format!("{SCRIPT}\nplaybook = \"{url}\"\n{key}\nsignature = \"{good}\""));
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
}

#[test]
fn a_remote_layer_names_nothing_of_this_host_where_signatures_are_required() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let signer = Signer::new();
    web.put("/account.toml", "[configuration]\nplaybook = \"/tmp/x\"\nrequire_signature = false\n");
    let scope = format!(
        "require_signature = true\ntrusted_keys = [\"{}\"]\n\
         [scope.account]\nsources = [\"{}\"]",
        signer.key(),
        web.url("/account.toml")
    );
    host.configured(&scope);
    let (code, report) = host.boot();
    let message = report["failure"]["message"].as_str().unwrap();
    assert_eq!(code, Some(1));
    assert!(message.contains("configuration.playbook comes from account http://"), "{message}");
    let refused = report["refused_keys"][0]["key"].as_str().unwrap();
    assert_eq!(refused, "configuration.require_signature");
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let archive = tar_gz(&host.script("one"));
    web.put("/x.tar.gz", archive.clone());
    let url = web.url("/x.tar.gz");
    host.configured(&format!("playbook = \"{url}\"\nsha256 = \"{}\"\n{SCRIPT}", sha256(&archive)));
    web.faults.next("", 2, Fault::CutOff);
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(web.answers().len(), 3);
    assert_eq!(host.written(), "one");
}

#[test]
fn a_step_that_does_not_run_fetches_nothing() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let playbook = format!("playbook = \"{}\"\n{SCRIPT}", web.url("/none.tar.gz"));
    host.configured(&format!("run = \"never\"\n{playbook}"));
    let (code, report) = host.boot();
    assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("ready")), "{report:#}");
    assert!(web.answers().is_empty());
}
