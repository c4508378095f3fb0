//! Prometheus remote write. One tick travels in one request, for some receivers roll a
//! whole request back because of one sample.
//!
//! `settings` says what can be configured, `encode` and `second` are the two versions of
//! the protocol, `layout` is a tick in the first, `wire` is what goes out, `auth` who it says that it is from, and `tls`
//! what the connection trusts.

/// Who a request says that it is from.
mod auth;
/// What a request is made of.
pub mod encode;
/// Series that come to an end.
mod ended;
/// A tick as bytes on the wire.
pub mod layout;
/// What may be sent next.
pub(super) mod order;
/// What time it is for the receiver.
mod receiver_clock;
/// Version 2.0 of the protocol.
pub mod second;
/// What can be configured.
mod settings;
/// Connections with certificates of their own.
mod tls;
/// What is billed.
mod usage;
/// A request in either version, and what tells the versions apart.
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, Response, Url};

use self::ended::Ended;
use self::layout::Layout;
use self::order::Order;
use self::receiver_clock::ReceiverClock;
pub use self::settings::{PushUrl, RemoteWriteSettings, WriteVersion};
pub use self::wire::Body;
use self::wire::{knows_second, version_headers, written};
use super::authorization::Authorization;
use super::{BuildError, Destination, Request, SendError, Sink, SinkContext, plausible};
use crate::config::SecretRef;
use crate::cost::usage::Usage;
use crate::identity::Identity;
use crate::metrics::drops::{Drops, Reason};
use crate::metrics::placeholder;
use crate::metrics::sample::{Sample, Tick};
use crate::platform::http::{self, HttpError};
use crate::platform::retry::{Retryable, Verdict};

/// Pushes ticks to a receiver.
pub struct RemoteWrite {
    client: Client,
    url: Url,
    headers: HeaderMap,
    authorization: Authorization,
    /// Whether the connection shows a certificate.
    shows_certificate: bool,
    /// What is spoken: what is configured, until the receiver turns out not to know it.
    version: WriteVersion,
    labels: Vec<(String, String)>,
    flush: Duration,
    timeout: Duration,
    order: Order,
    ended: Ended,
    /// Of the last tick.
    layout: Layout,
    receiver_clock: ReceiverClock,
}

impl Sink for RemoteWrite {
    type Settings = RemoteWriteSettings;
    type Payload = Body;

    const RECEIVERS: &'static [(&'static str, &'static str)] = &[
        ("mimir", "https://mimir.invalid/api/v1/push"),
        ("prometheus", "https://prometheus.invalid/api/v1/write"),
        ("amp", "https://aps-workspaces.us-east-1.amazonaws.com/workspaces/w/api/v1/remote_write"),
    ];

    fn needs_aws(settings: &RemoteWriteSettings) -> bool {
        settings.sigv4
    }

    fn build(
        settings: &RemoteWriteSettings,
        identity: &Identity,
        context: &SinkContext,
    ) -> Result<Self, BuildError> {
        tls::check(settings)?;
        let authorization = auth::of(settings, context)?;
        let labels = placeholder::fill_all(&settings.labels, identity);
        if let Some((name, _)) = labels.iter().find(|(name, _)| !encode::is_label_name(name)) {
            let expected =
                "named with letters, digits and underscores, two of which do not come first";
            return Err(BuildError::Refused { key: format!("labels.{name}"), expected });
        }
        Ok(Self {
            client: context.client.clone(),
            url: settings.url.url().clone(),
            headers: headers(settings.tenant.as_deref())?,
            authorization,
            shows_certificate: settings.client_key.is_some(),
            version: settings.version,
            labels,
            flush: settings.flush,
            timeout: settings.timeout,
            order: Order::default(),
            ended: Ended::default(),
            layout: Layout::default(),
            receiver_clock: ReceiverClock::default(),
        })
    }

    fn connect(
        mut self,
        settings: &RemoteWriteSettings,
        context: &SinkContext,
    ) -> Result<Self, BuildError> {
        if let Some(client) = tls::client(settings, context)? {
            self.client = client;
        }
        Ok(self)
    }

    fn secrets(settings: &RemoteWriteSettings) -> Vec<SecretRef> {
        let RemoteWriteSettings { password, bearer, client_certificate, client_key, .. } = settings;
        let all = [password, bearer, client_certificate, client_key];
        all.into_iter().flatten().cloned().collect()
    }

    fn has_secrets(&self) -> bool {
        self.authorization.is_some() || self.shows_certificate
    }

    fn renew(&mut self, fresh: Self) {
        self.authorization = fresh.authorization;
        self.client = fresh.client;
    }

    fn destination(settings: &RemoteWriteSettings, identity: &Identity) -> Option<Destination> {
        let tenant = settings.tenant.as_deref().unwrap_or_default();
        let receiver = format!("{} {tenant}", settings.url.url());
        Some(Destination { receiver, labels: placeholder::fill_all(&settings.labels, identity) })
    }

    fn period(&self) -> Duration {
        self.flush
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn take(&mut self, tick: &Arc<Tick>, drops: &mut Drops) -> Vec<Request<Body>> {
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
        let first = self.layout.request(tick, &ended, &self.labels);
        // Markers are no measurements, and are not counted as such.
        let measurements = self.layout.len();
        self.packed(first, &mut tick.samples.iter().chain(&ended), measurements, drops)
    }

    fn farewell(&mut self, at: SystemTime, heir: Option<&Destination>) -> Vec<Request<Body>> {
        let Some(last) = self.ended.all() else { return Vec::new() };
        let goes_on = |sample: &&Sample| {
            heir.is_some_and(|heir| encode::same_series(sample, &self.labels, &heir.labels))
        };
        let ended: Vec<_> =
            last.samples.iter().filter(|sample| !goes_on(sample)).cloned().collect();
        // No sample of theirs may be as new.
        let tick = Tick::new(at.max(last.at + Duration::from_millis(1)), Vec::new());
        let first = Layout::default().request(&tick, &ended, &self.labels);
        self.packed(first, &mut ended.iter(), 0, &mut Drops::default())
    }

    async fn send(&mut self, body: &Body) -> Result<(), SendError> {
        if (self.version, body.version) == (WriteVersion::Two, WriteVersion::Two) {
            let answer = self.post(body).await?;
            if knows_second(&answer) {
                return self.judge(answer).await;
            }
            tracing::warn!(url = %self.url, "the receiver does not know remote write 2.0");
            self.version = WriteVersion::One;
        }
        let first;
        let body = match body.version {
            WriteVersion::One => body,
            WriteVersion::Two => {
                // It was compressed before, so it can be again.
                first = body.in_first().unwrap_or_else(|_| body.clone());
                &first
            }
        };
        let answer = self.post(body).await?;
        self.judge(answer).await
    }

    fn usage(&self, requests: &[Request<Body>], between: Duration) -> Usage {
        let bytes = requests.iter().map(|request| request.payload.bytes.len() as u64).sum();
        usage::of(&self.url, self.layout.names(), bytes, between)
    }

    fn show(&self, body: &Body) -> Vec<String> {
        let mut lines = vec![format!("POST {} ({} bytes)", self.url, body.bytes.len())];
        for (name, value) in self.headers.iter().chain(&version_headers(body.version)) {
            lines.push(format!("{name}: {}", value.to_str().unwrap_or_default()));
        }
        lines.extend(self.authorization.shown());
        lines.push(String::new());
        lines.extend(encode::lines(&body.first()));
        lines
    }
}

impl RemoteWrite {
    /// A request as it goes on the wire; nothing where there is nothing in it.
    fn packed(
        &self,
        first: Vec<u8>,
        samples: &mut dyn Iterator<Item = &Sample>,
        measurements: usize,
        drops: &mut Drops,
    ) -> Vec<Request<Body>> {
        if first.is_empty() {
            return Vec::new();
        }
        match Body::new(self.version, first, samples) {
            Ok(payload) => vec![Request { payload, measurements }],
            // Only what is larger than 4 GiB cannot be compressed.
            Err(_) => {
                drops.add(Reason::Invalid, measurements);
                Vec::new()
            }
        }
    }

    /// The answer to a request, whatever it says.
    async fn post(&mut self, body: &Body) -> Result<Response, SendError> {
        let url = self.url.to_string();
        // The URL stands in the error already.
        let failed = |error: reqwest::Error| SendError::Push {
            url: url.clone(),
            source: HttpError::Send(error.without_url()),
        };
        let mut request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .headers(version_headers(body.version))
            .body(body.bytes.clone())
            .build()
            .map_err(failed)?;
        let authorized = self.authorization.apply(&mut request, &body.bytes).await;
        authorized.map_err(|source| SendError::Sign { url: url.clone(), source })?;
        let answer = self.client.execute(request).await.map_err(failed)?;
        self.receiver_clock.note(answer.headers(), Instant::now());
        Ok(answer)
    }

    /// What an answer means. The body of a good one is not read.
    async fn judge(&self, answer: Response) -> Result<(), SendError> {
        if answer.status().is_success() {
            return Ok(());
        }
        let (url, written) = (self.url.to_string(), written(&answer));
        let source = http::refused(answer).await;
        match source.verdict() {
            Verdict::Permanent if written > 0 => Err(SendError::PushPart { url, written, source }),
            _ => Err(SendError::Push { url, source }),
        }
    }
}

/// The headers of every request.
fn headers(tenant: Option<&str>) -> Result<HeaderMap, BuildError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
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
