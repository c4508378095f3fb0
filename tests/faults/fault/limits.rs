//! What the kernel lets the process have.

use std::fs;
use std::process::Command;

use fastrand::Rng;

use super::Begun;
use crate::life::Stage;

/// What each limit is raised by until the kernel takes it.
const STEP_BYTES: u64 = 256 * 1024;

/// No file more than it has, or hardly any.
pub(super) fn handles(stage: &mut Stage, random: &mut Rng) -> Begun {
    let open = fs::read_dir(format!("/proc/{}/fd", stage.process())).map_or(8, Iterator::count);
    let most = open + random.usize(0..3);
    limit(stage.process(), &format!("--nofile={most}:"));
    let process = stage.process();
    Begun::new(format!("RLIMIT_NOFILE of {most}"), move |_| limit(process, "--nofile=1024:"))
}

/// Hardly more memory than it has: by its control group where there is one, else by its address
/// space. Either may end it.
pub(super) fn memory(stage: &mut Stage, random: &mut Rng) -> Begun {
    let more = random.u64(0..1 << 20);
    let Some(group) = stage.estate.group.clone() else {
        let process = stage.process();
        let most = size_bytes(process) + more;
        limit(process, &format!("--as={most}:"));
        let what = format!("RLIMIT_AS of {most} bytes");
        return Begun::new(what, move |_| limit(process, "--as=unlimited:"));
    };
    let file = group.join("memory.limit_in_bytes");
    let text = fs::read_to_string(group.join("memory.usage_in_bytes")).unwrap();
    let mut most = text.trim().parse::<u64>().unwrap() + more;
    // What it cannot give back at once makes the kernel refuse.
    while fs::write(&file, most.to_string()).is_err() {
        most += STEP_BYTES;
    }
    Begun::new(format!("memory.limit_in_bytes of {most}"), move |_| fs::write(file, "-1").unwrap())
}

/// The process may be gone by now, and its limits with it.
fn limit(process: u32, what: &str) {
    let _ = Command::new("prlimit").arg(format!("--pid={process}")).arg(what).output();
}

fn size_bytes(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    let pages = text.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}
