//! The courier's work: what is due is sent, what came of it is noted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use reqwest::Client;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Orders, Shared, lock};
use crate::identity::{Identity, host};
use crate::metrics::sink::plausible;
use crate::notify::NotifySettings;
use crate::notify::deliver::{Supplies, attempt};
use crate::notify::error::SendError;
use crate::notify::record::Record;
use crate::notify::spool::{Fate, HOUR, Spool, Spooled, is_recent};
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::platform::http::LONGEST_WISH;
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;
use crate::platform::retry::{Backoff, Retryable, Verdict};
use crate::scope::Context;

const BACKOFF: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(600) };

/// How long one attempt may take. Long, because whoever takes a message and is
/// slow to say so gets it again.
const ATTEMPT: Duration = Duration::from_secs(30);

/// Older messages are given up.
const OLDEST: Duration = Duration::from_secs(24 * 3600);

/// How long `configure` is left alone with a message of its own: longer than it
/// needs. A process that cannot be seen to be gone must not hold it for ever.
const CLAIM: Duration = Duration::from_secs(30);

/// How often it is looked whether `configure` is done.
const CLAIM_STEP: Duration = Duration::from_secs(1);

/// A receiver that did not take a message.
#[derive(Debug)]
pub(super) struct Wait {
    tries: u32,
    pub(super) until: Instant,
}

/// The rounds of the courier.
pub(super) struct Rounds {
    shared: Arc<Shared>,
    paths: Paths,
    client: Client,
    redactor: Redactor,
    boot_id: Option<String>,
    record: Record,
    /// When each message was first seen.
    seen: BTreeMap<String, Instant>,
    pub(super) waits: BTreeMap<String, Wait>,
    /// The orders that the waits are of.
    orders: Arc<Orders>,
}

/// What is next for one notifier.
#[derive(Debug, PartialEq)]
pub(super) enum Next<'a> {
    /// No message waits.
    Nothing,
    /// One waits, and not before this has passed.
    In(Duration),
    /// This one is due.
    Send(&'a Spooled),
}

impl Rounds {
    /// Before the first round.
    pub(super) fn new(context: &Context, shared: Arc<Shared>) -> Self {
        let Context { paths, client, redactor, .. } = context;
        Self {
            shared,
            paths: paths.clone(),
            client: client.clone(),
            redactor: redactor.clone(),
            boot_id: host::boot_id(paths),
            record: Record::load(&paths.told()),
            seen: BTreeMap::new(),
            waits: BTreeMap::new(),
            orders: Arc::default(),
        }
    }

    /// Goes round until it is told to stop.
    pub(super) async fn run(mut self) {
        while !self.shared.stopping.load(Ordering::Relaxed) {
            let orders = lock(&self.shared.orders).clone();
            let pause = self.round(&orders).await;
            let woken = self.shared.wake.notified();
            match pause {
                None => woken.await,
                Some(pause) => drop(tokio::time::timeout(pause, woken).await),
            }
        }
    }

    /// Sends what is due. Gives the time until more is; `None` where nothing
    /// waits.
    pub(super) async fn round(&mut self, orders: &Arc<Orders>) -> Option<Duration> {
        // Whoever changed what was wrong need not wait for the next try.
        if !Arc::ptr_eq(&self.orders, orders) {
            self.waits.clear();
            self.orders = Arc::clone(orders);
        }
        if orders.notifiers.is_empty() {
            return None;
        }
        // What is coming does not wait behind what was.
        let mut spooled = Spool::at(&self.paths.notices()).list();
        spooled.extend(Spool::at(&self.paths.messages()).list());
        self.record.keep(&spooled);
        spooled.retain(|spooled| self.is_own(spooled, orders.identity.as_ref()));
        self.see(&spooled);
        let region = orders.identity.as_ref().and_then(|identity| identity.region.clone());
        let mut supplies = None;
        let mut pause: Option<Duration> = None;
        let mut tasks = JoinSet::new();
        for (name, notifier) in &orders.notifiers {
            match self.next(name, notifier, &spooled) {
                Next::Nothing => {}
                Next::In(wait) => pause = Some(pause.map_or(wait, |least| least.min(wait))),
                Next::Send(spooled) => {
                    // Another one may wait behind it.
                    pause = Some(Duration::ZERO);
                    let supplies = supplies.get_or_insert_with(|| {
                        Supplies::new(&self.paths, &self.client, &self.redactor, region.clone())
                    });
                    let (supplies, notifier) = (supplies.clone(), notifier.clone());
                    let (name, id) = (name.clone(), spooled.id.clone());
                    let mut message = spooled.message.clone();
                    // The boot did not find out which instance this is.
                    if let (None, Some(own)) = (&message.instance_id, &orders.identity) {
                        message = message.about(own);
                    }
                    let held_back = spooled.to.get(&name).map_or(0, |way| way.held_back);
                    tasks.spawn(async move {
                        let sent =
                            attempt(&notifier, &message, held_back, &supplies, ATTEMPT).await;
                        (name, id, sent)
                    });
                }
            }
        }
        while let Some(joined) = tasks.join_next().await {
            if let Ok((name, id, sent)) = joined {
                self.note(&name, &id, sent);
            }
        }
        pause
    }

    /// Notes when each message was first seen.
    pub(super) fn see(&mut self, spooled: &[Spooled]) {
        self.seen.retain(|id, _| spooled.iter().any(|spooled| spooled.id == *id));
        for spooled in spooled {
            self.seen.entry(spooled.id.clone()).or_insert_with(Instant::now);
        }
    }

    /// Whether a message is this instance's. In a boot that did not find out
    /// which instance it is on, its own are those of the same boot.
    fn is_own(&self, spooled: &Spooled, identity: Option<&Identity>) -> bool {
        let message = &spooled.message;
        let same =
            identity.is_some_and(|own| message.instance_id.as_ref() == Some(&own.instance_id));
        same || (message.boot_id.is_some() && message.boot_id == self.boot_id)
    }

    /// What is next for a notifier. What is too old is given up.
    pub(super) fn next<'a>(
        &mut self,
        name: &str,
        notifier: &NotifySettings,
        spooled: &'a [Spooled],
    ) -> Next<'a> {
        let waiting: Vec<&Spooled> = spooled
            .iter()
            .filter(|spooled| spooled.waits_for(name))
            .filter(|spooled| !self.record.is_settled(&spooled.id, name))
            .collect();
        let (old, waiting): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|spooled| self.age(spooled) > OLDEST);
        for spooled in old {
            tracing::warn!(notifier = name, "a message is given up: it is too old");
            self.settle(name, &spooled.id, Fate::Dropped);
        }
        lock(&self.shared.stats).entry(name.to_owned()).or_default().waiting = waiting.len() as u64;
        let Some(first) = waiting.first().copied() else { return Next::Nothing };
        let seen = self.seen.get(&first.id).map_or(Duration::MAX, Instant::elapsed);
        if seen < CLAIM && first.by.is_some_and(|process| process.is_alive()) {
            return Next::In(CLAIM_STEP);
        }
        let wait = self.waits.get(name).map(|wait| wait.until);
        let left = wait.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.unwrap_or_default().max(wish(first, name, seen));
        if !left.is_zero() {
            return Next::In(left);
        }
        match self.room(name, notifier, spooled) {
            None => Next::Send(first),
            Some(wait) => Next::In(wait),
        }
    }

    /// How long ago a message was queued. Where the clock was not set then, how
    /// long ago it was first seen.
    fn age(&self, spooled: &Spooled) -> Duration {
        match humantime::parse_rfc3339(&spooled.queued_at) {
            Ok(at) if plausible(at) => SystemTime::now().duration_since(at).unwrap_or_default(),
            _ => self.seen.get(&spooled.id).map_or(Duration::ZERO, Instant::elapsed),
        }
    }

    /// `None` where the hour has room for one more message, else how long until
    /// it has.
    fn room(&self, name: &str, notifier: &NotifySettings, spooled: &[Spooled]) -> Option<Duration> {
        let by_configure = spooled.iter().filter_map(|spooled| spooled.to.get(name));
        let by_configure = by_configure
            .filter(|way| way.fate == Fate::Delivered && is_recent(&way.at))
            .map(|way| way.at.as_str());
        let mut sent: Vec<&str> = by_configure.chain(self.record.recent(name)).collect();
        let most = usize::try_from(notifier.rules.most_per_hour).unwrap_or(usize::MAX);
        let surplus = (sent.len() + 1).checked_sub(most).filter(|surplus| *surplus > 0)?;
        sent.sort_unstable();
        // There is room when enough of the oldest are an hour old.
        let at = humantime::parse_rfc3339(sent.get(surplus - 1)?).ok()?;
        let age = SystemTime::now().duration_since(at).unwrap_or_default();
        Some(HOUR.saturating_sub(age) + Duration::from_secs(1))
    }

    fn note(&mut self, name: &str, id: &str, sent: Result<(), SendError>) {
        let error = match sent {
            Ok(()) => {
                tracing::info!(notifier = name, "a message that waited has arrived");
                self.waits.remove(name);
                self.settle(name, id, Fate::Delivered);
                return;
            }
            Err(error) => error,
        };
        let text = self.redactor.text(&chain_text(&error));
        lock(&self.shared.stats).entry(name.to_owned()).or_default().last_error =
            Some(text.clone());
        let tries = self.waits.get(name).map_or(0, |wait| wait.tries) + 1;
        let wait = match error.verdict() {
            Verdict::Permanent => {
                tracing::warn!(notifier = name, "a message is given up: {text}");
                self.waits.remove(name);
                self.settle(name, id, Fate::Dropped);
                return;
            }
            Verdict::Transient => BACKOFF.wait(tries),
            Verdict::After(wish) => wish.max(BACKOFF.wait(tries)),
        };
        if tries == 1 {
            tracing::warn!(notifier = name, "a message has not arrived and waits: {text}");
        }
        self.waits.insert(name.to_owned(), Wait { tries, until: Instant::now() + wait });
    }

    fn settle(&mut self, name: &str, id: &str, fate: Fate) {
        if let Err(error) = self.record.settle(id, name, fate) {
            tracing::warn!(%error, "what has been told cannot be written down");
        }
        let mut stats = lock(&self.shared.stats);
        let stats = stats.entry(name.to_owned()).or_default();
        if fate == Fate::Delivered {
            stats.delivered += 1;
            stats.last_error = None;
            stats.last_success = Some(clock::now_text());
        } else {
            stats.dropped += 1;
        }
    }
}

/// How long the receiver wants to be left alone still, as `configure` was told.
/// A clock that was set since must not make that longer than any wish is.
fn wish(spooled: &Spooled, name: &str, seen: Duration) -> Duration {
    let at = spooled.to.get(name).and_then(|way| way.not_before.as_deref());
    let at = at.and_then(|at| humantime::parse_rfc3339(at).ok());
    let left = at.and_then(|at| at.duration_since(SystemTime::now()).ok()).unwrap_or_default();
    left.min(LONGEST_WISH.saturating_sub(seen))
}
