//! The search on a tree that stands for a host.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::symlink;

use super::*;

const WEBHOOK: &str = "discord.com/api/webhooks";

fn host(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn paths(root: &tempfile::TempDir, allowed: &[&str], limits: &Limits) -> Vec<String> {
    let allowed: Vec<_> = allowed.iter().map(PathBuf::from).collect();
    let found = search(root.path(), &allowed, limits);
    found.iter().map(|finding| format!("{} {}", finding.path.display(), finding.what)).collect()
}

fn webhook() -> String {
    format!("url: https://{WEBHOOK}/{}/{}", "1".repeat(18), "x".repeat(60))
}

#[test]
fn secrets_are_named_by_their_path_and_never_told() {
    let root = host(&[
        ("etc/app.yml", &webhook()),
        ("root/.aws/credentials", "x"),
        ("home/a/notes", "nothing"),
        ("usr/lib/other", &webhook()),
        ("opt/venv/lib/site-packages/x.py", &webhook()),
    ]);
    let found = paths(&root, &[], &Limits::default());
    assert_eq!(
        found,
        ["/etc/app.yml a webhook of Discord", "/root/.aws/credentials credentials of AWS"]
    );
}

#[test]
fn what_the_operator_answers_for_is_left_out() {
    let root = host(&[("etc/a/app.yml", &webhook()), ("etc/b/app.yml", &webhook())]);
    assert_eq!(paths(&root, &["/etc/a"], &Limits::default()).len(), 1);
    assert!(paths(&root, &["/etc/a/app.yml", "/etc/b"], &Limits::default()).is_empty());
    assert!(paths(&root, &["/etc"], &Limits::default()).is_empty());
}

#[test]
fn links_large_files_and_programs_are_not_read() {
    let root = host(&[("usr/share/x", &webhook()), ("etc/x", "")]);
    symlink(root.path().join("usr/share/x"), root.path().join("etc/link")).unwrap();
    let mut large = webhook().into_bytes();
    large.resize(LARGEST as usize + 1, b' ');
    fs::write(root.path().join("etc/large"), &large).unwrap();
    fs::write(root.path().join("etc/program"), [webhook().as_bytes(), b"\0"].concat()).unwrap();
    assert!(paths(&root, &[], &Limits::default()).is_empty());
}

#[test]
fn a_search_that_does_not_come_to_its_end_says_so() {
    let root = host(&[("etc/a", "x"), ("etc/b", "x"), ("etc/c/d/e", "x")]);
    let few = Limits { entries: 2, ..Limits::default() };
    assert!(paths(&root, &[], &few).concat().contains("too many files"));
    let flat = Limits { depth: 2, ..Limits::default() };
    assert_eq!(paths(&root, &[], &flat), ["/etc/c/d a directory too deep to be looked through"]);
    let brief = Limits { time: Duration::ZERO, entries: 256, ..Limits::default() };
    let many: Vec<_> = (0..300).map(|at| (format!("etc/{at}"), "x")).collect();
    let many: Vec<_> = many.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    assert!(paths(&host(&many), &[], &brief).concat().contains("where the search ended"));
}

#[test]
fn a_large_file_is_told_by_its_name_alone() {
    let root = host(&[]);
    fs::create_dir(root.path().join("root")).unwrap();
    fs::write(root.path().join("root/.netrc"), vec![b'x'; LARGEST as usize + 1]).unwrap();
    assert_eq!(paths(&root, &[], &Limits::default()), ["/root/.netrc logins of .netrc"]);
}
