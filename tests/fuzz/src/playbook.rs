//! Archives of playbooks, as whoever writes a bucket may make them.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use gild::configure::playbook::packing::Packing;
use gild::configure::playbook::unpack::{Limits, unpack};

/// Small enough for many inputs a second.
const LIMITS: Limits = Limits { entries: 100, bytes: 1 << 20, deadline: None };

/// The first byte says how the rest is packed.
pub fn archive(bytes: &[u8]) {
    let Some((how, archive)) = bytes.split_first() else { return };
    let place = tempfile::tempdir().expect("a directory");
    let outside = place.path().join("outside");
    fs::write(&outside, "outside").expect("a file");
    let tree = place.path().join("tree");
    let archive = Cursor::new(archive.to_vec());
    let result = match how % 3 {
        0 => unpack(archive, &tree, &LIMITS),
        1 => unpack(Packing::Gzip.read(archive), &tree, &LIMITS),
        _ => unpack(Packing::Zstd.read(archive), &tree, &LIMITS),
    };
    if let Err(error) = result {
        let shown = error.to_string();
        assert!(!shown.chars().any(char::is_control), "a terminal obeys: {shown:?}");
    }
    assert_eq!(fs::read(&outside).expect("it is still there"), b"outside");
    assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 2);
    inside(&tree, &fs::canonicalize(&tree).expect("a directory"));
}

/// No link below a directory leads out of `root`, and nothing is special.
fn inside(directory: &Path, root: &Path) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let about = fs::symlink_metadata(&path).expect("it is there");
        if about.is_symlink() {
            assert!(fs::canonicalize(&path).map_or(true, |target| target.starts_with(root)));
        } else if about.is_dir() {
            inside(&path, root);
        } else {
            assert!(about.is_file());
        }
    }
}
