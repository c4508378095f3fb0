//! What is kept, what goes, and what a plan leaves alone.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn store(root: &Path) -> Store {
    create_dir(&root.join("state"), 0o755).unwrap();
    Store::open(&Paths::private(Path::new("/"), root), None).unwrap()
}

fn put(store: &Store, name: &str) -> Kept {
    let work = store.work().unwrap();
    let tree = work.path("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("main.yml"), name).unwrap();
    let digest = Playbook { directory: tree.clone() }.digest().unwrap();
    let record = Record {
        version: VERSION,
        turn: 0,
        source: format!("s3://bucket/{name}.tar.gz"),
        tree: digest,
        sha256: Some(name.to_owned()),
        etag: None,
        object_version: None,
        listing: None,
        key: None,
        name: None,
        release: None,
        serial: None,
        bytes: 1,
        fetched_at: "2026-11-22T10:00:00.000Z".to_owned(),
    };
    store.put(&tree, name, record).unwrap()
}

fn names(store: &Store) -> Vec<String> {
    let name = |kept: &Kept| kept.directory.file_name().unwrap().to_str().unwrap().to_owned();
    store.kept().iter().map(name).collect()
}

#[test]
fn the_last_good_one_is_kept_however_many_follow() {
    let root = tempfile::tempdir().unwrap();
    let good = put(&store(root.path()), "a").record.tree;
    let paths = Paths::private(Path::new("/"), root.path());
    for name in ["b", "c", "d"] {
        put(&Store::open(&paths, Some(&good)).unwrap(), name);
    }
    let store = Store::open(&paths, None).unwrap();
    assert_eq!(names(&store), ["d", "c", "a"]);
    put(&store, "e");
    assert_eq!(names(&store), ["e", "d"]);
}

#[test]
fn a_plan_changes_nothing_that_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::private(Path::new("/"), root.path());
    // Not even the directory is made.
    drop(Store::for_plan(&paths).unwrap());
    assert!(!root.path().join("state").exists());
    let first = put(&store(root.path()), "a");
    let (before, after) = {
        let look = |store: &Store| (names(store), fs::read(record_of(&first.directory).unwrap()));
        let plan = Store::for_plan(&paths).unwrap();
        let before = look(&plan).0;
        let other = put(&plan, "b");
        assert!(other.intact().is_some() && !other.directory.starts_with(root.path()));
        plan.use_now(first.clone()).unwrap();
        let work = plan.into_scratch().unwrap();
        drop(work);
        assert!(!other.directory.exists());
        (before, look(&Store::to_read(&paths).unwrap()).0)
    };
    assert_eq!(before, after);
}

#[test]
fn the_last_two_that_were_used_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    let first = put(&store, "a");
    put(&store, "b");
    assert_eq!(names(&store), ["b", "a"]);
    store.use_now(first).unwrap();
    assert_eq!(names(&store), ["a", "b"]);
    put(&store, "c");
    assert_eq!(names(&store), ["c", "a"]);
    // The same again takes the place of what was there.
    put(&store, "a");
    assert_eq!(names(&store), ["a", "c"]);
    assert!(store.kept().iter().all(|kept| kept.intact().is_some()));
    assert_eq!(fs::read_dir(&store.directory).unwrap().count(), 4);
}

#[test]
fn what_is_the_last_one_already_is_not_written_again() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    put(&store, "a");
    let kept = put(&store, "b");
    let record = record_of(&kept.directory).unwrap();
    let written = || fs::metadata(&record).unwrap().ino();
    let before = written();
    store.use_now(store.kept().remove(0)).unwrap();
    assert_eq!(written(), before);
}

#[test]
fn what_a_crash_left_is_removed_and_never_used() {
    let root = tempfile::tempdir().unwrap();
    let first = store(root.path());
    put(&first, "a");
    put(&first, "b");
    let path = |name: &str| first.directory.join(name);
    // A directory without a record, a record without a directory, work, and a
    // record that is cut short.
    fs::create_dir(path("c")).unwrap();
    fs::write(path("d.json"), "{}").unwrap();
    fs::create_dir_all(path(".work-1/tree")).unwrap();
    fs::write(path("b.json"), "{\"version\":1").unwrap();
    fs::write(path("serials.json"), "{}").unwrap();
    let second = store(root.path());
    assert_eq!(names(&second), ["a"]);
    let mut left: Vec<_> = fs::read_dir(&second.directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["a", "a.json", "serials.json"]);
}

#[test]
fn what_was_changed_on_disk_is_not_whole() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    let kept = put(&store, "a");
    fs::write(kept.directory.join("more.yml"), "x").unwrap();
    assert!(store.kept()[0].intact().is_none());
}

#[test]
fn a_directory_that_others_write_to_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let directory = store(root.path()).directory;
    let open = || Store::open(&Paths::private(Path::new("/"), root.path()), None);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(open(), Err(StoreError::Foreign(_))));
    fs::remove_dir(&directory).unwrap();
    symlink("/tmp", &directory).unwrap();
    assert!(matches!(open(), Err(StoreError::Foreign(_))));
}
