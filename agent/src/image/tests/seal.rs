//! Sealing a tree that stands for a host.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;

use super::*;

/// A host with traces, baked or not.
fn host(baked: bool, seeded: bool) -> (tempfile::TempDir, Paths) {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::installed(root.path());
    for (path, text) in [
        ("etc/machine-id", "0123\n"),
        ("etc/ssh/ssh_host_rsa_key", "x"),
        ("var/lib/gild/state.json", "{}"),
        ("var/lib/gild/last-good/x.json", "{}"),
        ("run/gild/report.json", "{}"),
        ("opt/app/main.yml", "kept"),
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    if baked {
        fs::write(paths.baked(), "").unwrap();
        Record { seeded, ..Record::default() }.now().unwrap().save(&paths).unwrap();
    }
    (root, paths)
}

fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut all, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path => drop(all.insert(path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    all
}

fn gone(sealed: &Sealed) -> Vec<String> {
    sealed.gone.iter().map(|gone| gone.path.display().to_string()).collect()
}

#[test]
fn a_host_that_was_not_baked_is_not_sealed() {
    let (root, paths) = host(false, false);
    let before = tree(root.path());
    let error = seal(root.path(), &paths, &Options::default()).unwrap_err();
    assert!(matches!(error, SealError::NotBaked), "{error}");
    assert_eq!(tree(root.path()), before);
    let force = Options { force: true, ..Options::default() };
    assert!(!seal(root.path(), &paths, &force).unwrap().gone.is_empty());
}

#[test]
fn a_dry_run_lists_what_a_real_one_removes_and_changes_nothing() {
    let (root, paths) = host(true, false);
    let before = tree(root.path());
    let dry = Options { dry_run: true, ..Options::default() };
    let planned = seal(root.path(), &paths, &dry).unwrap();
    assert_eq!(tree(root.path()), before);
    let done = seal(root.path(), &paths, &Options::default()).unwrap();
    assert_eq!(planned.gone, done.gone);
    let expected = [
        "/var/lib/gild/last-good",
        "/var/lib/gild/state.json",
        "/etc/machine-id",
        "/etc/ssh/ssh_host_rsa_key",
    ];
    assert_eq!(gone(&done), expected);
    assert!(root.path().join("opt/app/main.yml").exists());
    assert!(seal(root.path(), &paths, &Options::default()).unwrap().gone.is_empty());
}

#[test]
fn an_image_that_is_seeded_keeps_its_documents() {
    let (root, paths) = host(true, true);
    let done = seal(root.path(), &paths, &Options::default()).unwrap();
    assert!(!gone(&done).iter().any(|path| path.contains("last-good")), "{done:?}");
    assert!(root.path().join("var/lib/gild/last-good/x.json").exists());
    assert!(!root.path().join("var/lib/gild/state.json").exists());
}

#[test]
fn a_secret_that_is_left_is_found_and_one_that_goes_is_not() {
    let (root, paths) = host(true, false);
    for path in ["root/.netrc", "tmp/.netrc"] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "machine x password hush").unwrap();
    }
    for dry_run in [true, false] {
        let sealed = seal(root.path(), &paths, &Options { dry_run, ..Options::default() }).unwrap();
        let found: Vec<_> = sealed.findings.iter().map(|finding| &finding.path).collect();
        assert_eq!(found, [Path::new("/root/.netrc")], "dry run: {dry_run}");
    }
}
