//! What is told: facts of one boot, without any secret and without any words
//! for a certain receiver. It is what lies in the spool.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limits::{CHARACTERS, cut};
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape, read_choice};
use crate::configure::report::{Outcome, Report};
use crate::identity::Identity;
use crate::platform::clock;
use crate::platform::redact::Redactor;

/// The longest name of a task, in characters.
const LONGEST_TASK: usize = 1000;

/// The longest explanation, in characters.
const LONGEST_TEXT: usize = 8000;

/// How many problems of a degraded boot are told.
const PROBLEMS: usize = 10;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The boot failed.
    Failed,
    /// The boot is degraded.
    Degraded,
    /// The boot is as it should be.
    Ready,
    /// The boot is as it should be, and the one before was not.
    Recovered,
    /// The instance was drained, because it ends.
    Drained,
}

impl Event {
    /// The words of the configuration, and what they mean.
    const ALL: &'static [(&'static str, Event)] = &[
        ("failed", Event::Failed),
        ("degraded", Event::Degraded),
        ("ready", Event::Ready),
        ("recovered", Event::Recovered),
        ("drained", Event::Drained),
    ];

    /// The words of the configuration.
    const WORDS: &'static [&'static str] = &["failed", "degraded", "ready", "recovered", "drained"];

    /// The outcome that the event is of.
    pub fn outcome(self) -> &'static str {
        match self {
            Event::Failed => "failed",
            Event::Degraded => "degraded",
            Event::Ready | Event::Recovered => "ready",
            Event::Drained => "drained",
        }
    }

    /// Whether it is what came of a boot. The others are news of their own, and change
    /// nothing of what was told of a boot.
    pub fn is_of_boot(self) -> bool {
        !matches!(self, Event::Drained)
    }

    /// Whether something is wrong.
    pub fn is_bad(self) -> bool {
        matches!(self, Event::Failed | Event::Degraded)
    }
}

impl Setting for Event {
    fn shape() -> Shape {
        Shape::Choice(Self::WORDS)
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let find = |word: &str| Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, e)| *e);
        read_choice(node, path, reader, find, Self::WORDS)
    }
}

/// What is told of one boot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// A name that no other message has.
    pub id: String,
    /// What happened.
    pub event: Event,
    /// When, RFC 3339.
    pub at: String,
    /// The instance; `None` where the boot did not find out.
    pub instance_id: Option<String>,
    /// The host name.
    pub hostname: Option<String>,
    /// The primary private address.
    pub private_ip: Option<String>,
    /// The address that the world sees.
    pub public_ip: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// `vars.environment_id`, or `vars.environment`.
    pub environment: Option<String>,
    /// The version of gild.
    pub version: String,
    /// The boot, as the kernel names it.
    pub boot_id: Option<String>,
    /// The configuration's identity.
    pub digest: Option<String>,
    /// The playbook's identity.
    pub playbook_digest: Option<String>,
    /// When the boot began.
    pub started_at: String,
    /// How long it took.
    pub duration_ms: Option<f64>,
    /// The task that failed.
    pub task: Option<String>,
    /// Why it failed or is degraded.
    pub text: Option<String>,
    /// The variables that templates name.
    pub vars: BTreeMap<String, String>,
}

impl Message {
    /// What is to be told of a boot that has ended.
    pub fn of(report: &Report, took: Option<Duration>) -> Self {
        let event = match report.outcome {
            Outcome::Failed | Outcome::Running => Event::Failed,
            Outcome::Degraded => Event::Degraded,
            Outcome::Ready => Event::Ready,
        };
        let failure = report.failure.as_ref();
        let text = match event {
            Event::Failed => failure.map(|failure| failure.message.clone()),
            Event::Degraded => Some(problems(&report.problems)),
            _ => None,
        };
        Self {
            at: report.ended_at.clone().unwrap_or_else(clock::now_text),
            instance_id: report.instance_id.clone(),
            boot_id: report.boot_id.clone(),
            digest: report.digest.clone(),
            playbook_digest: report.playbook_digest.clone(),
            started_at: report.started_at.clone(),
            duration_ms: took.map(clock::ms),
            task: failure.and_then(|failure| failure.task.clone()),
            text: text.filter(|text| !text.is_empty()),
            ..Self::of_event(event)
        }
    }

    /// A message of something that happens now, without anything else in it.
    pub fn of_event(event: Event) -> Self {
        let now = clock::now_text();
        Self {
            id: format!("{:016x}", fastrand::u64(..)),
            event,
            at: now.clone(),
            instance_id: None,
            hostname: None,
            private_ip: None,
            public_ip: None,
            region: None,
            account: None,
            environment: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: None,
            digest: None,
            playbook_digest: None,
            started_at: now,
            duration_ms: None,
            task: None,
            text: None,
            vars: BTreeMap::new(),
        }
    }

    /// The message with what is known of the instance.
    pub fn about(mut self, identity: &Identity) -> Self {
        self.instance_id = Some(identity.instance_id.clone());
        self.hostname = Some(identity.hostname.clone());
        self.private_ip = identity.private_ip.clone();
        self.public_ip = identity.public_ip.clone();
        self.region = identity.region.clone();
        self.account = identity.account.clone();
        self
    }

    /// The message without any secret, its texts no longer than any receiver
    /// could need them. A text may have been cut before it came here.
    pub fn redacted(mut self, redactor: &Redactor) -> Self {
        let clean = |text: &mut String, limit| {
            *text = cut(&redactor.cut_text(text), limit, CHARACTERS);
        };
        self.task.iter_mut().for_each(|text| clean(text, LONGEST_TASK));
        self.text.iter_mut().for_each(|text| clean(text, LONGEST_TEXT));
        let others = [
            &mut self.instance_id,
            &mut self.hostname,
            &mut self.private_ip,
            &mut self.environment,
        ];
        let vars = self.vars.values_mut();
        others.into_iter().flatten().chain(vars).for_each(|text| clean(text, LONGEST_TASK));
        self
    }

    /// Whether both are the same news: the same outcome with the same
    /// configuration and playbook, of the same instance, in the same boot of it. What is
    /// not of a boot is the same where it began at the same moment.
    pub fn repeats(&self, other: &Self) -> bool {
        if !self.event.is_of_boot() && self.started_at != other.started_at {
            return false;
        }
        let key = |message: &Self| {
            let Self { event, boot_id, digest, playbook_digest, .. } = message.clone();
            (event.outcome(), boot_id, digest, playbook_digest)
        };
        key(self) == key(other) && self.is_of_same_instance(other)
    }

    /// Whether both are of one instance. One of them may come from a boot that
    /// did not find out which instance it is on.
    pub fn is_of_same_instance(&self, other: &Self) -> bool {
        self.instance_id == other.instance_id
            || (self.boot_id.is_some() && self.boot_id == other.boot_id)
    }
}

fn problems(all: &[String]) -> String {
    let mut lines: Vec<&str> = all.iter().take(PROBLEMS).map(String::as_str).collect();
    let more = format!("and {} more", all.len().saturating_sub(PROBLEMS));
    if all.len() > PROBLEMS {
        lines.push(&more);
    }
    lines.join("\n")
}
