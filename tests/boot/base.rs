//! The disk image that every machine starts from: Debian with systemd, Ansible and a
//! web server, built once and kept for as long as its recipe stays the same.
//!
//! An image on a loop device rather than a directory, because then the machine's root is
//! a file system of its own with a device, as it is on an instance, and its size changes
//! only by what the machine does. The mount ends with the machine's mount namespace.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::cgroup::{control_groups, remove_tree};
use crate::fakes::tool::cache;

const SUITE: &str = "bookworm";
// debootstrap does not follow virtual packages, so python3-cffi-backend is named.
const PACKAGES: &str = "ansible-core,dbus,iproute2,nginx-light,openssh-server,procps,python3,python3-cffi-backend,sudo,systemd,systemd-sysv";
/// Part of the image's name: raise it when `build` changes.
const RECIPE: &str = "2";
const SIZE: &str = "2G";

const TOOLS: &[&str] = &[
    "debootstrap",
    "ip",
    "mke2fs",
    "nsenter",
    "packer",
    "prometheus",
    "rpm",
    "setpriv",
    "ssh-keygen",
    "systemd-nspawn",
    "unshare",
];

/// What the names of machines, networks and temporary directories begin with; the id of the
/// test's process follows.
pub(crate) const NAME: &str = "gild-test-";

/// A name that no other machine or network has.
pub(crate) fn name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{NAME}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A temporary directory of this process.
pub(crate) fn directory() -> TempDir {
    tempfile::Builder::new().prefix(&format!("{}-", name())).tempdir().unwrap()
}

/// The image, built if there is none yet. Tests that ask at the same time wait for the first.
pub(crate) fn image() -> PathBuf {
    require();
    let digest = Sha256::digest(format!("{SUITE} {PACKAGES} {RECIPE} {SIZE}"));
    let directory = cache().join(format!("root-{digest:.12x}"));
    fs::create_dir_all(&directory).unwrap();
    let lock = File::create(directory.join("lock")).unwrap();
    let _lock = Flock::lock(lock, FlockArg::LockExclusive).expect("a lock on the image");
    sweep();
    let image = directory.join("root.img");
    if !image.exists() {
        build(&directory, &image);
    }
    image
}

fn require() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "the boot test boots a machine and so must run as root"
    );
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Cargo's PATH is the caller's, which for `su` lacks the system directories.
    let places =
        || std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")]);
    let missing: Vec<_> =
        TOOLS.iter().filter(|tool| !places().any(|p| p.join(tool).is_file())).collect();
    assert!(missing.is_empty(), "the boot test needs {missing:?}; tests/run installs them");
}

/// Removes the disks, networks and control groups of earlier runs that were killed: their names carry the
/// id of a process that is gone.
fn sweep() {
    let names = |place: &Path| {
        let entries = fs::read_dir(place).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let stale = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let id =
            name.strip_prefix(NAME).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        id.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists())
    };
    for disk in names(&std::env::temp_dir()).iter().filter(|path| stale(path)) {
        let _ = fs::remove_dir_all(disk);
    }
    for group in control_groups().iter().flat_map(|group| names(group)).filter(|path| stale(path)) {
        remove_tree(&group);
    }
    for network in names(Path::new("/run/netns")).iter().filter(|path| stale(path)) {
        let name = network.file_name().unwrap_or_default();
        let _ = Command::new("ip").args(["netns", "delete"]).arg(name).status();
    }
}

fn build(directory: &Path, image: &Path) {
    let root = directory.join("root");
    // A half-built one is of no use to anybody.
    let _ = fs::remove_dir_all(&root);
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", &format!("--include={PACKAGES}"), SUITE]).arg(&root);
    if let Some(mirror) = std::env::var_os("GILD_TEST_MIRROR") {
        debootstrap.arg(mirror);
    }
    run(&mut debootstrap);
    // The image carries the services, and the playbook or the scenario decides when they run.
    for service in ["nginx.service", "ssh.service"] {
        run(Command::new("systemctl").arg("--root").arg(&root).args(["disable", service]));
    }
    for waste in ["debootstrap", "usr/share/doc", "var/cache/apt", "var/lib/apt/lists"] {
        let _ = fs::remove_dir_all(root.join(waste));
    }
    let partial = directory.join("root.img.part");
    let _ = fs::remove_file(&partial);
    run(Command::new("mke2fs").args(["-q", "-t", "ext4", "-d"]).arg(&root).arg(&partial).arg(SIZE));
    fs::rename(&partial, image).unwrap();
    fs::remove_dir_all(&root).unwrap();
}

/// Runs a command and panics with all that it said when it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}\n{complained}", output.status);
    said
}
