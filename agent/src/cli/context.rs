//! What the verbs share: where gild's files are, and which daemon is meant.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::identity::ImdsOptions;
use crate::platform::fs;
use crate::platform::http::{self, HttpError};
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;
use crate::scope::last_good::Copies;
use crate::scope::resolve::Context;

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
    /// What an earlier run left could not be removed.
    #[error("failed to remove '{path}', which an earlier run left")]
    Forget {
        /// The file or directory.
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

/// How long the metadata service may take to say who this instance is. Its
/// network may be up late.
const IDENTITY_BUDGET: Duration = Duration::from_secs(30);

impl Globals {
    /// What a configuration is resolved with: over the network, or from the
    /// documents of one directory.
    pub(super) fn context(
        &self,
        paths: Paths,
        local: Option<PathBuf>,
    ) -> Result<Context, HttpError> {
        let endpoint = std::env::var("AWS_EC2_METADATA_SERVICE_ENDPOINT").ok();
        Ok(Context {
            paths,
            client: http::client()?,
            imds: ImdsOptions::new(endpoint, IDENTITY_BUDGET),
            redactor: self.redactor.clone(),
            copies: Copies::Kept,
            local,
        })
    }

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
    /// not be able to plant files in it. `chosen` stands above the usual place.
    pub(super) fn private(&self, chosen: Option<&Path>) -> Result<Paths, PrivateError> {
        let path = chosen.map_or_else(|| self.private_directory(), Path::to_owned);
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

    /// Forgets what an earlier `gild up` left: each one is a first boot.
    pub(super) fn forget(paths: &Paths) -> Result<(), PrivateError> {
        let failed = |path: &Path, source| PrivateError::Forget { path: path.to_owned(), source };
        for file in [paths.config(), paths.report(), paths.handed_secrets()] {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(failed(&file, error));
                }
                _ => {}
            }
        }
        std::fs::remove_dir_all(paths.state()).map_err(|error| failed(paths.state(), error))?;
        fs::create_dir(paths.state(), 0o700).map_err(|error| failed(paths.state(), error))
    }

    /// The sockets on which a daemon may answer, the likeliest first.
    pub(super) fn sockets(&self) -> Vec<PathBuf> {
        match &self.socket {
            Some(socket) => vec![socket.clone()],
            None => vec![
                self.installed().socket(),
                self.installed().own_socket(),
                Paths::private(&self.root, &self.private_directory()).socket(),
            ],
        }
    }
}
