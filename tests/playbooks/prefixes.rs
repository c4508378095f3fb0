//! A prefix of a bucket: the older layout, whole or not at all.

use serde_json::Value;

use super::{Host, moto, sha256};
use crate::fakes::moto::Moto;

const PREFIX: &str = "playbooks/web/1.0/";

fn publish(moto: &Moto, files: &[(String, String)]) {
    for (name, content) in files {
        moto.put_object("bucket", &format!("{PREFIX}{name}"), content);
    }
}

fn configured(host: &Host, more: &str) {
    host.configured(&format!("playbook = \"s3://bucket/{PREFIX}\"\n{more}"));
}

/// Objects are no programs, so the script is handed to a shell.
const SHELL: &str = "exec = [\"sh\", \"run.sh\"]";

#[test]
fn a_prefix_is_run_and_fetched_again_when_it_changes() {
    let moto = moto();
    let mut host = Host::new(Some(&moto));
    configured(&host, "");
    assert!(host.refused().contains("failed to fetch 's3://bucket/playbooks/web/1.0/'"));
    publish(&moto, &host.playbook("one"));
    // What the older scripts leave out.
    moto.put_object("bucket", &format!("{PREFIX}.git/config"), "x");
    moto.put_object("bucket", &format!("{PREFIX}roles/.hidden"), "x");
    moto.put_object("bucket", &format!("{PREFIX}roles/a/tasks/main.yml"), "[]");
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(host.written(), "one");
    let kept = host.kept();
    assert_eq!(kept.len(), 1);
    let tree = host.path("var/lib/gild/playbooks").join(&kept[0]);
    assert!(tree.join("roles/a/tasks/main.yml").is_file());
    assert!(!tree.join(".git").exists() && !tree.join("roles/.hidden").exists());
    assert_eq!(host.good_boot(), ("reused".to_owned(), false));

    configured(&host, SHELL);
    publish(&moto, &host.script("two"));
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(host.written(), "two");

    // The bucket is gone: what was run last stands in.
    drop(moto);
    host.cut_off();
    configured(&host, &format!("{SHELL}\nfetch_timeout = \"1s\""));
    let (code, report) = host.boot();
    assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("degraded")), "{report:#}");
    assert_eq!(report["playbook"]["state"], "last-good");
}

#[test]
fn a_prefix_is_whole_where_its_manifest_says_so() {
    let moto = moto();
    let host = Host::new(Some(&moto));
    configured(&host, SHELL);
    let mut files = host.script("one");
    files.push(("vars.yml".to_owned(), "{}".to_owned()));
    let entry = |(name, content): &(String, String)| {
        (name.clone(), Value::from(sha256(content.as_bytes())))
    };
    let listed: serde_json::Map<String, Value> = files.iter().map(entry).collect();
    let manifest = serde_json::json!({ "files": listed }).to_string();
    moto.put_object("bucket", &format!("{PREFIX}manifest.json"), manifest);
    // The manifest is there, and not all that it lists.
    publish(&moto, &files[..1]);
    let message = host.refused();
    assert!(message.contains("'vars.yml' is missing"), "{message}");
    assert!(host.kept().is_empty());
    publish(&moto, &files);
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    // More than it lists, and another content: there is no time for a second look.
    configured(&host, &format!("{SHELL}\nfetch_timeout = \"1s\""));
    moto.put_object("bucket", &format!("{PREFIX}more.yml"), "[]");
    let (_, report) = host.boot();
    assert!(report["problems"].to_string().contains("'more.yml' is not in"), "{report:#}");
    moto.remove_object("bucket", &format!("{PREFIX}more.yml"));
    publish(&moto, &host.script("two"));
    let (_, report) = host.boot();
    assert!(report["problems"].to_string().contains("'run.sh' is another file"), "{report:#}");
    assert_eq!(host.written(), "one");
}
