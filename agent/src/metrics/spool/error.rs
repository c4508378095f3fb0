//! Why a spool cannot be used.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

/// Whether an error is of this process and moment, and says nothing of the file.
pub(super) fn is_passing(error: &io::Error) -> bool {
    let passing = [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::EINTR];
    passing.iter().any(|errno| error.raw_os_error() == Some(*errno as i32))
}

/// What could not be done with a spool's files.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Its directory cannot be used.
    #[error("failed to open the spool '{path}'")]
    Open {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A tick was not written.
    #[error("failed to write to the spool '{path}'")]
    Write {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What waits cannot be read now.
    #[error("failed to read the spool '{path}'")]
    Read {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It was not noted how far it is delivered.
    #[error("failed to note how far the spool '{path}' is delivered")]
    Note {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}
