//! What a host leaves behind that no other host may have: who it is, what it knows, what it
//! did. Everything here comes anew on the instance that is started from the image.
//!
//! To add a trace: a line in the table. Paths are below the root; `*` stands for any part of
//! one name. No link is ever followed.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

/// What becomes of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is removed, with all that is in it.
    Remove,
    /// The file stays, and is empty.
    Empty,
    /// The directories stay, and their files are empty.
    EmptyAll,
    /// The lines are left out in which this stands.
    Without(&'static str),
}

/// A kind of trace.
#[derive(Debug, Clone, Copy)]
pub struct Trace {
    /// Where it is.
    pub path: &'static str,
    /// What becomes of it.
    pub deed: Deed,
    /// What it is.
    pub what: &'static str,
}

const fn trace(path: &'static str, deed: Deed, what: &'static str) -> Trace {
    Trace { path, deed, what }
}

use Deed::{Empty, EmptyAll, Remove, Without};

/// All of them.
pub const TRACES: &[Trace] = &[
    trace("/var/lib/gild/*", Remove, "gild's state"),
    trace("/etc/machine-id", Empty, "the host's identity"),
    trace("/var/lib/dbus/machine-id", Remove, "the host's identity"),
    trace("/var/lib/systemd/random-seed", Remove, "the host's randomness"),
    trace("/var/lib/systemd/credential.secret", Remove, "the host's key for credentials"),
    trace("/etc/ssh/ssh_host_*", Remove, "the host's keys"),
    trace("/var/lib/cloud/*", Remove, "cloud-init's state"),
    trace("/var/lib/amazon/ssm/*", Remove, "the registration with Systems Manager"),
    trace("/etc/udev/rules.d/70-persistent-net.rules", Remove, "names of the host's network cards"),
    trace("/var/lib/dhcp/*", Remove, "leases of addresses"),
    trace("/var/lib/dhclient/*", Remove, "leases of addresses"),
    trace("/var/lib/NetworkManager/*.lease", Remove, "leases of addresses"),
    trace("/root/.ssh/authorized_keys", Without(" packer_"), "Packer's way in"),
    trace("/home/*/.ssh/authorized_keys", Without(" packer_"), "Packer's way in"),
    trace("/root/.ssh/known_hosts*", Remove, "hosts that were visited"),
    trace("/home/*/.ssh/known_hosts*", Remove, "hosts that were visited"),
    trace("/root/.*history", Remove, "what was typed"),
    trace("/home/*/.*history", Remove, "what was typed"),
    trace("/root/.*_hist", Remove, "what was typed"),
    trace("/home/*/.*_hist", Remove, "what was typed"),
    trace("/root/.lesshst", Remove, "what was read"),
    trace("/home/*/.lesshst", Remove, "what was read"),
    trace("/root/.viminfo", Remove, "what was edited"),
    trace("/home/*/.viminfo", Remove, "what was edited"),
    trace("/root/.ansible/tmp", Remove, "Ansible's temporary files"),
    trace("/home/*/.ansible/tmp", Remove, "Ansible's temporary files"),
    trace("/root/.ansible/cp", Remove, "Ansible's connections"),
    trace("/home/*/.ansible/cp", Remove, "Ansible's connections"),
    trace("/var/log/journal/*", Remove, "logs"),
    trace("/var/log/*.gz", Remove, "logs"),
    trace("/var/log/*.xz", Remove, "logs"),
    trace("/var/log/*.[0-9]", Remove, "logs"),
    trace("/var/log/*-[0-9]", Remove, "logs"),
    trace("/var/log", EmptyAll, "logs"),
    trace("/var/spool/mail/*", Empty, "mail"),
    trace("/var/mail/*", Empty, "mail"),
    trace("/tmp/*", Remove, "temporary files"),
    trace("/tmp/.*", Remove, "temporary files"),
    trace("/var/tmp/*", Remove, "temporary files"),
    trace("/var/tmp/.*", Remove, "temporary files"),
];

/// What systemd mounts for services that run, and removes itself.
const IN_USE: &str = "systemd-private-";

/// How deep `EmptyAll` goes.
const DEEPEST: usize = 16;

/// The traces of one kind that are there, in their order.
pub fn found(root: &Path, trace: &Trace) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![root.to_owned()];
    for part in trace.path.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for directory in found {
            if !part.contains('*') {
                next.push(directory.join(part));
                continue;
            }
            let names = names(&directory)?;
            next.extend(
                names.into_iter().filter(|name| fits(part, name)).map(|name| directory.join(name)),
            );
        }
        found = next;
    }
    found.retain(|path| is_trace(path, trace.deed));
    Ok(found)
}

/// Whether there is something to do about a path. A link is removed where one is to be
/// removed, and otherwise left alone.
fn is_trace(path: &Path, deed: Deed) -> bool {
    let Ok(metadata) = path.symlink_metadata() else { return false };
    let in_use = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(IN_USE));
    match deed {
        Remove => !in_use,
        Empty => metadata.is_file() && metadata.len() > 0,
        EmptyAll => {
            metadata.is_dir() && fullest(path, DEEPEST).is_ok_and(|files| !files.is_empty())
        }
        Without(text) => {
            metadata.is_file()
                && fs::read_to_string(path).is_ok_and(|content| content.contains(text))
        }
    }
}

/// Does what is to be done about one.
pub fn remove(path: &Path, deed: Deed) -> io::Result<()> {
    match deed {
        Remove => match path.symlink_metadata()?.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        },
        Empty => empty(path),
        EmptyAll => fullest(path, DEEPEST)?.iter().try_for_each(|file| empty(file)),
        Without(text) => {
            let content = fs::read_to_string(path)?;
            let kept = content.split_inclusive('\n').filter(|line| !line.contains(text));
            // In its place, so that owner and mode stay what they are.
            fs::write(path, kept.collect::<String>())
        }
    }
}

fn empty(path: &Path) -> io::Result<()> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    OpenOptions::new().write(true).truncate(true).custom_flags(flags.bits()).open(path).map(drop)
}

/// The files of a tree that are not empty.
fn fullest(directory: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for name in names(directory)? {
        let path = directory.join(name);
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if metadata.is_dir() && depth > 0 {
            files.extend(fullest(&path, depth - 1)?);
        } else if metadata.is_file() && metadata.len() > 0 {
            files.push(path);
        }
    }
    Ok(files)
}

/// The names in a directory, sorted; none where there is no such directory, or a link in its
/// place.
fn names(directory: &Path) -> io::Result<Vec<String>> {
    match directory.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => {}
        _ => return Ok(Vec::new()),
    }
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // A name that is not text fits no pattern.
    let mut names: Vec<_> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Whether a name fits a pattern: `*` stands for anything, but for a dot in front, and `[0-9]`
/// at the end for digits.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') != pattern.starts_with('.') {
        return false;
    }
    let (pattern, name) = match pattern.strip_suffix("[0-9]") {
        None => (pattern, name),
        Some(pattern) => {
            let rest = name.trim_end_matches(|c: char| c.is_ascii_digit());
            if rest.len() == name.len() {
                return false;
            }
            (pattern, rest)
        }
    };
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        }
    }
}

#[cfg(test)]
#[path = "tests/traces.rs"]
mod tests;
