//! Archives that are signed as they should be and hostile all the same, and archives that
//! changed on their way: each is refused with the reason, nothing of it is run or kept, and
//! nothing is written outside. What the unpacker refuses besides stands beside it.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::{Host, SCRIPT, Signer, tar, tar_gz, tar_zst};
use crate::fakes::http::Files;
use crate::fakes::place::loopback;

/// One entry, whatever it says, as a block of a tar archive.
fn entry(kind: EntryType, name: &str, link: &str, promised: u64, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name.as_bytes());
    old.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o6755);
    header.set_size(promised);
    header.set_cksum();
    let mut block = header.as_bytes().to_vec();
    block.extend_from_slice(content);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

fn file(name: &str) -> Vec<u8> {
    entry(EntryType::Regular, name, "", 4, b"harm")
}

fn link(kind: EntryType, name: &str, target: &str) -> Vec<u8> {
    entry(kind, name, target, 0, b"")
}

fn packed(tar: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(tar).unwrap();
    packer.finish().unwrap()
}

/// The script that must not run, and after it what makes the archive hostile.
fn with(host: &Host, entries: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = tar(&host.script("hostile"));
    archive.truncate(archive.len() - 1024);
    archive.extend(entries.concat());
    archive.resize(archive.len() + 1024, 0);
    packed(&archive)
}

/// Everything below the root that is not gild's own, with its kind, size and time.
fn outside(host: &Host) -> BTreeMap<PathBuf, (u32, u64, i64)> {
    fn walk(path: &Path, own: &[PathBuf], found: &mut BTreeMap<PathBuf, (u32, u64, i64)>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if own.contains(&path) {
                continue;
            }
            let about = std::fs::symlink_metadata(&path).unwrap();
            if about.is_dir() {
                walk(&path, own, found);
            }
            found.insert(path, (about.mode(), about.size(), about.mtime_nsec()));
        }
    }
    let own = ["run/gild", "var/lib/gild", "etc/gild"].map(|path| host.path(path));
    let mut found = BTreeMap::new();
    walk(&host.path(""), &own, &mut found);
    found
}

/// A host that runs what this signer signs, and the server that it fetches it from.
struct Fetching {
    host: Host,
    web: Files,
    signer: Signer,
}

impl Fetching {
    fn new(name: &str) -> Self {
        let (host, web, signer) = (Host::new(None), Files::start(loopback()), Signer::new());
        host.configured(&format!(
            "playbook = \"{}\"\ntrusted_keys = [\"{}\"]\nrequire_signature = true\n\
             fetch_timeout = \"10s\"\n{SCRIPT}",
            web.url(name),
            signer.key()
        ));
        Self { host, web, signer }
    }

    fn publish(&self, name: &str, archive: &[u8], signed: &[u8]) {
        self.web.put(name, archive);
        self.web.put(&format!("{name}.minisig"), self.signer.sign(signed, "gild serial=1"));
    }

    /// It is refused for this reason, and has changed nothing.
    #[track_caller]
    fn refuses(&self, what: &str, reason: &str) {
        let before = outside(&self.host);
        let message = self.host.refused();
        assert!(message.contains(reason), "{what}: {message}");
        assert_eq!(self.host.written(), "", "{what} was run");
        assert!(self.host.kept().is_empty(), "{what} is kept: {:?}", self.host.kept());
        assert_eq!(outside(&self.host), before, "{what}");
    }
}

#[test]
fn a_signed_archive_that_is_hostile_is_refused_with_the_reason() {
    use EntryType::{Block, Char, Fifo, Link, Regular, Symlink};
    let name = "/x.tar.gz";
    let fetching = Fetching::new(name);
    let up = "../../../../../etc";
    let device = |kind| entry(kind, "null", "", 0, b"");
    let through = [link(Symlink, "here", "."), file("here/run.sh")];
    let pieces = [
        link(Symlink, "a", "."),
        link(Symlink, "b", "a/.."),
        link(Symlink, "out", &format!("b/{up}")),
    ];
    for (what, entries, reason) in [
        ("a name with ..", vec![file(&format!("{up}/harm"))], "a name that is refused"),
        ("an absolute name", vec![file("/etc/harm")], "a name that is refused"),
        ("a link out", vec![link(Symlink, "out", up)], "a link that is refused"),
        ("an absolute link", vec![link(Symlink, "out", "/etc")], "a link that is refused"),
        ("a hard link out", vec![link(Link, "out", "/etc/passwd")], "a link that is refused"),
        ("a hard link to nothing", vec![link(Link, "out", "none")], "leads to no file"),
        ("a link in pieces", pieces.to_vec(), "a link that is refused"),
        ("a file through a link", through.to_vec(), "lies below what is no directory"),
        ("a second script", vec![file("run.sh")], "holds 'run.sh' twice"),
        ("a device", vec![device(Char)], "it may hold files, directories and links"),
        ("a disk", vec![device(Block)], "it may hold files, directories and links"),
        ("a pipe", vec![device(Fifo)], "it may hold files, directories and links"),
        ("a bomb", vec![entry(Regular, "bomb", "", 1 << 40, b"x")], "holds more than 1024 MiB"),
    ] {
        let archive = with(&fetching.host, &entries);
        fetching.publish(name, &archive, &archive);
        fetching.refuses(what, reason);
    }
    // What is left of an archive that is not whole, signed as if it were.
    let whole = tar(&fetching.host.script("hostile"));
    let packed_whole = packed(&whole);
    for (what, archive) in [
        ("a tar that was cut", packed(&whole[..whole.len() - 1400])),
        ("a gzip that was cut", packed_whole[..packed_whole.len() - 9].to_vec()),
        ("a page", b"<!DOCTYPE html>".to_vec()),
        ("nothing", Vec::new()),
        ("another packing", tar_zst(&fetching.host.script("hostile"))),
    ] {
        fetching.publish(name, &archive, &archive);
        fetching.refuses(what, "failed to unpack the archive");
    }
    // The host is none the worse, and drops the rights that nobody needs.
    let good = with(&fetching.host, &[file("suid")]);
    fetching.publish(name, &good, &good);
    assert_eq!(fetching.host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(fetching.host.written(), "hostile");
    let kept = fetching.host.path("var/lib/gild/playbooks").join(&fetching.host.kept()[0]);
    let mode = std::fs::metadata(kept.join("suid")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o755);
}

#[test]
fn an_archive_that_changed_on_its_way_is_refused_with_the_reason() {
    let name = "/x.tar.gz";
    let fetching = Fetching::new(name);
    let good = tar_gz(&fetching.host.script("good"));
    let swapped = tar_gz(&fetching.host.script("evil"));
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for (what, archive) in [
        ("a swapped file", swapped),
        ("a flipped bit", flipped),
        ("half of it", good[..good.len() / 2].to_vec()),
        ("more than it", [&good[..], b"more"].concat()),
        ("nothing", Vec::new()),
    ] {
        fetching.publish(name, &archive, &good);
        fetching.refuses(what, "is not of this archive");
    }
    fetching.web.put(&format!("{name}.minisig"), "untrusted comment: none\n");
    fetching.refuses("no signature", "failed to verify the signature");
    fetching.publish(name, &good, &good);
    assert_eq!(fetching.host.good_boot(), ("fetched".to_owned(), true));
    assert_eq!(fetching.host.written(), "good");
}

#[test]
fn an_older_version_is_refused_with_the_reason_also_where_no_newer_one_is_left() {
    let name = "/x.tar.gz";
    let fetching = Fetching::new(name);
    let publish = |text: &str, serial: u64| {
        let archive = tar_gz(&fetching.host.script(text));
        let comment = format!("gild name=web serial={serial}");
        fetching.web.put(name, &archive);
        fetching.web.put(&format!("{name}.minisig"), fetching.signer.sign(&archive, &comment));
    };
    publish("new", 7);
    assert_eq!(fetching.host.good_boot(), ("fetched".to_owned(), true));
    for kept in fetching.host.kept() {
        let kept = fetching.host.path("var/lib/gild/playbooks").join(kept);
        if kept.is_dir() {
            std::fs::remove_dir_all(kept).unwrap();
        }
    }
    publish("old", 6);
    let message = fetching.host.refused();
    assert!(message.contains("its serial 6 is older than 7"), "{message}");
    assert_eq!(fetching.host.written(), "new");
}
