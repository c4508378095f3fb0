//! A tick as a remote-write 1.0 request: protobuf in a snappy block. What a
//! receiver would refuse is left out here, because some refuse the whole
//! request for it and some ask for it again for ever.

use std::collections::BTreeMap;
use std::time::SystemTime;

use prost::Message;

use crate::metrics::drops::{Drops, Reason};
use crate::metrics::openmetrics;
use crate::metrics::sample::{Sample, Tick};
use crate::platform::clock;

/// `prometheus.WriteRequest`, as far as it is used.
#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    /// The series.
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
}

/// `prometheus.TimeSeries`.
#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// The labels, sorted by name; `__name__` is one of them.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    /// The samples, the oldest first.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Point>,
}

/// `prometheus.Label`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub struct Label {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `prometheus.Sample`.
#[derive(Clone, PartialEq, Message)]
pub struct Point {
    /// The value.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// The name of the label that holds a metric's name.
const NAME: &str = "__name__";

/// Mimir's limits on a label's name and value, and on the labels of a series.
const LONGEST_NAME: usize = 1024;
const LONGEST_VALUE: usize = 2048;
const MOST_LABELS: usize = 30;

/// The tick as a request; `external` labels stand on every series that has no
/// label of the same name. What cannot be sent is counted in `drops`.
pub fn request(tick: &Tick, external: &[(String, String)], drops: &mut Drops) -> WriteRequest {
    let timestamp = clock::unix_ms(tick.at);
    let mut timeseries: Vec<TimeSeries> = Vec::with_capacity(tick.samples.len());
    for sample in &tick.samples {
        match labels(sample, external) {
            Some(labels) => {
                let samples = vec![Point { value: sample.value, timestamp }];
                timeseries.push(TimeSeries { labels, samples });
            }
            None => drops.add(Reason::Invalid, 1),
        }
    }
    let before = timeseries.len();
    sort_unique(&mut timeseries);
    drops.add(Reason::Invalid, before - timeseries.len());
    WriteRequest { timeseries }
}

/// The value that says that a series has ended: one NaN of many, told by its bits
/// (remote write 1.0, "Stale markers"; Prometheus, model/value).
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Says in a request that these series have ended.
pub fn mark_stale(
    request: &mut WriteRequest,
    ended: &[Sample],
    at: SystemTime,
    external: &[(String, String)],
) {
    if ended.is_empty() {
        return;
    }
    let point = Point { value: f64::from_bits(STALE_BITS), timestamp: clock::unix_ms(at) };
    let marker = |labels| TimeSeries { labels, samples: vec![point.clone()] };
    let ended = ended.iter().filter_map(|sample| labels(sample, external));
    // After those that live: of two of the same labels the first stays.
    request.timeseries.extend(ended.map(marker));
    sort_unique(&mut request.timeseries);
}

/// Whether a sample is of the same series with these external labels as with those.
pub fn same_series(
    sample: &Sample,
    these: &[(String, String)],
    those: &[(String, String)],
) -> bool {
    labels(sample, these) == labels(sample, those)
}

/// Sorts series by their labels. One moment has one value: of two that claim it,
/// the first stays.
fn sort_unique(timeseries: &mut Vec<TimeSeries>) {
    timeseries.sort_by(|a, b| a.labels.cmp(&b.labels));
    timeseries.dedup_by(|later, first| later.labels == first.labels);
}

/// The labels of a series, sorted, unique, not empty; `None` where a receiver
/// would refuse them.
fn labels(sample: &Sample, external: &[(String, String)]) -> Option<Vec<Label>> {
    if !is_metric_name(&sample.name) {
        return None;
    }
    let mut labels = BTreeMap::from([(NAME, &*sample.name)]);
    for (name, value) in &sample.labels {
        if !is_label_name(name) || labels.insert(name, value).is_some() {
            return None;
        }
    }
    for (name, value) in external {
        labels.entry(name).or_insert(value);
    }
    // To Prometheus, an empty label is none.
    labels.retain(|_, value| !value.is_empty());
    let fits = labels.len() <= MOST_LABELS
        && labels
            .iter()
            .all(|(name, value)| name.len() <= LONGEST_NAME && value.len() <= LONGEST_VALUE);
    let owned =
        |(name, value): (&str, &str)| Label { name: name.to_owned(), value: value.to_owned() };
    fits.then(|| labels.into_iter().map(owned).collect())
}

/// Whether a label may have this name. Those with two underscores in front
/// belong to the receiver.
pub fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with("__")
}

fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    bytes.next().is_some_and(starts) && bytes.all(|byte| starts(byte) || byte.is_ascii_digit())
}

/// The name among the labels of a series.
pub fn name(labels: &[Label]) -> &str {
    labels.iter().find(|label| label.name == NAME).map_or("", |label| &label.value)
}

/// The bytes on the wire.
pub fn compressed(encoded: &[u8]) -> Result<Vec<u8>, snap::Error> {
    snap::raw::Encoder::new().compress_vec(encoded)
}

/// The series as people read them, with the time in milliseconds at the end.
pub fn lines(request: &WriteRequest) -> impl Iterator<Item = String> {
    request.timeseries.iter().map(|series| {
        let mut text = String::new();
        let labels = series.labels.iter().filter(|label| label.name != NAME);
        let labels = labels.map(|label| (label.name.as_str(), label.value.as_str()));
        openmetrics::write_name(&mut text, name(&series.labels), labels);
        for point in &series.samples {
            text.push(' ');
            match point.value.to_bits() {
                STALE_BITS => text.push_str("stale"),
                _ => openmetrics::write_value(&mut text, point.value),
            }
            text.push(' ');
            text.push_str(&point.timestamp.to_string());
        }
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn tick(samples: Vec<Sample>) -> Tick {
        Tick::new(SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123), samples)
    }

    fn pairs(series: &TimeSeries) -> Vec<(&str, &str)> {
        series.labels.iter().map(|label| (&*label.name, &*label.value)).collect()
    }

    fn sample(name: &'static str, labels: &[(&'static str, &str)]) -> Sample {
        let labels = labels.iter().map(|(name, value)| (*name, Arc::from(*value))).collect();
        Sample::gauge(name, labels, 1.5)
    }

    #[test]
    fn labels_are_sorted_unique_and_not_empty() {
        let external = [
            ("Zone".to_owned(), "a".to_owned()),
            ("instance".to_owned(), "i-1".to_owned()),
            ("mode".to_owned(), "external".to_owned()),
        ];
        let sample = sample("node_x", &[("mode", "idle"), ("cpu", "0"), ("none", "")]);
        let mut drops = Drops::default();
        let request = request(&tick(vec![sample]), &external, &mut drops);
        let expected = [
            ("Zone", "a"),
            ("__name__", "node_x"),
            ("cpu", "0"),
            ("instance", "i-1"),
            ("mode", "idle"),
        ];
        assert_eq!(pairs(&request.timeseries[0]), expected);
        assert_eq!(
            request.timeseries[0].samples,
            [Point { value: 1.5, timestamp: 1_800_000_000_123 }]
        );
        assert!(drops.by_reason().is_empty());
    }

    #[test]
    fn what_a_receiver_would_refuse_is_left_out_and_counted() {
        let long = "v".repeat(LONGEST_VALUE + 1);
        let samples = vec![
            sample("node_good", &[]),
            sample("node_good", &[]),
            sample("bad-name", &[]),
            sample("", &[]),
            sample("node_a", &[("bad label", "x")]),
            sample("node_b", &[("__name__", "x")]),
            sample("node_c", &[("twice", "x"), ("twice", "y")]),
            sample("node_d", &[("long", &long)]),
        ];
        let mut drops = Drops::default();
        let request = request(&tick(samples), &[], &mut drops);
        assert_eq!(request.timeseries.len(), 1);
        assert_eq!(drops.of(Reason::Invalid), 7);
    }

    #[test]
    fn a_series_that_has_ended_is_marked_by_its_bits_unless_another_goes_by_its_name() {
        let mut drops = Drops::default();
        let external = [("b".to_owned(), "x".to_owned())];
        let mut request = request(&tick(vec![sample("node_a", &[])]), &external, &mut drops);
        let gone = [
            sample("node_z", &[]),
            sample("node_a", &[("b", "x")]),
            sample("bad-", &[]),
            sample("node_z", &[("b", "x")]),
        ];
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123);
        mark_stale(&mut request, &gone, at, &external);
        let wire = request.encode_to_vec();
        let decoded = WriteRequest::decode(&*wire).unwrap();
        assert_eq!(decoded.timeseries[1].samples[0].value.to_bits(), 0x7ff0_0000_0000_0002);
        let lines: Vec<_> = lines(&decoded).collect();
        let expected = ["node_a{b=\"x\"} 1.5 1800000000123", "node_z{b=\"x\"} stale 1800000000123"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_wire_is_a_snappy_block_of_protobuf() {
        let mut drops = Drops::default();
        let request = request(&tick(vec![sample("node_x", &[("a", "b\"c")])]), &[], &mut drops);
        let wire = compressed(&request.encode_to_vec()).unwrap();
        let plain = snap::raw::Decoder::new().decompress_vec(&wire).unwrap();
        assert_eq!(plain[0], 0x0a, "field 1, a message");
        assert_eq!(WriteRequest::decode(&*plain).unwrap(), request);
        let lines: Vec<_> = lines(&request).collect();
        assert_eq!(lines, ["node_x{a=\"b\\\"c\"} 1.5 1800000000123"]);
    }
}
