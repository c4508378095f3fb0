//! Killed in the middle: nothing half is ever run, and the next boot trips over
//! nothing.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::{Host, SCRIPT, sha256, tar_gz};
use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::place::loopback;
use crate::fakes::wait::until;

/// Starts a boot and kills it as soon as something below the directory of
/// playbooks is as `reached` says.
fn killed_when(host: &Host, what: &str, reached: impl Fn(&std::path::Path) -> bool) {
    let mut command = host.command();
    let mut boot: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until(what, Duration::from_secs(30), || {
        let entries = fs::read_dir(host.path("var/lib/gild/playbooks")).into_iter().flatten();
        let work = entries.flatten().map(|entry| entry.path()).find(|path| reached(path));
        work.map(|_| ()).ok_or_else(|| "not yet".to_owned())
    });
    boot.kill().unwrap();
    boot.wait().unwrap();
}

fn nothing_is_left(host: &Host, archive: &[u8]) {
    assert_eq!(host.kept(), [sha256(archive)]);
    let records = fs::read_dir(host.path("var/lib/gild/playbooks")).unwrap().count();
    assert_eq!(records, 2, "the directory and its record");
}

#[test]
fn a_download_that_is_killed_begins_anew() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let archive = tar_gz(&host.script("one"));
    web.put("/x.tar.gz", archive.clone());
    let url = web.url("/x.tar.gz");
    host.configured(&format!("playbook = \"{url}\"\nsha256 = \"{}\"\n{SCRIPT}", sha256(&archive)));
    web.faults.always("", Fault::Stall);
    for _ in 0..2 {
        killed_when(&host, "half an archive", |work| {
            work.join("archive").metadata().is_ok_and(|about| about.len() > 0)
        });
        assert_eq!(host.written(), "");
    }
    web.faults.clear();
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(host.written(), "one");
    nothing_is_left(&host, &archive);
}

#[test]
fn an_archive_that_is_killed_while_it_is_unpacked_is_unpacked_anew() {
    let web = Files::start(loopback());
    let host = Host::new(None);
    let mut files: Vec<_> =
        (0..5_000).map(|n| (format!("roles/r{}/f{n}", n % 50), "x".repeat(200))).collect();
    // The entry is the first of all: what is half unpacked could be run.
    files.splice(0..0, host.script("one"));
    let archive = tar_gz(&files);
    web.put("/x.tar.gz", archive.clone());
    let url = web.url("/x.tar.gz");
    host.configured(&format!("playbook = \"{url}\"\nsha256 = \"{}\"\n{SCRIPT}", sha256(&archive)));
    for part in ["tree/run.sh", "tree/roles/r40"] {
        killed_when(&host, part, |work| work.join(part).exists());
        assert_eq!(host.written(), "");
    }
    assert_eq!(host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(host.written(), "one");
    nothing_is_left(&host, &archive);
}
