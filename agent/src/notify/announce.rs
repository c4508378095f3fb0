//! What `configure` does with a message: it is put into the spool, then sent
//! while there is time. What has not arrived by then the daemon sends later.
//! Nothing of it changes what came of the boot. What the daemon itself has to tell
//! it leaves in a spool of its own, and sends it at once.
//!
//! The news of a good boot is only put into the spool where a daemon answers that
//! sends it: systemd takes the instance for configured when `configure` ends, and
//! that must not wait for a receiver.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use http::Method;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::deliver::{Supplies, attempt};
use super::error::SendError;
use super::message::Message;
use super::spool::{Fate, Spool, SpoolError, Spooled};
use super::template::variable;
use super::{NotifySettings, mask};
use crate::config::Settings;
use crate::identity::Identity;
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;
use crate::platform::retry::{Backoff, Retryable, Tries, Verdict};
use crate::scope::waves::ENVIRONMENT;
use crate::status::client;

/// How long a boot waits for its message to arrive.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long a daemon may take to say that it is there.
const DAEMON: Duration = Duration::from_millis(500);

/// How long it waits for one answer.
const ATTEMPT: Duration = Duration::from_secs(9);

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(500), most: Duration::from_secs(3) };

/// Who is told, and what all messages say.
#[derive(Debug, Clone, Default)]
pub struct Audience {
    notifiers: BTreeMap<String, NotifySettings>,
    identity: Option<Identity>,
    environment: Option<String>,
    vars: BTreeMap<String, String>,
}

/// What came of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// Nobody is to be told, or it was told before.
    Nothing,
    /// It arrived everywhere.
    Arrived,
    /// The daemon sends it.
    Left,
    /// It waits, or was given up, somewhere.
    NotEverywhere,
}

impl Audience {
    /// The audience that settings name. Their plain secrets are masked from here.
    pub fn of(settings: &Settings, identity: Option<&Identity>, redactor: &Redactor) -> Self {
        let notifiers = settings.notify.clone();
        mask(&notifiers, redactor);
        let text = |key: &str| settings.vars.0.get(key).and_then(variable);
        let words = notifiers.values().filter_map(|notifier| notifier.rules.template.as_ref());
        let templates = words.flat_map(|words| words.title.iter().chain(&words.text));
        let named = templates.flat_map(|template| template.variables());
        let vars = named.filter_map(|key| Some((key.to_owned(), text(key)?))).collect();
        let environment = ENVIRONMENT.into_iter().find_map(text);
        Self { environment, vars, identity: identity.cloned(), notifiers }
    }

    /// The region that the instance is in.
    pub fn region(&self) -> Option<String> {
        self.identity.as_ref().and_then(|identity| identity.region.clone())
    }

    /// Whom it may be, by name.
    pub(super) fn notifiers(&self) -> impl Iterator<Item = (&String, &NotifySettings)> {
        self.notifiers.iter()
    }

    /// Tells everybody who wants to know, within `PATIENCE`; or leaves it to a daemon
    /// that answers at one of these sockets.
    pub async fn tell(
        &self,
        message: Message,
        paths: &Paths,
        supplies: &Supplies,
        daemons: &[PathBuf],
    ) -> Announced {
        if self.notifiers.is_empty() {
            return Announced::Nothing;
        }
        let deadline = Instant::now() + PATIENCE;
        let message = self.addressed(message, &supplies.redactor);
        let spool = Spool::at(&paths.messages());
        let Some(mut spooled) = Spooled::new(message, &self.notifiers, &spool.list()) else {
            tracing::info!("what came of this boot has been told already");
            return Announced::Nothing;
        };
        let waits = spooled.to.values().any(|way| way.fate == Fate::Waiting);
        let left = waits && is_there(daemons).await;
        if left {
            spooled.by = None;
        }
        let path = spool.add(&spooled);
        match &path {
            Ok(_) if left => {
                tracing::info!("the daemon tells what came of this boot");
                return Announced::Left;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!("{}", chain_text(error)),
        }
        let mut sending = Sending { spool, path: path.ok(), spooled };
        sending.run(&self.notifiers, supplies, deadline).await;
        sending.spooled.by = None;
        sending.save();
        let mut ways = sending.spooled.to.values();
        match ways.len() {
            0 => Announced::Nothing,
            _ if ways.all(|way| way.fate == Fate::Delivered) => Announced::Arrived,
            _ => Announced::NotEverywhere,
        }
    }

    /// Leaves the daemon's own message where its courier finds it; says whether
    /// anybody is to be told.
    pub fn leave(
        &self,
        message: Message,
        paths: &Paths,
        redactor: &Redactor,
    ) -> Result<bool, SpoolError> {
        if self.notifiers.is_empty() {
            return Ok(false);
        }
        let own = Spool::at(&paths.notices());
        let mut earlier = own.list();
        earlier.extend(Spool::at(&paths.messages()).list());
        earlier.sort_by(|a, b| a.queued_at.cmp(&b.queued_at));
        let message = self.addressed(message, redactor);
        let Some(mut spooled) = Spooled::new(message, &self.notifiers, &earlier) else {
            return Ok(false);
        };
        // Its sender is the courier.
        spooled.by = None;
        own.add(&spooled).map(|_| !spooled.to.is_empty())
    }

    /// The message with what all messages say.
    pub(super) fn addressed(&self, mut message: Message, redactor: &Redactor) -> Message {
        if let Some(identity) = &self.identity {
            message = message.about(identity);
        }
        message.environment = self.environment.clone();
        message.vars = self.vars.clone();
        message.redacted(redactor)
    }
}

/// Whether a daemon answers at one of these sockets. That somebody listens is not
/// enough: that may be systemd, for a daemon that does not come up.
async fn is_there(daemons: &[PathBuf]) -> bool {
    for socket in daemons {
        if let Ok((200, _)) = client::ask(socket, Method::GET, "/v1/status", DAEMON).await {
            return true;
        }
    }
    false
}

/// A message on its way to everybody.
struct Sending {
    spool: Spool,
    /// Its file, where it could be kept.
    path: Option<PathBuf>,
    spooled: Spooled,
}

impl Sending {
    /// Sends to all at the same time, and notes each arrival at once: whoever
    /// goes on after a crash must know.
    async fn run(
        &mut self,
        notifiers: &BTreeMap<String, NotifySettings>,
        supplies: &Supplies,
        deadline: Instant,
    ) {
        let mut tasks = JoinSet::new();
        for (name, notifier) in notifiers {
            match self.spooled.to.get(name) {
                Some(way) if way.fate == Fate::Waiting => {
                    let (name, notifier) = (name.clone(), notifier.clone());
                    let (message, held_back) = (self.spooled.message.clone(), way.held_back);
                    let supplies = supplies.clone();
                    tasks.spawn(async move {
                        let sent = insist(&notifier, &message, held_back, &supplies, deadline);
                        (name, sent.await)
                    });
                }
                Some(way) if way.fate == Fate::Held => {
                    tracing::warn!(notifier = name, "a message is held back: too many in an hour");
                }
                _ => {}
            }
        }
        while let Ok(Some(Ok((name, sent)))) = timeout_at(deadline, tasks.join_next()).await {
            self.note(&name, sent);
        }
        for (name, _) in self.spooled.to.iter().filter(|(_, way)| way.fate == Fate::Waiting) {
            tracing::warn!(notifier = name, "a message has not arrived; the daemon goes on");
        }
    }

    fn note(&mut self, name: &str, sent: Result<(), SendError>) {
        match sent {
            Ok(()) => {
                tracing::info!(notifier = name, "a message has arrived");
                self.spooled.settle(name, Fate::Delivered);
            }
            Err(error) if error.verdict() == Verdict::Permanent => {
                tracing::warn!(notifier = name, "a message is given up: {}", chain_text(&error));
                self.spooled.settle(name, Fate::Dropped);
            }
            Err(error) => {
                tracing::warn!(notifier = name, "{}", chain_text(&error));
                let Verdict::After(wish) = error.verdict() else { return };
                if let Some(way) = self.spooled.to.get_mut(name) {
                    way.not_before = Some(clock::text(SystemTime::now() + wish));
                }
            }
        }
        self.save();
    }

    fn save(&self) {
        let Some(path) = &self.path else { return };
        if let Err(error) = self.spool.save(path, &self.spooled) {
            tracing::warn!("{}", chain_text(&error));
        }
    }
}

/// Sends until it arrives, is refused, or time is up.
pub(super) async fn insist(
    notifier: &NotifySettings,
    message: &Message,
    held_back: u32,
    supplies: &Supplies,
    deadline: Instant,
) -> Result<(), SendError> {
    let mut tries = Tries::new(deadline, BACKOFF);
    loop {
        match attempt(notifier, message, held_back, supplies, ATTEMPT).await {
            Err(error) if tries.again(&error).await => {}
            result => return result,
        }
    }
}
