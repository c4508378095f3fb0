//! Which sources wait for which. All are asked at the same time, but for those
//! whose text holds `{environment}` where the host's own layers do not say it:
//! these wait for what the global and account layers say. Nothing waits for
//! them, and there is one deadline for all.

use super::arrived::Arrived;
use super::fetch::{Job, Reach, all};
use super::placeholder::{Values, needs_environment};
use super::settle::{Terms, settle};
use super::source::Source;
use crate::config::{KeyPath, LayerName, Merged};

/// When a source is asked.
#[derive(Clone, Copy, PartialEq)]
enum Wave {
    /// At once, and it may say which environment this is.
    Telling,
    /// At once.
    Apart,
    /// When it is known which environment this is, as far as it can be.
    Waiting,
}

/// Asks all sources; the answers are in the order of `jobs`.
pub(super) async fn ask(
    jobs: &[Job<'_>],
    reach: &Reach<'_>,
    host: &[Arrived],
    terms: &Terms,
) -> Vec<Arrived> {
    let unknown = reach.values.environment.is_none();
    let waves: Vec<Wave> = jobs.iter().map(|job| wave(job, unknown)).collect();
    if !waves.contains(&Wave::Waiting) {
        return all(jobs, reach).await;
    }
    let of = |wanted: Wave| -> (Vec<usize>, Vec<Job<'_>>) {
        let places = waves.iter().enumerate().filter(|(_, wave)| **wave == wanted);
        places.map(|(place, _)| (place, jobs[place])).unzip()
    };
    let (told_at, telling) = of(Wave::Telling);
    let (apart_at, apart) = of(Wave::Apart);
    let (late_at, waiting) = of(Wave::Waiting);
    let one_after_the_other = async {
        let told = all(&telling, reach).await;
        let environment = environment_told(host, &told, terms);
        let values = Values { environment: environment.as_deref(), ..reach.values.clone() };
        let late = all(&waiting, &Reach { values, ..*reach }).await;
        (told, late)
    };
    let ((told, late), apart) = tokio::join!(one_after_the_other, all(&apart, reach));
    let places = told_at.into_iter().chain(apart_at).chain(late_at);
    let mut answers: Vec<(usize, Arrived)> =
        places.zip(told.into_iter().chain(apart).chain(late)).collect();
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, arrived)| arrived).collect()
}

fn wave(job: &Job<'_>, unknown: bool) -> Wave {
    let url = &job.source.url;
    // Many people may tag: their word does not choose what is fetched.
    let tags = matches!(Source::parse(url), Ok(Source::Tags(_)));
    match job.layer {
        _ if unknown && needs_environment(url) => Wave::Waiting,
        LayerName::Global | LayerName::Account if !tags => Wave::Telling,
        _ => Wave::Apart,
    }
}

/// The environment that the host's layers and the sources that came say.
fn environment_told(host: &[Arrived], told: &[Arrived], terms: &Terms) -> Option<String> {
    let mut arrived = in_order(host.to_vec(), told.to_vec());
    environment(&settle(&mut arrived, terms).ok()?.merged)
}

/// The variables that say which environment this is, as the older system's
/// `environment_id` or plainly.
pub(crate) const ENVIRONMENT: [&str; 2] = ["environment_id", "environment"];

/// The environment's name.
pub(super) fn environment(merged: &Merged) -> Option<String> {
    ENVIRONMENT.iter().find_map(|key| {
        let path = KeyPath::root().child("vars").child(key);
        merged.root.get(&path)?.to_value().as_str().map(str::to_owned)
    })
}

/// The documents of the host with what was fetched between them, lowest layer
/// first.
pub(super) fn in_order(mut host: Vec<Arrived>, fetched: Vec<Arrived>) -> Vec<Arrived> {
    let local = host.iter().position(|source| source.report.layer == LayerName::Local);
    let local = host.split_off(local.unwrap_or(host.len()));
    host.into_iter().chain(fetched).chain(local).collect()
}
