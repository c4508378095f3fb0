//! Prometheus remote write 1.0. One tick travels in one request, for some
//! receivers roll a whole request back because of one sample.

/// A tick as bytes on the wire.
pub mod encode;
/// Series that come to an end.
mod ended;
/// What may be sent next.
pub(super) mod order;
/// What time it is for the receiver.
mod receiver_clock;
/// What is billed.
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};

use self::encode::Layout;
use self::ended::Ended;
use self::order::Order;
use self::receiver_clock::ReceiverClock;
use super::{BuildError, Request, SendError, Sink, SinkContext, plausible};
use crate::config::SecretRef;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::config::types::Period;
use crate::cost::usage::Usage;
use crate::identity::Identity;
use crate::metrics::drops::{Drops, Reason};
use crate::metrics::placeholder;
use crate::metrics::sample::Tick;
use crate::platform::http::{self, HttpError};

crate::settings! {
    /// Metrics in Mimir, Prometheus or anything that speaks remote write.
    RemoteWriteSettings {
        /// Where to push, such as "https://mimir.example/api/v1/push".
        url: PushUrl;
        /// The tenant, sent as X-Scope-OrgID.
        tenant: Option<String>;
        /// The user of basic authentication.
        username: Option<String>;
        /// The password of basic authentication, as a reference.
        password: Option<SecretRef>;
        /// A bearer token, as a reference.
        bearer: Option<SecretRef>;
        /// Labels on every series. `{instance_id}` and its like stand for the
        /// instance's own, as in a CloudWatch sink's dimensions.
        labels: BTreeMap<String, String> = { "instance": "{instance_id}" };
        /// How often samples are sent.
        flush: Duration as Period = "10s";
        /// How long one request may take.
        timeout: Duration = "10s";
    }
}

/// A URL to push to. It holds no user and no password: those are configured
/// apart, the password as a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushUrl(Url);

impl PushUrl {
    /// The URL that a text spells, if it is one to push to.
    pub fn parse(text: &str) -> Option<Self> {
        http::plain_url(text).map(Self)
    }
}

impl Setting for PushUrl {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        // It may hold a password, so it is not shown.
        reader.spelled(node, path, Self::parse, Reader::hidden_problem, http::MUST_BE_PLAIN)
    }
}

/// Pushes ticks to a receiver.
pub struct RemoteWrite {
    client: Client,
    url: Url,
    headers: HeaderMap,
    authorization: Option<Authorization>,
    labels: Vec<(String, String)>,
    flush: Duration,
    timeout: Duration,
    order: Order,
    ended: Ended,
    /// Of the last tick.
    layout: Layout,
    receiver_clock: ReceiverClock,
}

enum Authorization {
    Basic { username: String, password: Option<SecretString> },
    Bearer(SecretString),
}

impl Sink for RemoteWrite {
    type Settings = RemoteWriteSettings;
    type Payload = Bytes;

    const RECEIVERS: &'static [(&'static str, &'static str)] = &[
        ("mimir", "https://mimir.invalid/api/v1/push"),
        ("prometheus", "https://prometheus.invalid/api/v1/write"),
        ("amp", "https://aps-workspaces.us-east-1.amazonaws.com/workspaces/w/api/v1/remote_write"),
    ];

    fn build(
        settings: &RemoteWriteSettings,
        identity: &Identity,
        context: &SinkContext,
    ) -> Result<Self, BuildError> {
        let secret = |reference: &Option<SecretRef>| {
            reference.as_ref().map(|reference| context.secret(reference)).transpose()
        };
        let authorization = match (&settings.username, secret(&settings.bearer)?) {
            (Some(_), Some(_)) => {
                let expected = "left out where 'username' is given";
                return Err(BuildError::Refused { key: "bearer".to_owned(), expected });
            }
            (None, Some(token)) => {
                let plain = HeaderValue::from_str(token.expose_secret()).is_ok();
                if !plain {
                    let expected = "a token that fits into a header";
                    return Err(BuildError::Refused { key: "bearer".to_owned(), expected });
                }
                Some(Authorization::Bearer(token))
            }
            (Some(username), None) => Some(Authorization::Basic {
                username: username.clone(),
                password: secret(&settings.password)?,
            }),
            (None, None) => None,
        };
        let labels = placeholder::fill_all(&settings.labels, identity);
        if let Some((name, _)) = labels.iter().find(|(name, _)| !encode::is_label_name(name)) {
            let expected =
                "named with letters, digits and underscores, two of which do not come first";
            return Err(BuildError::Refused { key: format!("labels.{name}"), expected });
        }
        Ok(Self {
            client: context.client.clone(),
            url: settings.url.0.clone(),
            headers: headers(settings.tenant.as_deref())?,
            authorization,
            labels,
            flush: settings.flush,
            timeout: settings.timeout,
            order: Order::default(),
            ended: Ended::default(),
            layout: Layout::default(),
            receiver_clock: ReceiverClock::default(),
        })
    }

    fn secrets(settings: &RemoteWriteSettings) -> Vec<SecretRef> {
        settings.password.iter().chain(&settings.bearer).cloned().collect()
    }

    fn has_secrets(&self) -> bool {
        self.authorization.is_some()
    }

    fn renew(&mut self, fresh: Self) {
        self.authorization = fresh.authorization;
    }

    fn period(&self) -> Duration {
        self.flush
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn take(&mut self, tick: &Arc<Tick>, drops: &mut Drops) -> Vec<Request<Bytes>> {
        if !plausible(tick.at) || self.receiver_clock.is_ahead(tick) {
            drops.add(Reason::Clock, tick.samples.len());
            return Vec::new();
        }
        if !self.order.admits(tick) {
            drops.add(Reason::Order, tick.samples.len());
            return Vec::new();
        }
        let ended = match self.ended.since_last(tick) {
            None => Vec::new(),
            Some(ended) => {
                self.layout = Layout::of(&tick.samples, &self.labels);
                ended
            }
        };
        drops.add(Reason::Invalid, self.layout.invalid);
        let body = self.layout.request(tick, &ended, &self.labels);
        if body.is_empty() {
            return Vec::new();
        }
        // Markers are no measurements, and are not counted as such.
        let measurements = self.layout.len();
        match encode::compressed(&body) {
            Ok(body) => vec![Request { payload: Bytes::from(body), measurements }],
            // Only what is larger than 4 GiB cannot be compressed.
            Err(_) => {
                drops.add(Reason::Invalid, measurements);
                Vec::new()
            }
        }
    }

    async fn send(&mut self, body: &Bytes) -> Result<(), SendError> {
        let mut request =
            self.client.post(self.url.clone()).headers(self.headers.clone()).body(body.clone());
        request = match &self.authorization {
            None => request,
            Some(Authorization::Basic { username, password }) => {
                request.basic_auth(username, password.as_ref().map(ExposeSecret::expose_secret))
            }
            Some(Authorization::Bearer(token)) => request.bearer_auth(token.expose_secret()),
        };
        let failed = |source| SendError::Push { url: self.url.to_string(), source };
        let answer = request.send().await.map_err(|error| {
            // The URL stands in the error already.
            failed(HttpError::Send(error.without_url()))
        })?;
        self.receiver_clock.note(answer.headers(), Instant::now());
        if !answer.status().is_success() {
            return Err(failed(http::refused(answer).await));
        }
        Ok(())
    }

    fn usage(&self, requests: &[Request<Bytes>], between: Duration) -> Usage {
        let bytes = requests.iter().map(|request| request.payload.len() as u64).sum();
        usage::of(&self.url, self.layout.names(), bytes, between)
    }

    fn show(&self, body: &Bytes) -> Vec<String> {
        let plain = snap::raw::Decoder::new().decompress_vec(body).unwrap_or_default();
        let request = encode::WriteRequest::decode(&*plain).unwrap_or_default();
        let mut lines = vec![format!("POST {} ({} bytes)", self.url, body.len())];
        for (name, value) in &self.headers {
            lines.push(format!("{name}: {}", value.to_str().unwrap_or_default()));
        }
        match &self.authorization {
            None => {}
            Some(Authorization::Basic { .. }) => lines.push(format!("{AUTHORIZATION}: Basic …")),
            Some(Authorization::Bearer(_)) => lines.push(format!("{AUTHORIZATION}: Bearer …")),
        }
        lines.push(String::new());
        lines.extend(encode::lines(&request));
        lines
    }
}

/// The headers of remote write 1.0, which users cannot change.
fn headers(tenant: Option<&str>) -> Result<HeaderMap, BuildError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    headers.insert("x-prometheus-remote-write-version", HeaderValue::from_static("0.1.0"));
    if let Some(tenant) = tenant {
        let value = HeaderValue::from_str(tenant).map_err(|_| BuildError::Refused {
            key: "tenant".to_owned(),
            expected: "a text that fits into a header",
        })?;
        headers.insert("x-scope-orgid", value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
