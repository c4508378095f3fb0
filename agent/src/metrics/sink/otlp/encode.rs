//! Points as an OTLP request for metrics (`opentelemetry/proto/collector/metrics/v1`).

use super::Point;
use super::wire::Writer;
use crate::metrics::openmetrics;
use crate::metrics::sample::{Kind, Sample};
use crate::platform::clock;

/// The fields of the messages, by the names that OTLP's files give them.
mod field {
    pub(super) const RESOURCE_METRICS: u8 = 1;
    pub(super) const RESOURCE: u8 = 1;
    pub(super) const SCOPE_METRICS: u8 = 2;
    pub(super) const RESOURCE_ATTRIBUTES: u8 = 1;
    pub(super) const SCOPE: u8 = 1;
    pub(super) const SCOPE_NAME: u8 = 1;
    pub(super) const METRICS: u8 = 2;
    pub(super) const NAME: u8 = 1;
    pub(super) const UNIT: u8 = 3;
    pub(super) const GAUGE: u8 = 5;
    pub(super) const SUM: u8 = 7;
    pub(super) const DATA_POINTS: u8 = 1;
    pub(super) const TEMPORALITY: u8 = 2;
    pub(super) const IS_MONOTONIC: u8 = 3;
    pub(super) const START: u8 = 2;
    pub(super) const TIME: u8 = 3;
    pub(super) const AS_DOUBLE: u8 = 4;
    pub(super) const POINT_ATTRIBUTES: u8 = 7;
    pub(super) const KEY: u8 = 1;
    pub(super) const VALUE: u8 = 2;
    pub(super) const STRING_VALUE: u8 = 1;
}

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u64 = 2;

/// The scope of all metrics. Without a version: some receivers make labels of both, and
/// every series would be another one after an update.
const SCOPE: &str = "gild";

/// What the messages around all points take at most.
const AROUND: usize = 64;

/// The names of units at the end of a metric's name, before `_total`, and UCUM's words for
/// them. What has none has no unit: receivers that follow Prometheus would put `_ratio`
/// after a gauge of unit 1.
const UNITS: &[(&str, &str)] = &[
    ("_bytes", "By"),
    ("_seconds", "s"),
    ("_milliseconds", "ms"),
    ("_ratio", "1"),
    ("_percent", "%"),
    ("_celsius", "Cel"),
    ("_hertz", "Hz"),
    ("_volts", "V"),
    ("_amperes", "A"),
    ("_watts", "W"),
    ("_joules", "J"),
    ("_meters", "m"),
];

/// The unit of a metric, by its name.
pub(super) fn unit(name: &str) -> &'static str {
    let name = name.strip_suffix("_total").unwrap_or(name);
    UNITS.iter().find(|(end, _)| name.ends_with(end)).map_or("", |(_, unit)| unit)
}

/// The bytes of a request: every metric once, with its points in the order given.
pub(super) fn request(resource: &[(String, String)], points: &[Point]) -> Vec<u8> {
    let mut sorted: Vec<_> =
        points.iter().filter_map(|point| Some((point, point.sample()?))).collect();
    let metric = |sample: &Sample| sample.kind == Kind::Counter;
    sorted.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name).then(metric(a).cmp(&metric(b))));
    let mut writer = Writer::default();
    let resource_metrics = writer.open(field::RESOURCE_METRICS);
    let of_resource = writer.open(field::RESOURCE);
    for (name, value) in resource {
        attribute(&mut writer, field::RESOURCE_ATTRIBUTES, name, value);
    }
    writer.close(of_resource);
    let scope_metrics = writer.open(field::SCOPE_METRICS);
    let scope = writer.open(field::SCOPE);
    writer.text(field::SCOPE_NAME, SCOPE);
    writer.close(scope);
    for group in sorted.chunk_by(|(_, a), (_, b)| a.name == b.name && a.kind == b.kind) {
        one_metric(&mut writer, group);
    }
    writer.close(scope_metrics);
    writer.close(resource_metrics);
    writer.into_bytes()
}

/// Writes one metric with its points.
fn one_metric(writer: &mut Writer, points: &[(&Point, &Sample)]) {
    let Some((_, first)) = points.first() else { return };
    let metric = writer.open(field::METRICS);
    writer.text(field::NAME, &first.name);
    writer.text(field::UNIT, unit(&first.name));
    let data = writer.open(match first.kind {
        Kind::Gauge => field::GAUGE,
        Kind::Counter => field::SUM,
    });
    for (point, sample) in points {
        let data_point = writer.open(field::DATA_POINTS);
        if sample.kind == Kind::Counter {
            writer.fixed(field::START, point.start);
        }
        writer.fixed(field::TIME, clock::unix_ns(point.tick.at));
        writer.fixed(field::AS_DOUBLE, sample.value.to_bits());
        for (name, value) in &sample.labels {
            attribute(writer, field::POINT_ATTRIBUTES, name, value);
        }
        writer.close(data_point);
    }
    if first.kind == Kind::Counter {
        writer.number(field::TEMPORALITY, CUMULATIVE);
        writer.number(field::IS_MONOTONIC, 1);
    }
    writer.close(data);
    writer.close(metric);
}

/// Writes an attribute. One without a value is left out: to Prometheus it is none.
fn attribute(writer: &mut Writer, within: u8, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    let pair = writer.open(within);
    writer.text(field::KEY, name);
    let any = writer.open(field::VALUE);
    writer.text(field::STRING_VALUE, value);
    writer.close(any);
    writer.close(pair);
}

/// What a point takes at most in a request, with a metric of its own around it.
pub(super) fn most_bytes(sample: &Sample) -> usize {
    let labels = sample.labels.iter().map(|(name, value)| pair_bytes(name, value));
    AROUND + sample.name.len() + labels.sum::<usize>()
}

/// What a request without points takes at most.
pub(super) fn most_empty_bytes(resource: &[(String, String)]) -> usize {
    AROUND + resource.iter().map(|(name, value)| pair_bytes(name, value)).sum::<usize>()
}

fn pair_bytes(name: &str, value: &str) -> usize {
    // Four keys, and four lengths of up to four bytes.
    name.len() + value.len() + 20
}

/// A point as people read it, with the time in milliseconds, and since when it counts.
pub(super) fn line(point: &Point) -> Option<String> {
    let sample = point.sample()?;
    let mut text = String::new();
    let labels = sample.labels.iter().map(|(name, value)| (&**name, &**value));
    openmetrics::write_name(&mut text, &sample.name, labels);
    text.push(' ');
    openmetrics::write_value(&mut text, sample.value);
    text.push(' ');
    text.push_str(&clock::unix_ms(point.tick.at).to_string());
    match unit(&sample.name) {
        "" => {}
        unit => text.extend([" ", unit]),
    }
    if sample.kind == Kind::Counter {
        text.push_str(" since ");
        text.push_str(&(point.start / 1_000_000).to_string());
    }
    Some(text)
}
