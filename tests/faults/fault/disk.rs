//! The disk that the state is on.

use std::fs;
use std::io::Write;
use std::process::Command;

use fastrand::Rng;

use super::Begun;
use crate::estate::run;
use crate::life::Stage;

/// What fills it.
pub(crate) const FILLER: &str = "filler";

pub(super) fn full(stage: &mut Stage, _: &mut Rng) -> Begun {
    let path = stage.estate.disk().join(FILLER);
    let mut file = fs::File::create(&path).unwrap();
    let mut size_bytes = 0;
    for part in [64 * 1024, 4096, 1] {
        while let Ok(written @ 1..) = file.write(&vec![0; part]) {
            size_bytes += written;
        }
    }
    Begun::new(format!("{size_bytes} bytes fill it"), move |_| fs::remove_file(path).unwrap())
}

/// A disk becomes so while files are open, which a mount does not when it is asked to: so the
/// daemon is killed and finds it so when it starts.
pub(super) fn read_only(stage: &mut Stage, _: &mut Rng) -> Begun {
    stage.kill();
    remount(stage, "ro");
    Begun::new("mounted read-only, and the daemon started on it", |stage| remount(stage, "rw"))
}

/// The file system, and the mount of it that the daemon's own namespace has.
fn remount(stage: &Stage, how: &str) {
    run(Command::new("mount").arg("-o").arg(format!("remount,{how}")).arg(stage.estate.disk()));
    if stage.lives() {
        let namespace = format!("--mount=/proc/{}/ns/mnt", stage.process());
        let mut inside = Command::new("nsenter");
        inside.args([&namespace, "mount", "-o", &format!("remount,bind,{how}")]);
        // It may have ended by now, and then the next one has what is here.
        let _ = inside.arg(stage.estate.disk()).output();
    }
}
