//! Makes the host that an image was baked on into one that can be shared: the traces go, and
//! no secret may be left. Doing it again is no failure, and finds nothing more to do.

use std::io;
use std::path::{Path, PathBuf};

use super::record::{Record, RecordError};
use super::search::{Finding, Limits, search};
use super::traces::{TRACES, found, remove};
use crate::platform::paths::Paths;

/// What of gild's state stays in an image that is baked with its documents.
const SEEDED: &[&str] = &["last-good", "playbooks"];

/// What is sealed, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Seal a host that was not baked since it was started.
    pub force: bool,
    /// What the operator answers for.
    pub allowed: Vec<PathBuf>,
    /// How far secrets are looked for.
    pub limits: Limits,
}

/// A trace that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Where, as the host names it.
    pub path: PathBuf,
    /// What it is.
    pub what: &'static str,
}

/// What came of sealing a host.
#[derive(Debug, Default)]
pub struct Sealed {
    /// What is gone, or would be.
    pub gone: Vec<Gone>,
    /// What must not be in an image.
    pub findings: Vec<Finding>,
}

/// A host that cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It may be in use.
    #[error(
        "nothing was sealed: no image was baked of this host since it was started, so it may be one that is in \
         use; with --force it is sealed all the same"
    )]
    NotBaked,
    /// It is not known what to keep.
    #[error("failed to learn what the image says of itself")]
    Record(#[source] RecordError),
    /// A directory cannot be read.
    #[error("failed to look for '{path}'")]
    Look {
        /// The pattern.
        path: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A trace cannot be removed.
    #[error("failed to remove '{}'", path.display())]
    Remove {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Seals the host.
pub fn seal(root: &Path, paths: &Paths, options: &Options) -> Result<Sealed, SealError> {
    if !options.dry_run && !options.force && !paths.baked().exists() {
        return Err(SealError::NotBaked);
    }
    let seeded =
        Record::load(paths).map_err(SealError::Record)?.is_some_and(|record| record.seeded);
    let mut sealed = Sealed::default();
    for trace in TRACES {
        let look = |source| SealError::Look { path: trace.path, source };
        for path in found(root, trace).map_err(look)? {
            if seeded && is_seed(&path, paths) {
                continue;
            }
            if !options.dry_run {
                remove(&path, trace.deed)
                    .map_err(|source| SealError::Remove { path: path.clone(), source })?;
            }
            let path = Path::new("/").join(path.strip_prefix(root).unwrap_or(&path));
            sealed.gone.push(Gone { path, what: trace.what });
        }
    }
    // What would go is no finding; what has gone is not found.
    let gone = sealed.gone.iter().filter(|_| options.dry_run).map(|gone| gone.path.clone());
    let allowed: Vec<_> = options.allowed.iter().cloned().chain(gone).collect();
    sealed.findings = search(root, &allowed, &options.limits);
    if !options.dry_run {
        nix::unistd::sync();
    }
    Ok(sealed)
}

fn is_seed(path: &Path, paths: &Paths) -> bool {
    SEEDED.iter().any(|name| path == paths.state().join(name))
}

#[cfg(test)]
#[path = "tests/seal.rs"]
mod tests;
