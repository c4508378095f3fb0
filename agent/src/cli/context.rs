//! What the verbs share: where gild's files are, and which daemon is meant.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::platform::fs;
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;

/// What every verb is given.
#[derive(Debug)]
pub(super) struct Globals {
    /// The root of all paths.
    pub(super) root: PathBuf,
    /// The socket that was asked for.
    pub(super) socket: Option<PathBuf>,
    /// The secrets of this process.
    pub(super) redactor: Redactor,
}

/// A directory for `gild up` that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrivateError {
    /// It could not be made.
    #[error("failed to make the private directory '{path}'")]
    Create {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It belongs to somebody else.
    #[error("'{path}' belongs to another user, or others may write to it; remove it first")]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
}

impl Globals {
    /// The installed layout.
    pub(super) fn installed(&self) -> Paths {
        Paths::installed(&self.root)
    }

    /// Where `gild up` keeps its files: not where an installed gild does, so
    /// that trying something out disturbs nothing.
    fn private_directory(&self) -> PathBuf {
        let own = nix::unistd::geteuid();
        if own.is_root() {
            return self.root.join("run/gild-up");
        }
        match std::env::var_os("XDG_RUNTIME_DIR") {
            Some(directory) => Path::new(&directory).join("gild-up"),
            None => std::env::temp_dir().join(format!("gild-up-{own}")),
        }
    }

    /// The layout of `gild up`, its directory made and checked: others must
    /// not be able to plant files in it.
    pub(super) fn private(&self) -> Result<Paths, PrivateError> {
        let path = self.private_directory();
        let paths = Paths::private(&self.root, &path);
        let create = |directory: &Path| {
            fs::create_dir(directory, 0o700)
                .map_err(|source| PrivateError::Create { path: directory.to_owned(), source })
        };
        create(&path)?;
        let metadata = std::fs::symlink_metadata(&path)
            .map_err(|source| PrivateError::Create { path: path.clone(), source })?;
        let own = nix::unistd::geteuid().as_raw();
        if !metadata.is_dir() || metadata.uid() != own || metadata.mode() & 0o022 != 0 {
            return Err(PrivateError::Foreign { path });
        }
        create(paths.run())?;
        create(paths.state())?;
        Ok(paths)
    }

    /// The sockets on which a daemon may answer, the likeliest first.
    pub(super) fn sockets(&self) -> Vec<PathBuf> {
        match &self.socket {
            Some(socket) => vec![socket.clone()],
            None => vec![
                self.installed().socket(),
                Paths::private(&self.root, &self.private_directory()).socket(),
            ],
        }
    }
}
