//! Traces on a tree that stands for a host.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn a_star_stands_for_a_part_of_one_name() {
    for (pattern, name, expected) in [
        ("ssh_host_*", "ssh_host_rsa_key", true),
        ("ssh_host_*", "sshd_config", false),
        ("*", "a", true),
        ("*", ".a", false),
        (".*", ".a", true),
        (".*history", ".bash_history", true),
        (".*history", ".history", true),
        (".*history", "history", false),
        ("*.[0-9]", "syslog.12", true),
        ("*.[0-9]", "syslog.", false),
        ("*.[0-9]", "syslog", false),
        ("a*a", "a", false),
    ] {
        assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn each_deed_leaves_what_it_should() {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    for (path, text) in [
        ("var/lib/gild/state.json", "{}"),
        ("etc/machine-id", "0123\n"),
        ("var/log/messages", "a line\n"),
        ("var/log/nginx/access.log", "a line\n"),
        ("var/log/messages-20260101", "a line\n"),
        ("tmp/systemd-private-1/tmp/x", "in use"),
        ("tmp/script.sh", "x"),
        ("root/.ssh/authorized_keys", "ssh-rsa AAAA packer_1\nssh-rsa BBBB me\n"),
    ] {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), text).unwrap();
    }
    let mut done = Vec::new();
    for trace in TRACES {
        for path in found(root.path(), trace).unwrap() {
            remove(&path, trace.deed).unwrap();
            done.push(path.strip_prefix(root.path()).unwrap().display().to_string());
        }
    }
    let expected = [
        "var/lib/gild/state.json",
        "etc/machine-id",
        "root/.ssh/authorized_keys",
        "var/log/messages-20260101",
        "var/log",
        "tmp/script.sh",
    ];
    assert_eq!(done, expected);
    assert_eq!(fs::read_to_string(at("root/.ssh/authorized_keys")).unwrap(), "ssh-rsa BBBB me\n");
    for empty in ["etc/machine-id", "var/log/messages", "var/log/nginx/access.log"] {
        assert_eq!(fs::read_to_string(at(empty)).unwrap(), "", "{empty}");
    }
    assert!(at("var/lib/gild").is_dir() && at("tmp/systemd-private-1/tmp/x").exists());
    // There is nothing more to do.
    for trace in TRACES {
        assert_eq!(found(root.path(), trace).unwrap(), Vec::<PathBuf>::new(), "{}", trace.path);
    }
}

#[test]
fn what_a_link_leads_to_is_not_touched() {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    for directory in ["etc", "var", "tmp", "precious"] {
        fs::create_dir(at(directory)).unwrap();
    }
    fs::write(at("precious/file"), "kept").unwrap();
    symlink(at("precious/file"), at("etc/machine-id")).unwrap();
    symlink(at("precious"), at("var/log")).unwrap();
    symlink(at("precious"), at("tmp/link")).unwrap();
    for trace in TRACES {
        for path in found(root.path(), trace).unwrap() {
            remove(&path, trace.deed).unwrap();
        }
    }
    assert_eq!(fs::read_to_string(at("precious/file")).unwrap(), "kept");
    assert!(at("tmp/link").symlink_metadata().is_err(), "the link itself is removed");
}
