//! All sources at the same time, each tried again with jitter, one deadline
//! for all.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use reqwest::Client;
use tokio::time::{Instant, timeout_at};

use super::answer::{Expected, layers, understand};
use super::arrived::Arrived;
use super::aws::{LazyAws, lacks_credentials};
use super::error::SourceError;
use super::last_good::{Copy, LastGood, Subject};
use super::placeholder::Values;
use super::settings::{OneScope, SourceSettings};
use super::source::Source;
use super::tags::{Rules, TagStore};
use super::text::Found;
use super::{file, http, s3, ssm};
use crate::config::format::Format;
use crate::config::{KeyPath, LayerName};
use crate::configure::report::SourceOutcome;
use crate::identity::Provenance;
use crate::platform::clock;
use crate::platform::paths::Paths;
use crate::platform::retry::{Backoff, until};

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(200), most: Duration::from_secs(5) };

/// What sources are reached with.
#[derive(Debug)]
pub struct Reach<'a> {
    /// Below which root `file:` sources lie.
    pub paths: &'a Paths,
    /// The HTTP stack.
    pub client: &'a Client,
    /// The way to AWS.
    pub aws: &'a LazyAws,
    /// The instance's tags.
    pub tags: &'a TagStore,
    /// What placeholders stand for.
    pub values: Values<'a>,
    /// The copies on disk; `None` where none are used.
    pub last_good: Option<&'a LastGood>,
    /// How long one attempt may take.
    pub attempt: Duration,
    /// How long late tags may take.
    pub tags_wait: Duration,
    /// When all must be over.
    pub deadline: Instant,
}

/// One source of one scope.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The layer.
    pub layer: LayerName,
    /// The source.
    pub source: &'a SourceSettings,
    /// The scope that it belongs to.
    pub scope: &'a OneScope,
}

/// A job whose texts are understood.
struct Ready {
    source: Source,
    format: Option<Format>,
    into: Option<KeyPath>,
}

/// Asks all sources at the same time; the answers are in the order of `jobs`.
pub async fn all(jobs: &[Job<'_>], reach: &Reach<'_>) -> Vec<Arrived> {
    together(jobs.iter().map(|job| one(*job, reach)).collect()).await
}

async fn one(job: Job<'_>, reach: &Reach<'_>) -> Arrived {
    let start = Instant::now();
    let mut arrived = Arrived::nothing(job.layer, &job.source.url);
    let ready = match ready(job.source, &reach.values) {
        Ok(ready) => ready,
        Err(error) => {
            arrived.fail(error);
            return arrived;
        }
    };
    arrived.report.source = ready.source.to_string();
    arrived.apart = matches!(ready.source, Source::Tags(_) | Source::Parameters(_));
    let into = ready.into.as_ref();
    let subject = Subject {
        layer: job.layer,
        source: arrived.report.source.clone(),
        instance: matches!(ready.source, Source::Tags(_))
            .then(|| reach.values.identity.instance_id.clone()),
    };
    let copy = reach.last_good.and_then(|copies| copies.load(&subject, into));
    let (answer, attempts) = ask(job, &ready, copy.as_ref(), reach).await;
    arrived.report.attempts = attempts;
    arrived.report.elapsed_ms = clock::ms(start.elapsed());
    // Tags come and go, each by itself.
    let may_shrink = job.scope.accept_shrink || matches!(ready.source, Source::Tags(_));
    let expected = Expected { copy: copy.as_ref(), layer: job.layer, into, may_shrink };
    let read = answer.and_then(|found| understand(found, expected));
    // A copy can stand in for what fails now, and for what proves unfit later.
    let current = read.as_ref().is_ok_and(|read| read.state != SourceOutcome::Fetched);
    if let Some(copy) = copy.filter(|_| !current) {
        arrived.fallback = layers(&copy.texts, job.layer, into, true).unwrap_or_default();
        arrived.copied_at = Some(copy.fetched_at);
    }
    match read {
        Ok(read) => {
            arrived.report.state = read.state;
            arrived.keep = read.fresh.map(|texts| (subject, texts));
            arrived.layers = read.layers;
            arrived.leave_out(read.left_out);
        }
        Err(error) => arrived.fail(error),
    }
    arrived
}

fn ready(settings: &SourceSettings, values: &Values<'_>) -> Result<Ready, SourceError> {
    let source = Source::parse(&settings.url)?.with(|text, place| values.fill(text, place))?;
    let format = match &settings.format {
        None => None,
        Some(word) => {
            Some(Format::from_label(word).ok_or_else(|| SourceError::Format(word.clone()))?)
        }
    };
    let into = match &settings.into {
        None => None,
        Some(key) => Some(KeyPath::parse(key).ok_or_else(|| SourceError::Into(key.clone()))?),
    };
    Ok(Ready { source, format, into })
}

/// Asks one source until it answers, fails for good, or time is up.
async fn ask(
    job: Job<'_>,
    ready: &Ready,
    copy: Option<&Copy>,
    reach: &Reach<'_>,
) -> (Result<Found, SourceError>, u32) {
    let etag = copy.and_then(Copy::etag);
    let Ready { source, format, into } = ready;
    let (format, into) = (*format, into.as_ref());
    match source {
        // A local file does not get better by asking again.
        Source::File(path) => (file::read(&reach.paths.host(path), path, format), 1),
        // Tags have a wait of their own, for what `require` names.
        Source::Tags(prefix) => {
            let rules = Rules { prefix, import: &job.scope.import, require: &job.scope.require };
            let deadline = reach.deadline.min(Instant::now() + reach.tags_wait);
            (reach.tags.read(&rules, deadline).await.map_err(SourceError::from), 1)
        }
        remote => {
            let off_ec2 = reach.values.identity.provenance == Provenance::Host;
            let tries = until(reach.deadline, BACKOFF, async || {
                let limit = reach.deadline.min(Instant::now() + reach.attempt);
                let question = async {
                    match remote {
                        Source::Http(url) => http::fetch(reach.client, url, etag, format).await,
                        Source::S3 { bucket, key } => {
                            s3::fetch(reach.aws, bucket, key, etag, format).await
                        }
                        Source::Parameter(name) => ssm::parameter(reach.aws, name, format).await,
                        Source::Parameters(path) => ssm::subtree(reach.aws, path, into).await,
                        Source::File(_) | Source::Tags(_) => Ok(Found::Absent),
                    }
                };
                let answer = timeout_at(limit, question).await;
                match answer.unwrap_or(Err(SourceError::Timeout(reach.attempt))) {
                    // An instance may be given its role late; other hosts have
                    // credentials or have none.
                    Err(error) if off_ec2 && lacks_credentials(&error) => {
                        Err(SourceError::Credentials(Box::new(error)))
                    }
                    other => other,
                }
            })
            .await;
            (tries.result, tries.count)
        }
    }
}

/// Runs futures side by side on the one thread; the results keep their order.
async fn together<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<Pin<Box<_>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, slot) in running.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
