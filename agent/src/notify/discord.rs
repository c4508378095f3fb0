//! A message in a Discord channel, by a webhook: one embed with the facts.
//!
//! The limits are those of Discord's page on embeds. The fields are bounded so
//! that with the longest of each the description keeps two thousand characters.

use std::collections::BTreeMap;

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use super::letter::Letter;
use super::limits::{UTF16, code_block, cut, length, line, lines};
use super::message::{Event, Message};
use super::secret_url::{SecretUrl, mask};
use super::{Notifier, SendError, Supplies, post};
use crate::config::SecretRef;
use crate::config::format::{self, Format};
use crate::platform::http::{self, plain_url};
use crate::platform::redact::Redactor;

/// The longest content.
const CONTENT: usize = 2000;
/// The longest title, and the longest name of a field.
const TITLE: usize = 256;
/// The longest description.
const DESCRIPTION: usize = 4096;
/// The longest value of a field.
const VALUE: usize = 1024;
/// The longest value of a field that holds one fact: a limit of our own.
const FACT: usize = 200;
/// The longest name that a webhook may give itself.
const USERNAME: usize = 80;
/// The most that all texts of the embed may have together.
const TOTAL: usize = 6000;

/// The largest list of webhooks.
const LIST_BYTES: usize = 64 << 10;

crate::settings! {
    /// A Discord channel, by a webhook.
    DiscordSettings {
        /// The webhook's URL, as a reference or plainly. It is a secret.
        url: Option<SecretUrl>;
        /// A YAML document with URLs of webhooks, instead of `url`.
        webhooks: Option<String>;
        /// Which of them; where it is not there, "default".
        key: String = "default";
        /// The name that the message is from.
        username: Option<String>;
        /// The URL of the picture beside it.
        avatar_url: Option<String>;
    }
}

/// What Discord is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payload {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar_url: Option<String>,
    content: String,
    allowed_mentions: BTreeMap<&'static str, Vec<String>>,
    embeds: [Embed; 1],
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Embed {
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    color: u32,
    timestamp: String,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Field {
    name: String,
    value: String,
    inline: bool,
}

impl Notifier for DiscordSettings {
    type Target = Url;
    type Payload = Payload;

    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let is_url = |text: &String| plain_url(text).is_some();
        match (&self.url, &self.webhooks) {
            (Some(_), Some(_)) => Some(("url", "must be left out where 'webhooks' is given")),
            (None, None) => Some(("url", "is missing; there must be 'url' or 'webhooks'")),
            (None, Some(list)) if !is_url(list) => {
                Some(("webhooks", "must be a URL that begins with https:// or http://"))
            }
            _ if self.avatar_url.as_ref().is_some_and(|url| !is_url(url)) => {
                Some(("avatar_url", "must be a URL that begins with https:// or http://"))
            }
            _ => None,
        }
    }

    fn mask(&self, redactor: &Redactor) {
        self.url.iter().for_each(|url| url.mask(redactor));
    }

    fn secrets(&self) -> Vec<SecretRef> {
        self.url.iter().filter_map(SecretUrl::reference).collect()
    }

    async fn resolve(&self, supplies: &Supplies) -> Result<Url, SendError> {
        match (&self.url, &self.webhooks) {
            (Some(url), _) => url.resolve(supplies).await,
            (None, list) => {
                let list = list.as_deref().and_then(plain_url);
                let list = list.ok_or_else(|| SendError::ListKey(self.key.clone()))?;
                listed(list, &self.key, supplies).await
            }
        }
    }

    fn payload(&self, letter: &Letter<'_>) -> Payload {
        let title = short(&escaped(&letter.title), TITLE);
        let mut fields: Vec<Field> = letter
            .facts()
            .into_iter()
            .map(|(name, fact)| Field {
                name: name.to_owned(),
                value: short(&escaped(&fact), FACT),
                inline: true,
            })
            .collect();
        if let Some((place, message)) = letter.trouble() {
            let name = short(&escaped(&place), TITLE);
            fields.push(Field { name, value: code_block(message, VALUE, UTF16), inline: false });
        }
        let held_back = letter.held_back();
        let parts = [letter.text.as_deref(), held_back.as_deref()];
        let text: Vec<_> = parts.into_iter().flatten().map(|text| escaped(&lines(text))).collect();
        let of_field = |field: &Field| length(&field.name, UTF16) + length(&field.value, UTF16);
        let used: usize = length(&title, UTF16) + fields.iter().map(of_field).sum::<usize>();
        let room = DESCRIPTION.min(TOTAL.saturating_sub(used));
        Payload {
            username: self.username.as_ref().map(|name| short(name, USERNAME)),
            avatar_url: self.avatar_url.clone(),
            content: content(letter),
            allowed_mentions: BTreeMap::from([("parse", Vec::new())]),
            embeds: [Embed {
                title,
                description: cut(&text.join("\n\n"), room, UTF16),
                color: letter.message.event.colour(),
                timestamp: letter.message.at.clone(),
                fields,
            }],
        }
    }

    async fn send(
        &self,
        url: Url,
        payload: &Payload,
        _: &Message,
        supplies: &Supplies,
    ) -> Result<(), SendError> {
        post::post(&supplies.client, url, HeaderMap::new(), payload).await
    }
}

/// What stands above the embed, and in the notice on a phone.
fn content(letter: &Letter<'_>) -> String {
    let what = match letter.message.event {
        Event::Failed => "Failure",
        Event::Degraded => "Degraded",
        Event::Ready | Event::Recovered => "Success",
        Event::Drained => "Drained",
        Event::Baked => "New image",
        Event::BakeFailed => "No new image",
        Event::Fleet => "Fleet changed",
        Event::FleetFailed => "Fleet not changed",
        Event::Spot => "Spot interruption",
        Event::Rebalance => "Rebalance recommendation",
        Event::Maintenance => "Maintenance",
        Event::Terminating => "Termination",
    };
    match &letter.message.environment {
        Some(environment) => short(&format!("{what} on {}", escaped(environment)), CONTENT),
        None => what.to_owned(),
    }
}

/// One line within a limit. Never empty: Discord refuses an empty name or value.
fn short(text: &str, limit: usize) -> String {
    let short = cut(&line(text), limit, UTF16);
    if short.is_empty() { "-".to_owned() } else { short }
}

/// The text as it is, not as Markdown, and without mentions.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '#' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// The URL that a list of webhooks has under `key`. Each URL of it is a secret
/// from the moment that it is here.
async fn listed(list: Url, key: &str, supplies: &Supplies) -> Result<Url, SendError> {
    let host = post::host(&list);
    let failed = |source| SendError::List { host: host.clone(), source };
    let answer = supplies.client.get(list).send().await;
    let answer = answer.map_err(|error| failed(post::sent(error)))?;
    if answer.status().as_u16() != 200 {
        return Err(failed(http::refused(answer).await));
    }
    let body = http::body(answer, LIST_BYTES).await.map_err(failed)?;
    let text = std::str::from_utf8(&body).map_err(|_| SendError::ListFormat)?;
    let (table, _) = format::parse(text, Format::Yaml).map_err(|_| SendError::ListFormat)?;
    let url = |value: &Value| plain_url(value.as_str()?.trim());
    table.values().filter_map(Value::as_str).for_each(|text| supplies.redactor.add(text));
    table.values().filter_map(url).for_each(|url| mask(&url, &supplies.redactor));
    let found = [key, "default"].iter().find_map(|key| table.get(*key).and_then(url));
    found.ok_or_else(|| SendError::ListKey(key.to_owned()))
}
