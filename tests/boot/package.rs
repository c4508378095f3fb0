//! gild's package, and the disk image that it is installed on: by dpkg, in the image, with the
//! package's own scripts, once for all machines.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

use crate::base::{self, run};
use crate::fakes::tool::tool;
use crate::start::copy;

// As on a host that is no instance yet: nothing runs there, and dpkg runs the scripts.
const INSTALL: &str = r#"
set -eu
mount -o loop "$1" "$2"
mount -t proc proc "$2/proc"
cp "$3" "$2/gild.deb"
chroot "$2" dpkg --install /gild.deb
rm "$2/gild.deb"
umount "$2/proc" "$2"
"#;

/// The kinds of packages.
pub(crate) const DEB: &str = "deb";
pub(crate) const RPM: &str = "rpm";

/// A package of the binary under test, with a version of its own or Cargo's.
pub(crate) fn package(kind: &str, version: Option<&str>) -> PathBuf {
    let binary = std::env::var_os("GILD_BIN")
        .map_or_else(|| env!("CARGO_BIN_EXE_gild").into(), PathBuf::from);
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut script = Command::new(repository.join("packaging/package"));
    script.arg(kind).env("GILD_BIN", binary);
    script.env("GILD_NFPM", tool("GILD_NFPM", "nfpm"));
    // What cargo tells a test of its crate would have it build others anew.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            script.env_remove(&name);
        }
    }
    if let Some(version) = version {
        script.env("GILD_VERSION", version);
    }
    PathBuf::from(run(&mut script).trim_end())
}

/// Lays a copy of the image with the package into a machine's directory.
pub(crate) fn lay(directory: &Path) {
    static CURRENT: OnceLock<PathBuf> = OnceLock::new();
    let package = CURRENT.get_or_init(|| package(DEB, None));
    let image = base::image();
    let place = image.with_file_name("installed");
    fs::create_dir_all(&place).unwrap();
    // Kept until the copy is made, because another run may have another package.
    let lock = File::create(place.join("lock")).unwrap();
    let _lock = Flock::lock(lock, FlockArg::LockExclusive).expect("a lock on the image");
    let digest = format!("{:x}", Sha256::digest(fs::read(package).unwrap()));
    let known = place.join("package");
    let installed = place.join("root.img");
    if fs::read_to_string(&known).ok().as_deref() != Some(&digest) {
        // A half-made one is of no use to anybody.
        let _ = fs::remove_file(&known);
        install(&image, &installed, package);
        fs::write(&known, digest).unwrap();
    }
    copy(&installed, directory);
}

fn install(image: &Path, installed: &Path, package: &Path) {
    run(Command::new("cp").arg("--sparse=always").arg(image).arg(installed));
    let root = base::directory();
    run(Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", INSTALL, "install"])
        .args([installed, root.path(), package]));
}
