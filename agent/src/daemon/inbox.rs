//! Hears when `configure` leaves something in `/run/gild`: the kernel tells, so
//! nothing is polled.

use std::io;
use std::path::Path;

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchMask};

/// Room for the events of one read: some dozens of file names.
const BUFFER_BYTES: usize = 4096;

/// A watch on one directory.
pub(super) struct Inbox {
    events: EventStream<Vec<u8>>,
}

impl Inbox {
    /// Watches a directory for files that are renamed into it, which is how
    /// files are handed over.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let inotify = Inotify::init()?;
        inotify.watches().add(directory, WatchMask::MOVED_TO)?;
        Ok(Self { events: inotify.into_event_stream(vec![0; BUFFER_BYTES])? })
    }

    /// Waits until one of `names` has been handed over. Cancel-safe: what has
    /// not been taken yet is taken by the next call.
    pub(super) async fn changed(&mut self, names: &[&str]) -> io::Result<()> {
        loop {
            let event = self.events.next().await.ok_or(io::ErrorKind::UnexpectedEof)??;
            if event.name.is_some_and(|name| names.iter().any(|wanted| name == *wanted)) {
                return Ok(());
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
        let mut inbox = Inbox::open(directory.path()).unwrap();
        write_atomic(&directory.path().join("other.json"), b"{}", Access::Owner).unwrap();
        write_atomic(&directory.path().join("config.json"), b"{}", Access::Owner).unwrap();
        inbox.changed(&["config.json", "report.json"]).await.unwrap();
        let silence = std::time::Duration::from_millis(20);
        let more = tokio::time::timeout(silence, inbox.changed(&["config.json"])).await;
        assert!(more.is_err(), "the same file was heard twice");
    }
}
