//! How a machine is started: the files of its first boot, and the namespaces that it lives in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::base::run;
use crate::fakes::place::Place;

/// Where a machine's programs are.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Mounts the disk, at the first start lays the files over it, then becomes the container. The cgroup of its own keeps the systemds of machines that run at the same
// time apart: each would take the shared one for its root.
const START: &str = r#"
set -eu
mount -o loop root.img root
for group in $GROUPS_; do mkdir -p "$group"; echo $$ > "$group/cgroup.procs"; done
if [ -d files ]; then
    cp -a --no-preserve=ownership files/. root/
    rm -r files
    for unit in $DISABLE; do systemctl --root="$PWD/root" disable "$unit"; done
fi
exec systemd-nspawn --quiet --directory=root --boot --register=no --keep-unit --machine="$NAME" \
    --network-namespace-path="$NETWORK" --resolv-conf=off --console=pipe
"#;

/// Lays a copy of a disk into a machine's directory.
pub(crate) fn copy(image: &Path, directory: &Path) {
    let disk = directory.join("root.img");
    run(Command::new("cp").arg("--sparse=always").arg(image).arg(disk));
    fs::create_dir(directory.join("root")).unwrap();
}

/// Starts the machine in this directory, within these control groups.
pub(crate) fn spawn(
    place: &Place,
    directory: &Path,
    name: &str,
    groups: &[PathBuf],
    disable: &[&str],
) -> Child {
    let Place::Namespace(network) = place else { panic!("a machine has a network of its own") };
    let list: Vec<_> = groups.iter().map(|group| group.display().to_string()).collect();
    let console = fs::File::create(directory.join("console")).unwrap();
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"])
        .args(["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", START])
        .current_dir(directory)
        .env_clear()
        .env("PATH", PATH)
        .env("NAME", name)
        .env("NETWORK", network)
        .env("DISABLE", disable.join(" "))
        .env("GROUPS_", list.join(" "))
        .stdin(Stdio::null())
        .stdout(console.try_clone().unwrap())
        .stderr(console)
        .spawn()
        .expect("a machine starts")
}
