//! Asks for a configuration step. The daemon has no right to start one; it
//! leaves a file in its own directory, and systemd, which waits for that file,
//! starts `gild configure`, which decides by itself what there is to do.

use std::time::{Duration, Instant};

use crate::platform::error::chain_text;
use crate::platform::fs::{Access, write_atomic};
use crate::platform::paths::Paths;

/// The least time between two steps that are asked for: systemd gives up a unit
/// that is started too often, and would start it no more.
const PAUSE: Duration = Duration::from_secs(15);

/// What was asked for.
#[derive(Debug, Default)]
pub(super) struct Asked(Option<(String, Instant)>);

impl Asked {
    /// Asks for a step on the configuration of this digest, once: a step that
    /// failed on it fails again until something changes.
    pub(super) fn once(&mut self, digest: &str, paths: &Paths) {
        if let Some((last, at)) = &self.0
            && (last == digest || at.elapsed() < PAUSE)
        {
            return;
        }
        match write_atomic(&paths.reconfigure(), digest.as_bytes(), Access::Owner) {
            Ok(()) => tracing::info!(digest, "a configuration step is asked for"),
            Err(error) => {
                let error = chain_text(&error);
                tracing::warn!(digest, "a configuration step cannot be asked for: {error}");
            }
        }
        self.0 = Some((digest.to_owned(), Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_configuration_is_asked_for_once_and_not_too_often() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::installed(root.path());
        let file = paths.reconfigure();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mut asked = Asked::default();
        let took = |asked: &mut Asked, digest: &str| {
            asked.once(digest, &paths);
            let found = std::fs::read_to_string(&file).ok();
            let _ = std::fs::remove_file(&file);
            found
        };
        assert_eq!(took(&mut asked, "d1").as_deref(), Some("d1"));
        assert_eq!(took(&mut asked, "d1"), None);
        // Another one at once has to wait for a later look.
        assert_eq!(took(&mut asked, "d2"), None);
        let long_ago = Instant::now().checked_sub(PAUSE).unwrap();
        asked.0 = Some(("d1".to_owned(), long_ago));
        assert_eq!(took(&mut asked, "d1"), None);
        assert_eq!(took(&mut asked, "d2").as_deref(), Some("d2"));
    }

    #[test]
    fn without_the_directory_nothing_is_asked_for() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::installed(root.path());
        Asked::default().once("d1", &paths);
        assert!(!paths.run().exists());
    }
}
