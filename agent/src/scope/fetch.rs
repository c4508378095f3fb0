//! All sources at the same time, each tried again with jitter, one deadline
//! for all.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Expected, layers, understand};
use super::arrived::{Arrived, Next};
use super::aws::LazyAws;
use super::batch::Batches;
use super::error::SourceError;
use super::http::Web;
use super::last_good::{LastGood, Subject};
use super::placeholder::{PlaceholderError, Values, is_of_tags, names_tags};
use super::question::ask;
use super::settings::{OnBad, OneScope, SourceSettings};
use super::source::Source;
use super::tag_store::TagStore;
use super::tags::TagsError;
use crate::config::format::Format;
use crate::config::{KeyPath, LayerName};
use crate::configure::report::SourceOutcome;
use crate::identity::Identity;
use crate::platform::clock;
use crate::platform::paths::Paths;
use crate::platform::retry::Backoff;

/// The steps in which sources are asked again.
pub(crate) const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(200), most: Duration::from_secs(5) };

/// What sources are reached with.
#[derive(Debug)]
pub struct Reach<'a> {
    /// Below which root `file:` sources lie.
    pub paths: &'a Paths,
    /// The web servers.
    pub web: &'a Web,
    /// The way to AWS.
    pub aws: &'a LazyAws,
    /// The instance's tags.
    pub tags: &'a TagStore<'a>,
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
pub(super) struct Ready {
    pub(super) source: Source,
    pub(super) format: Option<Format>,
    pub(super) into: Option<KeyPath>,
    pub(super) owner: Option<String>,
}

/// Asks all sources at the same time; the answers are in the order of `jobs`.
pub async fn all(jobs: &[Job<'_>], reach: &Reach<'_>) -> Vec<Arrived> {
    let start = Instant::now();
    let unasked = reach.tags.unasked();
    // Sources that name a tag wait for the tags; no other source waits for them.
    let (late, early): (Vec<_>, Vec<_>) = jobs
        .iter()
        .copied()
        .enumerate()
        .partition(|(_, job)| unasked && names_tags(&job.source.url));
    let late = async {
        if late.is_empty() {
            return Vec::new();
        }
        reach.tags.learn(reach.deadline).await;
        let (tags, group) = reach.tags.known();
        let known = reach.values.identity.clone();
        let autoscaling_group = group.or(known.autoscaling_group);
        let identity = Identity { tags, autoscaling_group, ..known };
        let values = Values { identity: &identity, environment: reach.values.environment };
        some(&late, &values, reach, start).await
    };
    let (early, late) = tokio::join!(some(&early, &reach.values, reach, start), late);
    let mut arrived: Vec<(usize, Arrived)> = early.into_iter().chain(late).collect();
    arrived.sort_by_key(|(index, _)| *index);
    arrived.into_iter().map(|(_, arrived)| arrived).collect()
}

/// Asks some of the sources, each with its place among all.
async fn some(
    jobs: &[(usize, Job<'_>)],
    values: &Values<'_>,
    reach: &Reach<'_>,
    start: Instant,
) -> Vec<(usize, Arrived)> {
    let no_tags = reach.tags.failure();
    let ready: Vec<Result<Ready, SourceError>> =
        jobs.iter().map(|(_, job)| ready(job.source, values, no_tags.as_deref())).collect();
    let batches = Batches::new(ready.iter().flatten().filter_map(|ready| match &ready.source {
        Source::Parameter(name) => Some(name.as_str()),
        _ => None,
    }));
    let ask = async |(index, job): (usize, Job<'_>), ready| {
        (index, one(job, ready, &batches, reach, start).await)
    };
    together(jobs.iter().zip(ready).map(|(job, ready)| ask(*job, ready)).collect()).await
}

async fn one(
    job: Job<'_>,
    ready: Result<Ready, SourceError>,
    batches: &Batches,
    reach: &Reach<'_>,
    start: Instant,
) -> Arrived {
    let mut arrived = Arrived::nothing(job.layer, &job.source.url);
    let ready = match ready {
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
    let (answer, attempts) = ask(job, &ready, copy.as_ref(), batches, reach).await;
    arrived.report.attempts = attempts;
    arrived.report.elapsed_ms = clock::ms(start.elapsed());
    // Tags come and go, each by itself.
    let may_shrink = job.scope.accept_shrink || matches!(ready.source, Source::Tags(_));
    let expected = Expected { copy: copy.as_ref(), layer: job.layer, into, may_shrink };
    let read = match answer.and_then(|found| understand(found, expected)) {
        Ok(read) if job.source.required && read.state == SourceOutcome::Absent => {
            Err(SourceError::Required)
        }
        read => read,
    };
    let current = read.as_ref().is_ok_and(|read| read.state != SourceOutcome::Fetched);
    let mut confirmed = None;
    if let (Some(copy), Some(copies)) = (copy, reach.last_good) {
        let replaced = copies.replaced_role(&copy);
        match (&read, replaced) {
            (Err(error), Some(replaced))
                if error.is_denied() && job.scope.on_bad == OnBad::LastGood =>
            {
                let layers = layers(&copy.texts, job.layer, into, true).unwrap_or_default();
                arrived.stay(&copy, layers, replaced, error);
                return arrived;
            }
            // Whoever reads it now is noted down as its reader.
            _ if current => confirmed = copies.changes_hands(&copy).then_some(copy.texts),
            // It can stand in for what fails now, and for what proves unfit later.
            _ => {
                arrived.fallback = layers(&copy.texts, job.layer, into, true).unwrap_or_default();
                arrived.copied_at = Some(copy.fetched_at);
            }
        }
    }
    match read {
        Ok(read) => {
            arrived.report.state = read.state;
            let least = read.least;
            let confirmed = confirmed.filter(|_| read.state == SourceOutcome::Unchanged);
            let texts = read.fresh.or(confirmed);
            arrived.keep = texts.map(|texts| Next { subject, texts, least });
            arrived.layers = read.layers;
            arrived.leave_out(read.left_out);
        }
        Err(error) => arrived.fail(error),
    }
    arrived
}

/// Understands the texts of a source. `no_tags` says why there are no tags.
fn ready(
    settings: &SourceSettings,
    values: &Values<'_>,
    no_tags: Option<&str>,
) -> Result<Ready, SourceError> {
    let parsed = Source::parse(&settings.url)?;
    let owner = parsed.owner(settings.owner.as_ref(), values.identity.account.as_deref());
    let source = parsed.with(|text, place| values.fill(text, place));
    let source = source.map_err(|error| match (&error, no_tags) {
        (PlaceholderError::Missing { name }, Some(reason)) if is_of_tags(name) => {
            TagsError::Earlier { text: reason.to_owned(), denied: false }.into()
        }
        _ => SourceError::from(error),
    })?;
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
    Ok(Ready { source, format, into, owner })
}

/// Runs futures side by side on the one thread; the results keep their order.
pub(crate) async fn together<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
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
