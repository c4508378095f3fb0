//! The whole way from "who am I" to settings.
//!
//! Identity, the documents of the host, the sources that they name, the merge,
//! the last valid copies, the verdict. Whatever goes wrong on this way, there
//! is a `Resolution` with settings in it, so that the daemon can measure, and
//! a verdict that says what is wrong.

use std::path::{Path, PathBuf};

use reqwest::Client;
use tokio::time::Instant;

use super::arrived::{Arrived, Next};
use super::aws::LazyAws;
use super::documents;
use super::fetch::{Job, Reach};
use super::http::Web;
use super::last_good::{Copies, LastGood, Reader};
use super::placeholder::{Values, tags_in};
use super::resolution::{Resolution, finish, phase};
use super::settings::OneScope;
use super::settle::{DefaultsInvalid, Settled, Terms, settle};
use super::source::Source;
use super::tag_store::{GroupApi, Known, TagStore};
use super::text::Text;
use super::verdict::Judge;
use super::waves;
use crate::config::LayerName;
use crate::configure::report::SourceOutcome;
use crate::identity::imds::WantedTags;
use crate::identity::{Discovered, Identity, ImdsOptions, Provenance, TagsState, discover, host};
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;

/// What a resolution is made with.
#[derive(Debug, Clone)]
pub struct Context {
    /// Where files are.
    pub paths: Paths,
    /// The HTTP stack.
    pub client: Client,
    /// How to ask who this instance is.
    pub imds: ImdsOptions,
    /// What masks secrets in the texts of the resolution.
    pub redactor: Redactor,
    /// What becomes of new copies of documents.
    pub copies: Copies,
    /// A directory whose `global`, `account` and `service` documents are all
    /// there is: no metadata service, no AWS, no documents of the host, no
    /// copies.
    pub local: Option<PathBuf>,
}

/// Resolves the configuration of this instance.
pub async fn resolve(context: &Context) -> Result<Resolution, DefaultsInvalid> {
    let start = Instant::now();
    match &context.local {
        Some(directory) => fixed(context, directory, start),
        None => scoped(context, start).await,
    }
}

/// What is known before anything has been fetched, which is what a daemon
/// starts with: what the documents of the host say alone.
pub fn at_start(context: &Context) -> Result<Settled, DefaultsInvalid> {
    match context.local {
        // A directory that stands for all scopes is read when it is resolved.
        Some(_) => settle(&mut [], &Terms::default()),
        None => host_alone(&context.paths),
    }
}

/// What the documents of the host say alone, and what is wrong with them.
pub fn host_alone(paths: &Paths) -> Result<Settled, DefaultsInvalid> {
    let mut arrived = documents::of_host(paths);
    let mut settled = settle(&mut arrived, &Terms::default())?;
    settled.problems.extend(arrived.iter().flat_map(Arrived::faults));
    Ok(settled)
}

/// The documents of one directory, and nothing else.
fn fixed(
    context: &Context,
    directory: &Path,
    start: Instant,
) -> Result<Resolution, DefaultsInvalid> {
    let identity = host::identity(&context.paths);
    let phases = vec![phase("identity", start, true)];
    let start = Instant::now();
    let mut arrived = documents::of_scopes(directory);
    let settled = settle(&mut arrived, &Terms::default())?;
    let mut judge = Judge::default();
    if arrived.is_empty() {
        judge.fail(format!(
            "'{}' holds no document named global, account or service",
            directory.display()
        ));
    }
    Ok(finish(context, Some(identity), settled, arrived, judge, phases, start))
}

/// The documents of the host and the sources that they name.
async fn scoped(context: &Context, start: Instant) -> Result<Resolution, DefaultsInvalid> {
    let arrived = documents::of_host(&context.paths);
    // Only the host's own layers say where the others are.
    let base = settle(&mut arrived.clone(), &Terms::default())?;
    let scope = &base.settings.scope;
    let terms = Terms::of(scope);
    let scopes = [
        (LayerName::Global, &scope.global),
        (LayerName::Account, &scope.account),
        (LayerName::Service, &scope.service),
    ];
    let mut options = context.imds.clone();
    add_wanted(&mut options.wanted_tags, &scopes);
    let discovered = discover(&options, &context.paths).await;
    let mut phases = vec![phase("identity", start, discovered.is_ok())];
    let start = Instant::now();
    let mut judge = Judge::default();
    let (identity, fetched, copies) = match discovered {
        Ok(discovered) => {
            let host = Host { arrived: &arrived, base: &base, terms: &terms };
            let wanted = options.wanted_tags;
            let (identity, fetched, copies) =
                ask(context, &host, &scopes, discovered, wanted).await;
            (Some(identity), fetched, Some(copies))
        }
        Err(error) => {
            let error = chain_text(&error);
            let fetched = not_asked(&scopes, &error);
            judge.fail(error);
            (None, fetched, None)
        }
    };
    let mut arrived = waves::in_order(arrived, fetched);
    let settled = settle(&mut arrived, &terms)?;
    for (layer, one) in &scopes {
        judge.scope(*layer, one, &arrived);
    }
    if let Some(copies) = &copies {
        keep(copies, &arrived);
    }
    let resolution =
        finish(context, identity, settled, arrived, judge, std::mem::take(&mut phases), start);
    Ok(resolution)
}

/// What the host's own documents say.
struct Host<'a> {
    arrived: &'a [Arrived],
    base: &'a Settled,
    terms: &'a Terms,
}

/// Asks all sources of all scopes.
async fn ask(
    context: &Context,
    host: &Host<'_>,
    scopes: &[(LayerName, &OneScope)],
    discovered: Discovered,
    wanted: WantedTags,
) -> (Identity, Vec<Arrived>, LastGood) {
    let scope = &host.base.settings.scope;
    let environment = waves::environment(&host.base.merged);
    let Discovered { mut identity, imds, tags, role } = discovered;
    let known = match tags {
        TagsState::Read => Known::Tags(identity.tags.clone()),
        TagsState::Unavailable => Known::Elsewhere,
        TagsState::Failed(error) => Known::Failed(chain_text(&error)),
    };
    let reader = role.map(|role| Reader { instance: identity.instance_id.clone(), role });
    let copies = LastGood::new(&context.paths, identity.account.clone(), &context.copies);
    let copies = copies.read_by(reader);
    let aws = LazyAws::new(context.client.clone(), identity.region.clone(), scope.attempt_timeout);
    // Off EC2 there is no group to ask for.
    let api = (identity.provenance == Provenance::Imds).then_some(GroupApi {
        aws: &aws,
        instance: &identity.instance_id,
        attempt: scope.attempt_timeout,
    });
    let store = TagStore::new(imds, wanted, known, api);
    let web = Web::new(context.client.clone(), scope.local_targets);
    let reach = Reach {
        paths: &context.paths,
        web: &web,
        aws: &aws,
        tags: &store,
        values: Values { identity: &identity, environment: environment.as_deref() },
        last_good: Some(&copies),
        attempt: scope.attempt_timeout,
        tags_wait: scope.tags_wait,
        deadline: Instant::now() + scope.deadline,
    };
    let jobs: Vec<Job<'_>> = scopes
        .iter()
        .flat_map(|(layer, scope)| {
            scope.sources.iter().map(|source| Job { layer: *layer, source, scope })
        })
        .collect();
    let fetched = waves::ask(&jobs, &reach, host.arrived, host.terms).await;
    let (tags, group) = store.known();
    identity.tags = tags;
    identity.autoscaling_group = group.or(identity.autoscaling_group);
    (identity, fetched, copies)
}

/// Every source, as not asked.
fn not_asked(scopes: &[(LayerName, &OneScope)], reason: &str) -> Vec<Arrived> {
    let sources = scopes.iter().flat_map(|(layer, scope)| {
        scope.sources.iter().map(|source| (*layer, source.url.as_str()))
    });
    sources
        .map(|(layer, url)| {
            let mut arrived = Arrived::nothing(layer, url);
            arrived.report.state = SourceOutcome::Failed;
            arrived.report.error = Some(format!("not asked: {reason}"));
            arrived
        })
        .collect()
}

/// What the sources need to know about the instance's tags.
fn add_wanted(wanted: &mut WantedTags, scopes: &[(LayerName, &OneScope)]) {
    for (_, scope) in scopes {
        wanted.keys.extend(scope.import.keys().cloned());
        wanted.keys.extend(scope.require.iter().cloned());
        for source in &scope.sources {
            wanted.keys.extend(tags_in(&source.url).map(str::to_owned));
            if let Ok(Source::Tags(prefix)) = Source::parse(&source.url) {
                wanted.prefixes.insert(prefix);
            }
        }
    }
}

/// Keeps what has proved good.
fn keep(copies: &LastGood, arrived: &[Arrived]) {
    for source in arrived {
        let Some(Next { subject, texts, least }) = &source.keep else { continue };
        let keys = |text: &Text| text.parse(None).map_or(0, |document| document.keys());
        if texts.iter().map(keys).sum::<usize>() < *least {
            continue;
        }
        if let Err(error) = copies.keep(subject, texts, &source.layers) {
            // The boot is as good as it was; the next one may miss the copy.
            tracing::warn!(source = subject.source, %error, "failed to keep a copy of a document");
        }
    }
}
