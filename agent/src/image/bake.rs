//! Runs the playbook's installation on a host that becomes an image, through the same engine
//! as the step of a boot, and leaves the image's record. Nothing of it counts as a boot of
//! this host: the instance that is started from the image begins anew.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use super::record::{Record, RecordError};
use crate::configure::boot::{self, Bake, BootError, Options, Watcher};
use crate::configure::report::{Outcome, Report};
use crate::platform::fs::{Access, write_atomic};
use crate::scope::Context;

/// An image that could not be baked, though no step failed.
#[derive(Debug, thiserror::Error)]
pub enum BakeError {
    /// What is to be said of the image cannot be.
    #[error("failed to describe the image")]
    Record(#[source] RecordError),
    /// The step left no report.
    #[error("failed to run the installation")]
    Boot(#[source] BootError),
    /// It cannot be noted that the host may be sealed.
    #[error("failed to write '{}'", path.display())]
    Mark {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Bakes this host. Where a task failed, the report says which, and there is no record.
pub async fn bake(
    context: &Context,
    record: Record,
    how: Bake,
    since: Option<Instant>,
    watcher: &mut dyn Watcher,
    cancel: impl Future<Output = ()>,
) -> Result<Report, BakeError> {
    let record = Record { seeded: how.seed, ..record }.now().map_err(BakeError::Record)?;
    // An older one says nothing of what this host is from now on.
    Record::forget(&context.paths).map_err(BakeError::Record)?;
    let options = Options { bake: Some(how), since, ..Options::default() };
    let report = boot::boot(context, &options, watcher, cancel).await.map_err(BakeError::Boot)?;
    if report.outcome == Outcome::Failed {
        return Ok(report);
    }
    let playbook = report.playbook_digest.clone().unwrap_or_default();
    Record { playbook, ..record }.save(&context.paths).map_err(BakeError::Record)?;
    let path = context.paths.baked();
    write_atomic(&path, b"", Access::All).map_err(|source| BakeError::Mark { path, source })?;
    Ok(report)
}
