//! Hears when `configure` leaves something in `/run/gild`: the kernel tells, so
//! nothing is polled.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A watch on one directory.
#[derive(Debug)]
pub struct Inbox {
    watch: AsyncFd<Handle>,
}

#[derive(Debug)]
struct Handle(Inotify);

impl AsRawFd for Handle {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Inbox {
    /// Watches a directory for files that are renamed into it, which is how
    /// files are handed over.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        inotify.add_watch(directory, AddWatchFlags::IN_MOVED_TO)?;
        Ok(Self { watch: AsyncFd::register_with_interest(Handle(inotify), Interest::READABLE)? })
    }

    /// Waits until one of `names` has been handed over. Cancel-safe: what has
    /// not been read yet is read by the next call.
    pub async fn changed(&self, names: &[&str]) -> io::Result<()> {
        loop {
            let mut ready = self.watch.readable().await?;
            match self.watch.get_ref().0.read_events() {
                Ok(events) => {
                    let hit = |name: &std::ffi::OsStr| names.iter().any(|wanted| name == *wanted);
                    if events.iter().filter_map(|event| event.name.as_deref()).any(hit) {
                        return Ok(());
                    }
                }
                Err(nix::errno::Errno::EAGAIN) => ready.clear_ready(),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::platform::fs::{Access, write_atomic};

    #[tokio::test]
    async fn a_file_that_is_handed_over_is_heard_and_others_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(directory.path()).unwrap();
        write_atomic(&directory.path().join("other.json"), b"{}", Access::Owner).unwrap();
        write_atomic(&directory.path().join("config.json"), b"{}", Access::Owner).unwrap();
        inbox.changed(&["config.json", "report.json"]).await.unwrap();
        let silence = std::time::Duration::from_millis(20);
        let more = tokio::time::timeout(silence, inbox.changed(&["config.json"])).await;
        assert!(more.is_err(), "the same file was heard twice");
    }
}
