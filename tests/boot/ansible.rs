//! Ansible as golden images carry it: a virtual environment of its own, newer than the
//! distribution's. Built once and kept, like the disk image.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

use crate::base::run;
use crate::fakes::tool::{cache, tool};

/// Where a machine has it.
pub(crate) const HOME: &str = "/deployment/ansibleenv";
const WANTED: &str = "ansible-core==2.19.*";
/// The Python of the machine's distribution.
const PYTHON: &str = "3.11";
/// Part of the name: raise it when `build` changes.
const RECIPE: &str = "1";

const PROGRAM: &str = "#!/deployment/ansibleenv/bin/python3
from ansible.cli.playbook import main
main()
";

/// The virtual environment's content, built if there is none yet.
pub(crate) fn newest() -> PathBuf {
    let digest = Sha256::digest(format!("{WANTED} {PYTHON} {RECIPE} {PROGRAM}"));
    let directory = cache().join(format!("ansibleenv-{digest:.12x}"));
    fs::create_dir_all(&directory).unwrap();
    let lock = File::create(directory.join("lock")).unwrap();
    let _lock = Flock::lock(lock, FlockArg::LockExclusive).expect("a lock on the environment");
    let home = directory.join("home");
    if !home.exists() {
        let partial = directory.join("partial");
        // A half-built one is of no use to anybody.
        let _ = fs::remove_dir_all(&partial);
        build(&partial);
        fs::rename(&partial, &home).unwrap();
    }
    home
}

fn build(home: &Path) {
    let packages = home.join(format!("lib/python{PYTHON}/site-packages"));
    fs::create_dir_all(home.join("bin")).unwrap();
    // Not a venv of this host's Python: the machine has its own, at another path.
    let python = tool("GILD_TEST_ANSIBLE", "ansible-playbook").with_file_name("python3");
    run(Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--only-binary=:all:"])
        .args(["--python-version", PYTHON, "--target"])
        .arg(&packages)
        .arg(WANTED));
    let settings = "home = /usr/bin\ninclude-system-site-packages = false\n";
    fs::write(home.join("pyvenv.cfg"), settings).unwrap();
    symlink("/usr/bin/python3", home.join("bin/python3")).unwrap();
    let program = home.join("bin/ansible-playbook");
    fs::write(&program, PROGRAM).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}
