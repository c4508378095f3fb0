//! Who is told what came of a boot, and what is coming for the instance: one kind
//! of receiver a file.
//!
//! `message` is what is told, `letter` how it reads, `limits` how long it may
//! be. `spool` keeps messages until they have arrived: `announce` is what
//! `configure` does, `courier` is what the daemon does with the rest.
//!
//! To add a notifier: a file with its `settings!` and an implementation of
//! `Notifier` for them, a `mod` line, and one line in `notifiers!` below. To add
//! an event: see `event`.

/// What `configure` does with a message.
pub mod announce;
/// What the daemon does with the messages that wait.
pub mod courier;
/// One message to one receiver.
pub mod deliver;
/// A message that is sent at once or not at all.
mod direct;
/// Discord, by a webhook.
pub mod discord;
/// Why a message did not arrive.
pub mod error;
/// What can be told of.
pub mod event;
/// Images, and what Packer says of them.
pub mod image;
/// A message as one receiver reads it.
pub mod letter;
/// How long texts may be.
pub mod limits;
/// What is told.
pub mod message;
/// A body to a URL.
mod post;
/// What the daemon has told.
pub mod record;
/// URLs that are secrets.
pub mod secret_url;
/// Who is told what.
pub mod settings;
/// The body that Slack takes.
pub mod slack;
/// Amazon SNS.
pub mod sns;
/// Messages that wait.
pub mod spool;
/// Texts of the user's own.
pub mod template;
/// Any receiver of JSON.
pub mod webhook;

use std::collections::BTreeMap;

use serde_json::Value;

use self::letter::Letter;
use self::message::Message;
use crate::config::SecretRef;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape, quoted};
use crate::platform::redact::Redactor;

pub use self::deliver::Supplies;
pub use self::error::SendError;
pub use self::settings::Rules;

/// A kind of receiver. It is implemented for its settings: nothing is set up
/// before there is something to tell.
pub trait Notifier: Send + Sync {
    /// Where a message goes: what the settings refer to, resolved.
    type Target: Send + Sync;

    /// What one message is for this receiver.
    type Payload: serde::Serialize + Send + Sync;

    /// What is wrong with the settings as a whole: the key, and what it must be.
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Registers what is secret in the settings themselves.
    fn mask(&self, _: &Redactor) {}

    /// What the settings refer to.
    fn secrets(&self) -> Vec<SecretRef> {
        Vec::new()
    }

    /// Resolves what the settings refer to. Nothing is rendered before, so that
    /// no secret of the notifier itself is in what is sent.
    fn resolve(
        &self,
        supplies: &Supplies,
    ) -> impl Future<Output = Result<Self::Target, SendError>> + Send;

    /// The message within the receiver's limits.
    fn payload(&self, letter: &Letter<'_>) -> Self::Payload;

    /// Sends it once.
    fn send(
        &self,
        target: Self::Target,
        payload: &Self::Payload,
        message: &Message,
        supplies: &Supplies,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
}

/// One notifier: whom it tells, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct NotifySettings {
    /// When, how often and in which words.
    pub rules: Rules,
    /// Whom.
    pub receiver: Receiver,
}

macro_rules! notifiers {
    ($( $word:literal => $variant:ident($settings:path), )+) => {
        /// A receiver's settings, by its `type`.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Receiver {
            $( #[doc = concat!("`type = \"", $word, "\"`")] $variant($settings), )+
        }

        impl Receiver {
            /// The words that `type` may be.
            pub const TYPES: &'static [&'static str] = &[$($word),+];

            fn variants() -> Vec<(&'static str, Vec<crate::config::schema::Field>)> {
                vec![ $( ($word, <$settings>::fields()) ),+ ]
            }

            fn read(kind: &str, node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
                match kind {
                    $( $word => <$settings>::read(node, path, reader).map(Receiver::$variant), )+
                    _ => None,
                }
            }

            fn problem(&self) -> Option<(&'static str, &'static str)> {
                match self { $( Receiver::$variant(settings) => settings.problem(), )+ }
            }

            /// Registers what is secret in the settings themselves.
            pub fn mask(&self, redactor: &Redactor) {
                match self { $( Receiver::$variant(settings) => settings.mask(redactor), )+ }
            }

            /// The secrets that are resolved for the receiver.
            pub fn secrets(&self) -> Vec<SecretRef> {
                match self { $( Receiver::$variant(settings) => settings.secrets(), )+ }
            }

            /// What the receiver would be sent, as JSON. Nothing is sent.
            pub fn preview(&self, letter: &Letter<'_>) -> Value {
                match self { $( Receiver::$variant(settings) => {
                    serde_json::to_value(settings.payload(letter)).unwrap_or_default()
                } )+ }
            }

            /// Sends a message once.
            pub async fn tell(
                &self,
                message: &Message,
                rules: &Rules,
                held_back: u32,
                supplies: &Supplies,
            ) -> Result<(), SendError> {
                match self { $( Receiver::$variant(settings) => {
                    let target = settings.resolve(supplies).await?;
                    // What has become known since it was written is masked too.
                    let message = message.clone().redacted(&supplies.redactor);
                    let letter = Letter::new(&message, rules, held_back);
                    let payload = settings.payload(&letter);
                    settings.send(target, &payload, &message, supplies).await
                } )+ }
            }
        }
    };
}

// The registry.
notifiers! {
    "discord" => Discord(discord::DiscordSettings),
    "sns" => Sns(sns::SnsSettings),
    "webhook" => Webhook(webhook::WebhookSettings),
}

impl Setting for NotifySettings {
    fn shape() -> Shape {
        let with_rules = |(word, fields)| (word, [fields, Rules::fields()].concat());
        let variants = Receiver::variants().into_iter().map(with_rules).collect();
        Shape::Variants { tag: "type", words: Receiver::TYPES, variants }
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let entries = reader.table(node, path, "a table")?.clone();
        let of_rules: Vec<_> = Rules::fields().iter().map(|field| field.key).collect();
        let (rules, mut rest): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(key, _)| of_rules.contains(&key.as_str()));
        let kind = rest.iter().position(|(key, _)| key == "type").map(|at| rest.remove(at).1);
        let table = |entries: Vec<_>| Node::Table {
            origin: node.origin().clone(),
            entries: entries.into_iter().collect(),
        };
        let rules = Rules::read(&table(rules), path, reader);
        let of_type = path.child("type");
        let Some(kind) = kind else {
            let message = format!("is missing; it must be {}", quoted(Receiver::TYPES));
            reader.hidden_problem(node, &of_type, &message);
            return None;
        };
        let word = kind.to_value().as_str().unwrap_or_default().to_owned();
        if !Receiver::TYPES.contains(&word.as_str()) {
            reader.problem(&kind, &of_type, &format!("must be {}", quoted(Receiver::TYPES)));
            return None;
        }
        let receiver = Receiver::read(&word, &table(rest), path, reader)?;
        if let Some((key, message)) = receiver.problem() {
            reader.hidden_problem(node, &path.child(key), message);
            return None;
        }
        Some(Self { rules: rules?, receiver })
    }
}

/// Registers the secrets that stand in settings themselves, before anything of
/// them is shown.
pub fn mask(notifiers: &BTreeMap<String, NotifySettings>, redactor: &Redactor) {
    notifiers.values().for_each(|notifier| notifier.receiver.mask(redactor));
}

#[cfg(test)]
mod tests;
