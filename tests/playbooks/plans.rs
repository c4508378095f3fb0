//! `gild configure --plan`: it shows what would change, and changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Host, Signer, sha256, tar_gz};
use crate::fakes::chat::Chat;
use crate::fakes::http::Files;
use crate::fakes::place::loopback;

/// Everything below a directory: contents, modes, and when it was changed last.
fn everything(directory: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let about = fs::symlink_metadata(&path).unwrap();
            if about.is_dir() {
                open.push(path.clone());
            }
            let content = fs::read(&path).unwrap_or_default();
            found.insert(path, (about.mode(), about.mtime(), about.mtime_nsec(), content));
        }
    }
    found
}

/// What gild keeps, but for the file that is its lock.
fn kept(host: &Host) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
    let mut kept = everything(&host.path("var/lib/gild"));
    kept.extend(everything(&host.path("run/gild")));
    kept.remove(&host.path("run/gild/configure.lock"));
    kept
}

/// A plan that must change nothing: its exit code and what it shows.
fn plan(host: &Host) -> (Option<i32>, String) {
    let before = kept(host);
    let scratch = host.path("tmp");
    fs::create_dir_all(&scratch).unwrap();
    let mut command = host.gild(&["configure", "--plan"]);
    let output = command.env("TMPDIR", &scratch).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let after = kept(host);
    for (path, what) in &after {
        assert_eq!(before.get(path), Some(what), "{}", path.display());
    }
    assert_eq!(before.len(), after.len());
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "what was fetched is left behind");
    (output.status.code(), shown)
}

#[test]
fn a_plan_shows_what_would_change_and_keeps_nothing() {
    let web = Files::start(loopback());
    let chat = Chat::start(loopback());
    let host = Host::new(None);
    let signer = Signer::new();
    fs::write(host.path("secret"), "correct horse battery staple").unwrap();
    let publish = |text: &str, serial: u64| {
        let archive = tar_gz(&host.playbook(text));
        web.put("/x.tar.gz", archive.clone());
        web.put("/x.tar.gz.minisig", signer.sign(&archive, &format!("gild serial={serial}")));
        sha256(&archive)
    };
    let configured = |vars: &str| {
        host.configured(&format!(
            "playbook = \"{}\"\ntrusted_keys = [\"{}\"]\n\
             [notify.c]\ntype = \"discord\"\nurl = \"{}\"\n\
             [scope.account]\nsources = [\"{}\"]\n[vars]\nkey = {{ file = \"/secret\" }}\n{vars}",
            web.url("/x.tar.gz"),
            signer.key(),
            chat.webhook("c"),
            web.url("/account.toml"),
        ));
    };
    web.put("/account.toml", "[vars]\nremote = 1\n");
    publish("one", 1);
    configured("x = 1\nold = true\n");

    // Before anything has been applied.
    let (code, shown) = plan(&host);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.starts_with("nothing has been applied on this instance yet\n"), "{shown}");
    assert!(shown.contains("the step would run: first boot of this instance"), "{shown}");
    assert!(shown.contains("changed") && shown.contains("write"), "{shown}");
    assert_eq!(host.written(), "");
    assert!(host.kept().is_empty());

    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    let (_, shown) = plan(&host);
    assert!(shown.contains("no difference\n"), "{shown}");
    assert!(shown.contains("the step would not run: nothing has changed since"), "{shown}");

    // Another playbook, another remote document, other variables.
    publish("two", 2);
    web.put("/account.toml", "[vars]\nremote = 2\n");
    configured("x = 2\nnew = \"correct horse battery staple\"\n");
    let told = chat.posted("c").len();
    let (code, shown) = plan(&host);
    assert_eq!(code, Some(0), "{shown}");
    for line in [
        "- vars.old = true",
        "+ vars.new = \"‹secret›\"",
        "- vars.x = 1",
        "+ vars.x = 2",
        "- vars.remote = 1",
        "+ vars.remote = 2",
        "4 differences\n",
        "the step would run: the configuration changed",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(shown.contains("local ") && shown.contains("account http://"), "{shown}");
    assert!(shown.contains("changed") && shown.contains("write"), "{shown}");
    assert!(!shown.contains("correct horse"), "{shown}");
    assert_eq!(host.written(), "one");
    assert_eq!(chat.posted("c").len(), told);
    // The serial was not recorded, so an older playbook than the planned one is still
    // good; nor was the playbook, which is fetched when it is wanted.
    publish("three", 1);
    let (_, report) = host.boot();
    assert_eq!(report["playbook"]["state"], "fetched", "{report:#}");
    assert_eq!(report["outcome"], "ready", "{report:#}");
    assert_eq!(host.written(), "three");
}

#[test]
fn a_plan_of_what_is_there_fetches_nothing() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let archive = tar_gz(&host.playbook("one"));
    web.put("/x.tar.gz", archive.clone());
    let url = web.url("/x.tar.gz");
    host.configured(&format!("playbook = \"{url}\"\nsha256 = \"{}\"", sha256(&archive)));
    host.good_boot();
    web.answers();
    assert_eq!(plan(&host).0, Some(0));
    assert!(web.answers().is_empty());
}

#[test]
fn a_plan_that_cannot_be_made_says_so_and_changes_nothing() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    host.configured(&format!(
        "playbook = \"{}\"\nsha256 = \"{}\"\nfetch_timeout = \"1s\"",
        web.url("/none.tar.gz"),
        "0".repeat(64)
    ));
    let (code, shown) = plan(&host);
    assert_eq!(code, Some(1), "{shown}");
    assert!(!host.path("run/gild/report.json").exists());
}
