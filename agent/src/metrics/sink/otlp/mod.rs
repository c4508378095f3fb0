//! OpenTelemetry metrics over HTTP: protobuf, compressed with gzip. The receiver is
//! CloudWatch's own endpoint, which bills by the byte, or any collector.
//!
//! Fewer bytes cost less, so of the ticks only one for each `resolution` is sent, and a
//! request holds every metric's name once.

/// What receivers answer.
mod answer;
/// Who the sink is, to its receiver.
mod auth;
/// Points that travel together.
mod batch;
/// Points as bytes on the wire.
mod encode;
/// What the points are about.
mod resource;
/// What is known of each series.
mod series;
/// What can be configured.
mod settings;
/// What is billed.
mod usage;
/// Protobuf.
mod wire;

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::{Client, Url};

use self::batch::Batch;
pub use self::batch::Point;
pub use self::resource::OtlpUrl;
use self::series::Series;
pub use self::settings::{OtlpAuth, OtlpSettings};
use self::usage::Rhythm;
use super::authorization::Authorization;
use super::cloudwatch::MINUTE;
use super::phase;
use super::remote_write::order::Order;
use super::{BuildError, Request, SendError, Sink, SinkContext, plausible};
use crate::config::SecretRef;
use crate::cost::usage::Usage;
use crate::identity::Identity;
use crate::metrics::drops::{Drops, Reason};
use crate::metrics::pattern;
use crate::metrics::sample::Tick;
use crate::platform::http::HttpError;

/// The form of requests and answers.
const PROTOBUF: &str = "application/x-protobuf";

/// A tick may come this much early and still be long enough after the last.
const EARLY: Duration = Duration::from_secs(1);

/// Sends points to a receiver.
pub struct Otlp {
    client: Client,
    url: Url,
    headers: HeaderMap,
    authorization: Authorization,
    resource: Vec<(String, String)>,
    include: Vec<String>,
    exclude: Vec<String>,
    resolution: Duration,
    flush: Duration,
    phase: Duration,
    timeout: Duration,
    order: Order,
    series: Series,
    last: Option<SystemTime>,
    batch: Batch,
    refused: Option<(usize, SendError)>,
}

impl Sink for Otlp {
    type Settings = OtlpSettings;
    type Payload = Vec<Point>;

    const RECEIVERS: &'static [(&'static str, &'static str)] = &[
        ("cloudwatch-otlp", "https://monitoring.us-east-1.amazonaws.com/v1/metrics"),
        ("collector", "https://collector.invalid/v1/metrics"),
    ];

    fn needs_aws(settings: &OtlpSettings) -> bool {
        settings.auth == OtlpAuth::SigV4
    }

    fn build(
        settings: &OtlpSettings,
        identity: &Identity,
        context: &SinkContext,
    ) -> Result<Self, BuildError> {
        let refused = |key: &str, expected| BuildError::Refused { key: key.to_owned(), expected };
        let url = settings.url.fill(identity);
        let url = url.ok_or_else(|| refused("url", "made of what is known of this instance"))?;
        let resource = resource::attributes(&settings.resource, identity);
        let batch = Batch::new(&resource);
        let batch = batch.ok_or_else(|| refused("resource", "at most 16 KiB in all"))?;
        Ok(Self {
            client: context.client.clone(),
            url,
            headers: auth::headers(settings, context)?,
            authorization: auth::of(settings, identity.region.as_deref(), context)?,
            resource,
            include: settings.include.clone(),
            exclude: settings.exclude.clone(),
            resolution: settings.resolution,
            flush: settings.flush,
            phase: phase(&identity.instance_id, settings.flush.min(MINUTE)),
            timeout: settings.timeout,
            order: Order::default(),
            series: Series::new(settings.max_series as usize),
            last: None,
            batch,
            refused: None,
        })
    }

    fn secrets(settings: &OtlpSettings) -> Vec<SecretRef> {
        let own = settings.password.iter().chain(&settings.bearer);
        own.chain(settings.headers.values()).cloned().collect()
    }

    fn has_secrets(&self) -> bool {
        self.authorization.is_some() || !self.headers.is_empty()
    }

    fn renew(&mut self, fresh: Self) {
        (self.authorization, self.headers) = (fresh.authorization, fresh.headers);
    }

    fn period(&self) -> Duration {
        self.flush
    }

    fn phase(&self) -> Duration {
        self.phase
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn take(&mut self, tick: &Arc<Tick>, drops: &mut Drops) -> Vec<Request<Vec<Point>>> {
        if !plausible(tick.at) {
            drops.add(Reason::Clock, tick.samples.len());
            return Vec::new();
        }
        if !self.order.admits(tick) {
            drops.add(Reason::Order, tick.samples.len());
            return Vec::new();
        }
        // One from before the last is from a clock that was set back.
        let after = self.last.and_then(|last| tick.at.duration_since(last).ok());
        if after.is_some_and(|after| after + EARLY.min(self.resolution / 10) < self.resolution) {
            return Vec::new();
        }
        self.last = Some(tick.at);
        self.series.turn(tick);
        let mut requests = Vec::new();
        for (index, sample) in tick.samples.iter().enumerate() {
            let place = |patterns| pattern::place(patterns, &sample.name);
            if place(&self.include).is_none() || place(&self.exclude).is_some() {
                continue;
            }
            if !batch::is_sound(sample) {
                drops.add(Reason::Invalid, 1);
                continue;
            }
            match self.series.admit(sample, tick) {
                Ok(start) => {
                    let point = Point { tick: Arc::clone(tick), index, start };
                    requests.extend(self.batch.add(point, encode::most_bytes(sample)));
                }
                Err(reason) => drops.add(reason, 1),
            }
        }
        requests
    }

    fn flush(&mut self, _: bool, _: &mut Drops) -> Vec<Request<Vec<Point>>> {
        self.batch.give().into_iter().collect()
    }

    fn held(&self) -> usize {
        self.batch.len()
    }

    async fn send(&mut self, points: &Vec<Point>) -> Result<(), SendError> {
        self.refused = None;
        let body = compressed(&encode::request(&self.resource, points));
        let mut request = self.client.post(self.url.clone()).headers(self.headers.clone());
        for (name, value) in OWN_HEADERS {
            request = request.header(name, value);
        }
        let request = request.body(body.clone()).build();
        let mut request = request.map_err(|error| self.failed(HttpError::Send(error)))?;
        let signed = self.authorization.apply(&mut request, &body).await;
        signed.map_err(|source| SendError::Sign { url: self.url.to_string(), source })?;
        let answer = self.client.execute(request).await;
        // The URL stands in the error already.
        let answer = answer.map_err(|error| self.failed(HttpError::Send(error.without_url())))?;
        if !answer.status().is_success() {
            let source = answer::refused(answer).await;
            return Err(self.failed(source));
        }
        if let Some(said) = answer::taken(answer).await {
            self.note(said);
        }
        Ok(())
    }

    fn refused_of_last(&mut self) -> Option<(usize, SendError)> {
        self.refused.take()
    }

    fn halves(&self, points: &Vec<Point>) -> Option<[Request<Vec<Point>>; 2]> {
        batch::halves(points)
    }

    fn leave_out(&mut self, points: Vec<Point>) {
        for sample in points.iter().filter_map(Point::sample) {
            self.series.leave_out(sample, Instant::now());
        }
    }

    fn usage(&self, requests: &[Request<Vec<Point>>], _: Duration) -> Usage {
        let points = requests.iter().flat_map(|request| &request.payload);
        let rhythm = Rhythm { resolution: self.resolution, flush: self.flush };
        usage::of(&self.url, &self.resource, points, &rhythm)
    }

    fn show(&self, points: &Vec<Point>) -> Vec<String> {
        let body = compressed(&encode::request(&self.resource, points));
        let mut lines = vec![format!("POST {} ({} bytes)", self.url, body.len())];
        for (name, value) in OWN_HEADERS {
            lines.push(format!("{name}: {value}"));
        }
        lines.extend(self.headers.keys().map(|name| format!("{name}: …")));
        lines.extend(self.authorization.shown());
        lines.push(String::new());
        for (name, value) in &self.resource {
            lines.push(format!("# {name} = {value}"));
        }
        lines.extend(points.iter().filter_map(encode::line));
        lines
    }
}

impl Otlp {
    fn failed(&self, source: HttpError) -> SendError {
        SendError::Export { url: self.url.to_string(), source }
    }

    /// Keeps what a receiver says that took a request.
    fn note(&mut self, said: answer::PartialSuccess) {
        let url = self.url.to_string();
        let message = said.message;
        match usize::try_from(said.rejected) {
            Ok(rejected) if rejected > 0 => {
                self.refused = Some((rejected, SendError::Partly { url, rejected, message }));
            }
            _ if !message.is_empty() => {
                tracing::debug!(url, message, "the receiver took all points, and warns");
            }
            _ => {}
        }
    }
}

/// The headers of every request.
const OWN_HEADERS: [(HeaderName, &str); 3] =
    [(ACCEPT, PROTOBUF), (CONTENT_ENCODING, "gzip"), (CONTENT_TYPE, PROTOBUF)];

fn compressed(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // What is written into memory does not fail.
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    Bytes::from(written.unwrap_or_default())
}

#[cfg(test)]
mod tests;
