//! What is told: facts of one boot, of what is coming for an instance, of an image or of a fleet,
//! without any secret and without any words for a certain receiver. It is what lies in
//! the spool.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use super::event::Event;
use super::image::Image;
use super::limits::{CHARACTERS, cut};
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

/// What is told of one boot, or during it.
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
    /// How long it took; nothing where it is not what is told of.
    pub duration_ms: Option<f64>,
    /// The task that failed.
    pub task: Option<String>,
    /// Why it failed or is degraded, or what is coming.
    pub text: Option<String>,
    /// The variables that templates name.
    pub vars: BTreeMap<String, String>,
    /// The image, where one is what is told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
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
            duration_ms: took.map(clock::ms),
            task: failure.and_then(|failure| failure.task.clone()),
            text: text.filter(|text| !text.is_empty()),
            ..Self::blank(event, Some(report))
        }
    }

    /// What is to be told of something that is not what a boot came to, in the boot
    /// that the report is of. `name` is always the same for the same thing: it is told once.
    pub fn of_news(event: Event, name: String, text: String, report: Option<&Report>) -> Self {
        Self { id: name, text: Some(text), ..Self::blank(event, report) }
    }

    /// What is to be told of an image that was made, or could not be.
    pub fn of_image(event: Event, image: Image) -> Self {
        let text = Some(image.text()).filter(|text| !text.is_empty());
        Self { text, image: Some(image), ..Self::blank(event, None) }
    }

    /// What is to be told of a verb of gild-ami in an account's region.
    pub fn of_fleet(event: Event, verb: &str, account: &str, region: &str, text: String) -> Self {
        Self {
            task: Some(verb.to_owned()),
            account: Some(account.to_owned()),
            region: Some(region.to_owned()),
            text: Some(text).filter(|text| !text.is_empty()),
            ..Self::blank(event, None)
        }
    }

    fn blank(event: Event, report: Option<&Report>) -> Self {
        let now = clock::now_text();
        let started_at = report.map_or_else(|| now.clone(), |report| report.started_at.clone());
        Self {
            id: format!("{:016x}", fastrand::u64(..)),
            event,
            at: now,
            instance_id: report.and_then(|report| report.instance_id.clone()),
            hostname: None,
            private_ip: None,
            public_ip: None,
            region: None,
            account: None,
            environment: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: report.and_then(|report| report.boot_id.clone()),
            digest: report.and_then(|report| report.digest.clone()),
            playbook_digest: report.and_then(|report| report.playbook_digest.clone()),
            started_at,
            duration_ms: None,
            task: None,
            text: None,
            vars: BTreeMap::new(),
            image: None,
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
        let image = self.image.iter_mut().flat_map(Image::texts);
        others
            .into_iter()
            .flatten()
            .chain(vars)
            .chain(image)
            .for_each(|text| clean(text, LONGEST_TASK));
        self
    }

    /// Whether both are the same news: the same outcome with the same
    /// configuration and playbook, of the same instance, in the same boot of it.
    pub fn repeats(&self, other: &Self) -> bool {
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
