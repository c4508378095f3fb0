//! A message to any receiver of JSON: gild's own form, which
//! `config/README.md` describes, or the one that Slack takes.

use std::collections::BTreeMap;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::letter::Letter;
use super::limits::{CHARACTERS, cut, line, lines};
use super::message::Message;
use super::secret_url::SecretUrl;
use super::{Notifier, SendError, Supplies, post, slack};
use crate::config::SecretRef;
use crate::platform::redact::Redactor;

/// The longest text of one value.
const TEXT: usize = 8000;

crate::choices! {
    /// The form of a body.
    BodyFormat {
        /// gild's own.
        "json" => Json,
        /// What Slack and those who follow it take.
        "slack" => Slack,
    }
}

crate::settings! {
    /// Any receiver of JSON.
    WebhookSettings {
        /// The receiver's URL, as a reference or plainly. It is a secret.
        url: SecretUrl;
        /// The body: "json", or "slack".
        format: BodyFormat = "json";
        /// Headers, each value a reference.
        headers: BTreeMap<String, SecretRef> = {};
    }
}

impl Notifier for WebhookSettings {
    type Target = (Url, HeaderMap);
    type Payload = Value;

    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let legal = |name: &String| HeaderName::from_bytes(name.as_bytes()).is_ok();
        let fine = self.headers.keys().all(legal);
        (!fine).then_some(("headers", "must have names of letters, digits and '-'"))
    }

    fn mask(&self, redactor: &Redactor) {
        self.url.mask(redactor);
    }

    fn secrets(&self) -> Vec<SecretRef> {
        self.url.reference().into_iter().chain(self.headers.values().cloned()).collect()
    }

    async fn resolve(&self, supplies: &Supplies) -> Result<(Url, HeaderMap), SendError> {
        let url = self.url.resolve(supplies).await?;
        let mut headers = HeaderMap::new();
        for (name, reference) in &self.headers {
            let secret = supplies.secrets.resolve(reference).await?;
            let unfit = || SendError::Header(name.clone());
            let value = HeaderValue::from_str(secret.expose_secret()).map_err(|_| unfit())?;
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
            headers.insert(name, value);
        }
        Ok((url, headers))
    }

    fn payload(&self, letter: &Letter<'_>) -> Value {
        match self.format {
            BodyFormat::Json => body(letter),
            BodyFormat::Slack => slack::body(letter),
        }
    }

    async fn send(
        &self,
        (url, headers): (Url, HeaderMap),
        payload: &Value,
        _: &Message,
        supplies: &Supplies,
    ) -> Result<(), SendError> {
        post::post(&supplies.client, url, headers, payload).await
    }
}

/// gild's own form.
fn body(letter: &Letter<'_>) -> Value {
    let message = letter.message;
    let one =
        |text: &Option<String>| text.as_deref().map(|text| cut(&line(text), TEXT, CHARACTERS));
    let many =
        |text: &Option<String>| text.as_deref().map(|text| cut(&lines(text), TEXT, CHARACTERS));
    let mut body = json!({
        "version": 1,
        "id": message.id,
        "event": message.event,
        "outcome": message.event.outcome(),
        "at": message.at,
        "title": cut(&line(&letter.title), TEXT, CHARACTERS),
        "text": many(&letter.text),
        "instance": {
            "id": one(&message.instance_id),
            "hostname": one(&message.hostname),
            "private_ip": one(&message.private_ip),
            "public_ip": one(&message.public_ip),
            "region": one(&message.region),
            "account": one(&message.account),
            "environment": one(&message.environment),
        },
        "boot": {
            "id": one(&message.boot_id),
            "started_at": message.started_at,
            "duration_ms": message.duration_ms,
            "digest": one(&message.digest),
            "playbook_digest": one(&message.playbook_digest),
            "gild": message.version,
        },
        "failed_task": one(&message.task),
        "message": many(&message.text),
        "held_back": letter.held_back,
    });
    if let Some(image) = &message.image {
        body["image"] = json!(image);
    }
    if message.event.is_of_fleet() {
        body["verb"] = body["failed_task"].take();
    }
    body
}
