//! Which mounts of `/proc/self/mountinfo` are worth reporting: each device once,
//! where most of it is visible; nothing that only looks like a filesystem; and
//! the root always, whatever it is made of.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::super::source::lines;

/// Filesystems that hold nobody's data, or that may hang or wake something
/// when asked. The root is reported even when its type is here.
const EXCLUDED: &[&str] = &[
    // Of the kernel itself.
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "proc",
    "procfs",
    "pstore",
    "ramfs",
    "rootfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tmpfs",
    "tracefs",
    // Views of other filesystems.
    "overlay",
    "aufs",
    // Over the network: a server that is gone hangs whoever asks.
    "9p",
    "afs",
    "ceph",
    "cifs",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
    "virtiofs",
];

/// Places where programs mount for themselves: what is there is part of a
/// container or of a unit's sandbox, or only looks like a place for data.
const EXCLUDED_BELOW: &[&str] = &[
    "/dev",
    "/proc",
    "/sys",
    "/run/credentials",
    "/var/lib/docker",
    "/var/lib/containers/storage",
];

/// One mounted filesystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Major and minor number, which all mounts of one filesystem share.
    pub device_number: String,
    /// Which part of the filesystem is mounted; `/` is all of it.
    pub root: PathBuf,
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Its type.
    pub fstype: String,
    /// What is mounted, such as `/dev/nvme0n1p1`.
    pub device: String,
    /// Whether the mount or the whole filesystem is read-only.
    pub read_only: bool,
}

/// Whether filesystems of a type are left out, but for the root.
pub fn leaves_out(fstype: &str) -> bool {
    // What runs in user space may hang as a server may.
    EXCLUDED.contains(&fstype) || fstype.starts_with("fuse.")
}

impl Mount {
    fn excluded(&self) -> bool {
        leaves_out(&self.fstype)
            || EXCLUDED_BELOW.iter().any(|place| self.mount_point.starts_with(place))
    }
}

/// The mounts, in the order of the file. Lines that cannot be read are passed
/// over.
pub fn parse(content: &[u8]) -> impl Iterator<Item = Mount> {
    lines(content).filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let device_number = text(fields.nth(2)?);
        let root = path(fields.next()?);
        let mount_point = path(fields.next()?);
        let options = fields.next()?;
        // Any number of optional fields ends with a hyphen.
        fields.find(|field| *field == b"-")?;
        let fstype = text(fields.next()?);
        let device = text(fields.next()?);
        let super_options = fields.next().unwrap_or_default();
        let plain = !fstype.is_empty() && mount_point.is_absolute();
        plain.then(|| Mount {
            device_number,
            root,
            mount_point,
            fstype,
            device,
            read_only: read_only(options) || read_only(super_options),
        })
    })
}

fn read_only(options: &[u8]) -> bool {
    // A filesystem that the kernel shut after an error says so in words of its own.
    options.split(|byte| *byte == b',').any(|option| option == b"ro" || option == b"emergency_ro")
}

/// The mounts to report: of stacked mounts the last, which is the one that is
/// seen; of mounts of one filesystem the one that shows most of it.
pub fn reported(mounts: impl Iterator<Item = Mount>) -> Vec<Mount> {
    // A host may have many thousand mounts: none is compared with all others.
    let mounts: Vec<Mount> = mounts.collect();
    let mut covered = HashSet::new();
    let mut visible: Vec<&Mount> =
        mounts.iter().rev().filter(|mount| covered.insert(&mount.mount_point)).collect();
    visible.reverse();
    let mut chosen: Vec<&Mount> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for mount in visible {
        let is_root = mount.mount_point == Path::new("/");
        if mount.excluded() && !is_root {
            continue;
        }
        let place = *places.entry(&mount.device_number).or_insert(chosen.len());
        match chosen.get_mut(place) {
            None => chosen.push(mount),
            Some(other) if rank(mount) < rank(other) => *other = mount,
            Some(_) => {}
        }
    }
    chosen.into_iter().cloned().collect()
}

/// Smaller is better: the root directory, then the mount that shows the most of
/// its filesystem, then the one that is nearest to the root directory.
fn rank(mount: &Mount) -> (bool, usize, usize) {
    let depth = |path: &Path| path.components().count();
    (mount.mount_point != Path::new("/"), depth(&mount.root), depth(&mount.mount_point))
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(&unescaped(field)).into_owned()
}

fn path(field: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(unescaped(field)))
}

/// Blank, tab, newline and backslash stand as `\040`, `\011`, `\012`, `\134`.
pub fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = match after {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] if *first == b'\\' => {
                Some(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'))
            }
            _ => None,
        };
        plain.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &after[3..] } else { after };
    }
    plain
}

#[cfg(test)]
mod tests;
