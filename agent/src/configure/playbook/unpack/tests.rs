//! Archives of every hostile kind, made here: nothing of them is ever written
//! outside.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use proptest::prelude::*;
use tar::Header;

use super::*;

const SMALL: Limits = Limits { entries: 50, bytes: 1 << 20, deadline: None };

/// An archive that is made entry by entry, whatever it says.
#[derive(Default, Clone)]
struct Made(Vec<u8>);

impl Made {
    fn entry(self, kind: EntryType, name: &[u8], link: &[u8], content: &[u8]) -> Self {
        self.with_mode(kind, name, link, content, 0o644)
    }

    fn with_mode(
        mut self,
        kind: EntryType,
        name: &[u8],
        link: &[u8],
        content: &[u8],
        mode: u32,
    ) -> Self {
        let mut header = Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.entry(EntryType::Regular, name.as_bytes(), b"", content.as_bytes())
    }

    fn directory(self, name: &str) -> Self {
        self.with_mode(EntryType::Directory, name.as_bytes(), b"", b"", 0o755)
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, name.as_bytes(), target.as_bytes(), b"")
    }

    fn hard(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Link, name.as_bytes(), target.as_bytes(), b"")
    }

    fn pax(self, records: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (key, value) in records {
            let rest = format!(" {key}={value}\n");
            let length = (rest.len() + 1..).find(|n| n.to_string().len() + rest.len() == *n);
            text.push_str(&format!("{}{rest}", length.unwrap()));
        }
        self.entry(EntryType::XHeader, b"pax", b"", text.as_bytes())
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

/// A place to unpack into, with something beside it that must stay as it is.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("outside")).unwrap();
        fs::write(directory.path().join("outside/secret"), "secret").unwrap();
        Self(directory)
    }

    fn tree(&self) -> PathBuf {
        self.0.path().join("tree")
    }

    /// Unpacks, and checks that nothing outside has changed and nothing inside
    /// leads there.
    fn unpack(&self, archive: &[u8], limits: &Limits) -> Result<(), UnpackError> {
        let result = unpack(archive, &self.tree(), limits);
        let mut beside: Vec<_> =
            fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        beside.sort();
        assert_eq!(beside, ["outside", "tree"]);
        let outside: Vec<_> = fs::read_dir(self.0.path().join("outside")).unwrap().collect();
        assert_eq!(outside.len(), 1);
        assert_eq!(fs::read(self.0.path().join("outside/secret")).unwrap(), b"secret");
        inside(&self.tree(), &fs::canonicalize(self.tree()).unwrap());
        result
    }
}

/// Everything below a directory is a plain file, a directory or a link that
/// stays below `root`, and nobody else's.
fn inside(directory: &Path, root: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let about = fs::symlink_metadata(&path).unwrap();
        if about.is_symlink() {
            if let Ok(target) = fs::canonicalize(&path) {
                assert!(target.starts_with(root), "{} leads to {target:?}", path.display());
            }
            continue;
        }
        assert!(about.is_dir() || about.is_file(), "{}", path.display());
        assert_eq!(about.permissions().mode() & 0o7022, 0, "{}", path.display());
        if about.is_dir() {
            inside(&path, root);
        }
    }
}

fn refused(archive: &[u8]) -> UnpackError {
    Place::new().unpack(archive, &SMALL).unwrap_err()
}

#[test]
fn files_directories_and_links_inside_are_unpacked() {
    let archive = Made::default()
        .directory("./")
        .directory("./roles/")
        .with_mode(EntryType::Regular, b"./roles/run.sh", b"", b"#!/bin/sh", 0o4777)
        .file("main.yml", "[]")
        .link("roles/main.yml", "../main.yml")
        .link("roles/here", "./run.sh")
        .hard("again.yml", "./main.yml")
        .entry(EntryType::Regular, b"old/", b"", b"")
        .file("deep/er/x", "x")
        .end();
    let place = Place::new();
    place.unpack(&archive, &SMALL).unwrap();
    let read = |name: &str| fs::read_to_string(place.tree().join(name)).unwrap();
    for name in ["main.yml", "roles/main.yml", "again.yml"] {
        assert_eq!(read(name), "[]", "{name}");
    }
    assert_eq!(read("deep/er/x"), "x");
    assert!(place.tree().join("old").is_dir());
    let mode =
        |name: &str| fs::metadata(place.tree().join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("roles/run.sh"), mode("main.yml")), (0o755, 0o644));
}

#[test]
fn names_that_lead_out_are_refused() {
    for name in ["../x", "/etc/x", "a/../../x", "..", "a\nb", "\u{1b}]0;x"] {
        for archive in [
            Made::default().file(name, "x"),
            Made::default().directory(name),
            Made::default().link(name, "a"),
        ] {
            let error = refused(&archive.end());
            assert!(matches!(error, UnpackError::Name { .. }), "{name:?}: {error}");
            assert!(!error.to_string().contains(['\n', '\u{1b}']));
        }
    }
}

#[test]
fn links_that_lead_out_are_refused() {
    for target in ["../outside", "/etc", "../outside/secret", "a/../../outside", ""] {
        let error = refused(&Made::default().link("l", target).end());
        assert!(matches!(error, UnpackError::Link { .. }), "{target}: {error}");
    }
    for target in ["../outside/secret", "/etc/passwd"] {
        let error = refused(&Made::default().hard("l", target).end());
        assert!(matches!(error, UnpackError::Link { .. }), "{target}: {error}");
    }
    // To itself, to nothing, to a directory, and through a link.
    for archive in [
        Made::default().hard("l", "l"),
        Made::default().hard("l", "later").file("later", ""),
        Made::default().directory("d").hard("l", "d"),
        Made::default().directory("d").file("d/f", "").link("s", "d").hard("l", "s/f"),
        Made::default().link("s", "x").hard("l", "s"),
    ] {
        let error = refused(&archive.end());
        assert!(matches!(error, UnpackError::Target { .. }), "{error}");
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    // The links themselves stay inside; what comes after them uses them as
    // directories, or as files to be replaced.
    let links = Made::default().directory("d").link("s", "d").link("t", "d/f");
    for archive in [
        links.clone().file("s/x", "x"),
        links.clone().directory("s/x"),
        links.clone().link("s/x", "y"),
        links.clone().file("t/x", "x"),
        links.clone().directory("s"),
        links.clone().file("s", "x"),
        links.clone().file("t", "x"),
        links.clone().file("g", "").hard("s", "g"),
    ] {
        let error = refused(&archive.end());
        let fine = matches!(error, UnpackError::Twice { .. } | UnpackError::NotBelow { .. });
        assert!(fine, "{error}");
    }
    // Each step is harmless by itself; together they would lead out.
    let error = refused(
        &Made::default()
            .directory("a")
            .directory("a/b")
            .link("a/b/up", "../..")
            .link("out", "a/b/up/../outside")
            .file("out/x", "x")
            .end(),
    );
    assert!(matches!(error, UnpackError::Link { .. }), "{error}");
}

#[test]
fn a_name_stands_for_one_thing() {
    for archive in [
        Made::default().file("a", "1").file("a", "2"),
        Made::default().file("a", "1").file("./a", "2"),
        Made::default().file("a", "1").directory("a"),
        Made::default().directory("a").file("a", "1"),
        Made::default().directory("a").link("a", "b"),
        Made::default().file("a", "1").file("a/b", "2"),
        Made::default().file("", "1"),
        Made::default().link("./", "a"),
    ] {
        let error = refused(&archive.end());
        let fine = matches!(error, UnpackError::Twice { .. } | UnpackError::NotBelow { .. });
        assert!(fine, "{error}");
    }
    let twice = Made::default().directory("a").directory("a/").file("a/b", "").end();
    Place::new().unpack(&twice, &SMALL).unwrap();
}

#[test]
fn devices_pipes_and_unknown_kinds_are_refused() {
    for kind in [b'3', b'4', b'6', b'S', b'V', b'M', b'D', b'A', 0xff] {
        let error = refused(&Made::default().entry(EntryType::new(kind), b"x", b"", b"").end());
        assert!(matches!(error, UnpackError::Kind { .. }), "{kind}: {error}");
    }
    let content = Made::default().entry(EntryType::Directory, b"d", b"", b"content").end();
    assert!(matches!(refused(&content), UnpackError::Extension(_)));
}

#[test]
fn long_names_are_taken_whole_and_within_limits() {
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    let gnu = |name: &str| {
        let with_nul = format!("{name}\0");
        Made::default()
            .entry(EntryType::GNULongName, b"././@LongLink", b"", with_nul.as_bytes())
            .file("cut", "x")
    };
    let pax =
        |name: &str| Made::default().pax(&[("path", name), ("mtime", "1.5")]).file("cut", "x");
    for archive in [gnu(&long), pax(&long)] {
        let place = Place::new();
        place.unpack(&archive.end(), &SMALL).unwrap();
        assert_eq!(fs::read(place.tree().join(&long)).unwrap(), b"x");
    }
    let longer = "x/".repeat(600);
    let part = "x".repeat(256);
    for name in ["../x", "/x", "a/../../x", &longer, &part] {
        for archive in [gnu(name), pax(name)] {
            let error = refused(&archive.end());
            assert!(matches!(error, UnpackError::Name { .. }), "{name}: {error}");
        }
    }
    let link = Made::default().pax(&[("linkpath", "../outside")]).link("l", "fine").end();
    assert!(matches!(refused(&link), UnpackError::Link { .. }));
}

#[test]
fn headers_that_two_readers_would_read_differently_are_refused() {
    let huge = "x".repeat(70 << 10);
    for archive in [
        Made::default().pax(&[("size", "0")]).file("a", "content"),
        Made::default().pax(&[("size", "99999999999999999999")]).file("a", ""),
        Made::default().pax(&[("path", "a"), ("path", "b")]).file("c", ""),
        Made::default().pax(&[("path", "a")]).pax(&[("path", "b")]).file("c", ""),
        Made::default().pax(&[("GNU.sparse.realsize", "9")]).file("a", ""),
        Made::default().entry(EntryType::XGlobalHeader, b"g", b"", b"10 path=a\n").file("b", ""),
        Made::default().entry(EntryType::XHeader, b"x", b"", b"99 path=a\n").file("b", ""),
        Made::default().entry(EntryType::GNULongName, b"L", b"", huge.as_bytes()).file("b", ""),
        Made::default().pax(&[("path", "a")]),
    ] {
        let error = refused(&archive.end());
        assert!(matches!(error, UnpackError::Extension(_)), "{error}");
    }
    // What `git archive` writes.
    let comment = Made::default()
        .entry(EntryType::XGlobalHeader, b"pax_global_header", b"", b"16 comment=abcd\n")
        .file("a", "")
        .end();
    Place::new().unpack(&comment, &SMALL).unwrap();
}

#[test]
fn bombs_end_at_the_caps() {
    let mut many = Made::default();
    for number in 0..60 {
        many = many.file(&number.to_string(), "");
    }
    assert!(matches!(refused(&many.end()), UnpackError::TooMany(50)));
    // Directories that nobody lists count as well.
    let deep = "d/".repeat(40) + "f";
    let other = "e/".repeat(40) + "f";
    let deep = Made::default().file(&deep, "").file(&other, "").end();
    assert!(matches!(refused(&deep), UnpackError::TooMany(50)));
    let mut headers = Made::default();
    for _ in 0..300 {
        headers = headers.pax(&[("mtime", "1")]);
    }
    assert!(matches!(refused(&headers.end()), UnpackError::TooMany(50)));

    let large = "x".repeat(600 << 10);
    let two = Made::default().file("a", &large).file("b", &large).end();
    assert!(matches!(refused(&two), UnpackError::TooLarge(_)));
    // A header that promises more than there is, or than any disk holds.
    for size in [2u64 << 20, u64::MAX >> 1] {
        let mut archive = Made::default().file("a", "").end();
        let mut header = Header::from_byte_slice(&archive[..512]).clone();
        header.set_size(size);
        header.set_cksum();
        archive[..512].copy_from_slice(header.as_bytes());
        assert!(matches!(refused(&archive), UnpackError::TooLarge(_)), "{size}");
    }
    let late = Limits { deadline: Some(Instant::now() - Duration::from_secs(1)), ..SMALL };
    let error = Place::new().unpack(&Made::default().end(), &late).unwrap_err();
    assert!(matches!(error, UnpackError::TooLate));
}

#[test]
fn a_thousandfold_ratio_ends_at_the_cap_too() {
    use std::io::Write;
    let content = vec![0; 8 << 20];
    let archive = Made::default().entry(EntryType::Regular, b"zeros", b"", &content).end();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&archive).unwrap();
    let packed = packer.finish().unwrap();
    assert!(packed.len() < archive.len() / 500);
    let read = super::super::packing::Packing::Gzip.read(io::Cursor::new(packed));
    let place = Place::new();
    let error = unpack(read, &place.tree(), &SMALL).unwrap_err();
    assert!(matches!(error, UnpackError::TooLarge(_)), "{error}");
}

#[test]
fn what_is_cut_short_is_no_playbook() {
    let whole = Made::default().file("a", &"x".repeat(2000)).file("b", "y").end();
    for length in [1, 100, 511, 513, 1000, 2300, 2600] {
        let error = refused(&whole[..length]);
        assert!(matches!(error, UnpackError::Read(_)), "{length}: {error}");
    }
}

/// An archive of any entries whatever.
fn any_archive() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec!["a", "b", "..", ".", "", "outside", "c"]);
    let name = prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"));
    let kind = prop::sample::select(b"000512224xLK7".to_vec());
    let entry = (kind, name.clone(), name, 0u32..0o10000);
    prop::collection::vec(entry, 1..12).prop_map(|entries| {
        let made = entries.into_iter().fold(Made::default(), |made, (kind, name, link, mode)| {
            let content: &[u8] = if b"0LK7".contains(&kind) { name.as_bytes() } else { b"" };
            made.with_mode(EntryType::new(kind), name.as_bytes(), link.as_bytes(), content, mode)
        });
        made.end()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_archive_writes_outside(archive in any_archive()) {
        let _ = Place::new().unpack(&archive, &SMALL);
    }

    #[test]
    fn no_swapped_byte_writes_outside(at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut archive = Made::default()
            .directory("d").file("d/f", "content").link("d/s", "../d").hard("h", "d/f").end();
        let at = at.index(archive.len());
        archive[at] = with;
        let _ = Place::new().unpack(&archive, &SMALL);
    }
}
