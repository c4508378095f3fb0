//! One source, asked until it answers, fails for good, or time is up.

use tokio::time::Instant;

use super::batch::{self, Batches, Reply};
use super::error::SourceError;
use super::fetch::{BACKOFF, Job, Reach, Ready};
use super::last_good::Copy;
use super::source::Source;
use super::tags::Rules;
use super::text::Found;
use super::{file, http, s3, ssm};
use crate::identity::Provenance;
use crate::platform::retry::{Attempts, until_within};

/// Asks one source; the answer, and after how many attempts. `batches` holds the
/// parameters that several sources ask for.
pub(super) async fn ask(
    job: Job<'_>,
    ready: &Ready,
    copy: Option<&Copy>,
    batches: &Batches,
    reach: &Reach<'_>,
) -> (Result<Found, SourceError>, u32) {
    let etag = copy.and_then(Copy::etag);
    let owner = ready.owner.as_deref();
    let (format, into) = (ready.format, ready.into.as_ref());
    let tries = match &ready.source {
        // A local file does not get better by asking again.
        Source::File(path) => return (file::read(&reach.paths.host(path), path, format), 1),
        // Tags have a wait of their own, for what `require` names.
        Source::Tags(prefix) => {
            let rules = Rules { prefix, import: &job.scope.import, require: &job.scope.require };
            let deadline = reach.deadline.min(Instant::now() + reach.tags_wait);
            return (reach.tags.read(&rules, deadline).await.map_err(SourceError::from), 1);
        }
        Source::Parameter(name) => return parameter(name, ready, batches, reach).await,
        Source::Http(url) => {
            retried(reach, async || http::fetch(reach.web, url, etag, owner, format).await).await
        }
        Source::S3 { bucket, key } => {
            let fetch = async || s3::fetch(reach.aws, bucket, key, etag, owner, format).await;
            retried(reach, fetch).await
        }
        Source::Parameters(path) => {
            retried(reach, async || ssm::subtree(reach.aws, path, into).await).await
        }
    };
    (tries.result, tries.count)
}

/// A parameter that holds a document: with others in one question, or alone
/// where it is the only one or its question was refused.
async fn parameter(
    name: &str,
    ready: &Ready,
    batches: &Batches,
    reach: &Reach<'_>,
) -> (Result<Found, SourceError>, u32) {
    let question = async |names: &[String]| {
        retried(reach, async || {
            let config = &reach.aws.get().await?.config;
            batch::ask(config, names, false)
                .await
                .map_err(|source| SourceError::Aws { operation: batch::OPERATION, source })
        })
        .await
    };
    let (reply, before) = batches.reply(name, question).await;
    let result = match reply {
        Reply::Answer(parameter) => ssm::document(parameter, name, ready.format),
        Reply::Failure(error) => Err(error),
        Reply::Nothing => {
            let alone = async || ssm::parameter(reach.aws, name, ready.format).await;
            let tries = retried(reach, alone).await;
            return (tries.result, before + tries.count);
        }
    };
    (result, before)
}

/// Asks again where that may help.
async fn retried<T>(
    reach: &Reach<'_>,
    mut question: impl AsyncFnMut() -> Result<T, SourceError>,
) -> Attempts<T, SourceError> {
    let off_ec2 = reach.values.identity.provenance == Provenance::Host;
    let attempt = reach.attempt;
    let too_late = || SourceError::Timeout(attempt);
    until_within(reach.deadline, BACKOFF, attempt, too_late, async || {
        question().await.map_err(|error| error.for_good(off_ec2))
    })
    .await
}
