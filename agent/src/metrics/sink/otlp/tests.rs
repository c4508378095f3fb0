//! The OTLP sink from ticks to requests, read by OpenTelemetry's own types.
#![allow(clippy::unwrap_used)]

mod answers;
mod content;
mod setup;

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use secrecy::SecretString;

use super::*;
use crate::metrics::placeholder::tests::identity;
use crate::metrics::sample::Sample;
use crate::platform::http;

const NOW: u64 = 1_800_000_000;

fn settings(url: &str) -> OtlpSettings {
    OtlpSettings {
        url: OtlpUrl::parse(url).unwrap(),
        auth: OtlpAuth::None,
        region: None,
        service: "monitoring".to_owned(),
        username: None,
        password: None,
        bearer: None,
        headers: BTreeMap::new(),
        resource: BTreeMap::new(),
        include: vec!["*".to_owned()],
        exclude: Vec::new(),
        max_series: 2000,
        resolution: Duration::from_secs(60),
        flush: Duration::from_secs(60),
        timeout: Duration::from_secs(10),
    }
}

fn build(settings: &OtlpSettings) -> Result<Otlp, BuildError> {
    let secrets = HashMap::from([
        (SecretRef::Ssm("/s".to_owned()), SecretString::from("hush")),
        (SecretRef::Ssm("/lines".to_owned()), SecretString::from("a\nb")),
    ]);
    let context = SinkContext { client: http::client().unwrap(), aws: None, secrets };
    Otlp::build(settings, &identity(), &context)
}

fn sink(change: impl Fn(&mut OtlpSettings)) -> Otlp {
    let mut settings = settings("http://x/v1/metrics");
    change(&mut settings);
    build(&settings).unwrap()
}

/// A tick at so many seconds after `NOW`.
fn tick(second: u64, samples: Vec<Sample>) -> Arc<Tick> {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + second);
    Arc::new(Tick::new(at, samples))
}

fn gauge(name: &'static str) -> Sample {
    Sample::gauge(name, vec![], 0.5)
}

/// What a body says, by OpenTelemetry's own types.
fn decoded(body: &[u8]) -> ExportMetricsServiceRequest {
    let mut plain = Vec::new();
    GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    ExportMetricsServiceRequest::decode(&*plain).unwrap()
}

fn read(sink: &Otlp, request: &Request<Vec<Point>>) -> ExportMetricsServiceRequest {
    decoded(&compressed(&encode::request(&sink.resource, &request.payload)))
}

/// Attributes as `name=text`.
fn texts(attributes: &[KeyValue]) -> Vec<String> {
    let text = |pair: &KeyValue| {
        let Some(Value::StringValue(text)) = pair.value.clone().unwrap().value else {
            panic!("{pair:?} is no text");
        };
        format!("{}={text}", pair.key)
    };
    attributes.iter().map(text).collect()
}
