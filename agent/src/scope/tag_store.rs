//! The tags of this instance, kept where late ones can be added.
//!
//! They come with the identity where the metadata holds them. Where it does not,
//! the group's tags are asked for at the Auto Scaling API, and only once somebody
//! wants to know: that API answers few questions a second for a whole account.

use std::collections::BTreeMap;
use std::sync::{Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout_at};

use super::aws::LazyAws;
use super::fetch::BACKOFF;
use super::tags::{GroupFault, Rules, TagsError};
use super::text::Found;
use crate::identity::autoscaling::{Group, group};
use crate::identity::imds::{Imds, WantedTags};
use crate::platform::error::chain_text;
use crate::platform::retry::Tries;

/// How often late tags are looked for in the metadata.
const STEP: Duration = Duration::from_millis(250);

/// How often late tags are looked for at the Auto Scaling API.
const API_STEP: Duration = Duration::from_secs(2);

/// Keys and their values.
type Tags = BTreeMap<String, String>;

/// What is known about the tags at first.
#[derive(Debug)]
pub enum Known {
    /// These are all.
    Tags(Tags),
    /// They could not be read.
    Failed(String),
    /// The metadata does not hold them.
    Elsewhere,
}

/// How the group's tags are asked for.
#[derive(Debug, Clone, Copy)]
pub struct GroupApi<'a> {
    /// The way to AWS.
    pub aws: &'a LazyAws,
    /// The instance.
    pub instance: &'a str,
    /// How long one attempt may take.
    pub attempt: Duration,
}

/// The tags of this instance.
#[derive(Debug)]
pub struct TagStore<'a> {
    imds: Option<Mutex<Imds>>,
    api: Option<GroupApi<'a>>,
    wanted: WantedTags,
    state: Lock<State>,
    /// Held by whoever asks, so that one asks for all. What is known can be read
    /// in the meantime: who needs no tags does not wait for them.
    asking: Mutex<()>,
}

#[derive(Debug)]
struct State {
    known: Known,
    group: Option<String>,
    /// Whether this instance may not ask the API.
    denied: bool,
    /// When the API was last asked.
    asked: Option<Instant>,
}

impl<'a> TagStore<'a> {
    /// The tags as they were read with the identity. `api` is who is asked where
    /// they are elsewhere; without it there are none then.
    pub fn new(
        imds: Option<Imds>,
        wanted: WantedTags,
        known: Known,
        api: Option<GroupApi<'a>>,
    ) -> Self {
        let known = match (known, api) {
            (Known::Elsewhere, None) => Known::Tags(Tags::new()),
            (known, _) => known,
        };
        let state = State { known, group: None, denied: false, asked: None };
        let imds = imds.map(Mutex::new);
        Self { imds, api, wanted, state: Lock::new(state), asking: Mutex::new(()) }
    }

    /// Whether the tags have yet to be asked for.
    pub fn unasked(&self) -> bool {
        matches!(self.state().known, Known::Elsewhere)
    }

    /// Why there are no tags, where they could not be read.
    pub fn failure(&self) -> Option<String> {
        match &self.state().known {
            Known::Failed(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The tags that are known by now, and the group where the API was asked.
    pub fn known(&self) -> (Tags, Option<String>) {
        let state = self.state();
        let tags = match &state.known {
            Known::Tags(tags) => tags.clone(),
            Known::Failed(_) | Known::Elsewhere => Tags::new(),
        };
        (tags, state.group.clone())
    }

    /// Makes sure that the tags have been asked for.
    pub async fn learn(&self, deadline: Instant) {
        let _one = self.asking.lock().await;
        let Some(api) = self.api.filter(|_| self.unasked()) else { return };
        let found = self.ask(&api, deadline).await;
        let mut state = self.state();
        state.asked = Some(Instant::now());
        match found {
            Ok(found) => state.take(found),
            Err(error) => {
                state.denied = error.is_denied();
                state.known = Known::Failed(chain_text(&TagsError::Group(error)));
            }
        }
    }

    /// Reads the tags by `rules`, after waiting until `deadline` at most for
    /// those that must be there.
    pub async fn read(&self, rules: &Rules<'_>, deadline: Instant) -> Result<Found, TagsError> {
        let start = Instant::now();
        self.learn(deadline).await;
        loop {
            if let Some(text) = self.failure() {
                return Err(TagsError::Earlier { text, denied: self.state().denied });
            }
            let (tags, _) = self.known();
            let missing = rules.missing(&tags);
            if missing.is_empty() {
                return Ok(rules.read(&tags));
            }
            let late = Instant::now() + STEP >= deadline;
            let Some(imds) = self.imds.as_ref().filter(|_| !late) else {
                return Err(TagsError::Missing {
                    missing,
                    waited: Duration::from_millis(start.elapsed().as_millis() as u64),
                });
            };
            sleep(STEP).await;
            self.look_again(imds, deadline).await?;
        }
    }

    /// Looks for tags that have come in the meantime.
    async fn look_again(&self, imds: &Mutex<Imds>, deadline: Instant) -> Result<(), TagsError> {
        let _one = self.asking.lock().await;
        let fresh = imds.lock().await.tags(&self.wanted, deadline).await;
        match (fresh.map_err(TagsError::Imds)?, &self.api) {
            (Some(tags), _) => self.state().known = Known::Tags(tags),
            (None, None) => self.state().known = Known::Tags(Tags::new()),
            (None, Some(api)) => {
                let asked = self.state().asked;
                if asked.is_none_or(|asked| asked.elapsed() >= API_STEP) {
                    let found = self.ask(api, deadline).await;
                    let mut state = self.state();
                    state.asked = Some(Instant::now());
                    state.take(found.map_err(TagsError::Group)?);
                }
            }
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the API until it answers, fails for good, or time is up.
    async fn ask(
        &self,
        api: &GroupApi<'_>,
        deadline: Instant,
    ) -> Result<Option<Group>, GroupFault> {
        let mut tries = Tries::new(deadline, BACKOFF);
        loop {
            let limit = deadline.min(Instant::now() + api.attempt);
            // On the heap: the way to AWS is a deep one, and few go it.
            let attempt = Box::pin(async {
                let aws = api.aws.get().await?;
                Ok(group(&aws.config, api.instance, &self.wanted).await?)
            });
            match timeout_at(limit, attempt).await.unwrap_or(Err(GroupFault::Timeout(api.attempt)))
            {
                Err(error) if tries.again(&error).await => {}
                result => return result,
            }
        }
    }
}

impl State {
    /// An instance in no group has no tags.
    fn take(&mut self, found: Option<Group>) {
        let (name, tags) = found.map(|group| (group.name, group.tags)).unzip();
        self.group = name;
        self.known = Known::Tags(tags.unwrap_or_default());
    }
}
