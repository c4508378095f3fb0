//! Whether a process that was seen earlier still lives. A process id alone does
//! not tell: the kernel gives it to another one some day.

use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Pid, SysconfVar, sysconf};
use serde::{Deserialize, Serialize};

/// One process, for as long as the machine is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessKey {
    /// The process id.
    pub id: u32,
    /// When it started, in clock ticks since the machine did.
    pub started: Option<u64>,
}

impl ProcessKey {
    /// This process.
    pub fn own() -> Self {
        let id = std::process::id();
        Self { id, started: started(id) }
    }

    /// Whether the process still lives. Where that cannot be told, because the
    /// host hides other users' processes, it is taken to live.
    pub fn is_alive(&self) -> bool {
        let Ok(id) = i32::try_from(self.id) else { return false };
        if kill(Pid::from_raw(id), None) == Err(Errno::ESRCH) {
            return false;
        }
        match (self.started, started(self.id)) {
            (Some(then), Some(now)) => then == now,
            _ => true,
        }
    }
}

/// How long ago the kernel started this process. It counts in ticks, of which a
/// second mostly has a hundred, so this is up to one tick too long and never too
/// short. Zero where it cannot be told.
pub fn own_age() -> Duration {
    let ticks = started(std::process::id());
    let second = sysconf(SysconfVar::CLK_TCK).ok().flatten();
    let second = second.and_then(|ticks| u64::try_from(ticks).ok()).filter(|ticks| *ticks > 0);
    // What /proc counts from.
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME);
    let (Some(ticks), Some(second), Ok(now)) = (ticks, second, now) else {
        return Duration::ZERO;
    };
    let then = Duration::from_secs_f64(ticks as f64 / second as f64);
    Duration::from(now).saturating_sub(then)
}

/// Field 22 of /proc/PID/stat (proc(5)). The second field is the program's name
/// in parentheses and may hold anything, parentheses too.
fn started(id: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_process_lives_until_it_is_gone() {
        assert!(ProcessKey::own().is_alive());
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let key = ProcessKey { id: child.id(), started: started(child.id()) };
        assert!(key.started.is_some() && key.is_alive());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!key.is_alive());
    }

    #[test]
    fn a_process_is_as_old_as_the_time_since_it_was_started() {
        let begun = std::time::Instant::now();
        let first = own_age();
        assert!(first < Duration::from_secs(3600), "{first:?}");
        let waited = std::time::Instant::now();
        while waited.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        let grown = own_age() - first;
        assert!(grown >= Duration::from_millis(20) && grown <= begun.elapsed(), "{grown:?}");
    }

    #[test]
    fn another_process_with_the_same_id_is_another_process() {
        let own = ProcessKey::own();
        let earlier = ProcessKey { started: own.started.map(|ticks| ticks - 1), ..own };
        assert!(!earlier.is_alive());
    }
}
