//! What a remote-write 1.0 request is made of: protobuf in a snappy block. What a
//! receiver would refuse is left out here, because some refuse the whole
//! request for it and some ask for it again for ever.

use std::collections::BTreeMap;

use prost::Message;

use crate::metrics::openmetrics;
use crate::metrics::sample::Sample;

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
pub(super) const LONGEST_VALUE: usize = 2048;
const MOST_LABELS: usize = 30;

/// The value that says that a series has ended: one NaN of many, told by its bits
/// (remote write 1.0, "Stale markers"; Prometheus, model/value).
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The labels of a series, sorted, unique, not empty; `None` where a receiver
/// would refuse them.
pub(super) fn labels(sample: &Sample, external: &[(String, String)]) -> Option<Vec<Label>> {
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

/// Whether a sample is of the same series with these external labels as with those.
pub fn same_series(
    sample: &Sample,
    these: &[(String, String)],
    those: &[(String, String)],
) -> bool {
    labels(sample, these) == labels(sample, those)
}

/// The name among the labels of a series.
pub fn name(labels: &[Label]) -> &str {
    labels.iter().find(|label| label.name == NAME).map_or("", |label| &label.value)
}

/// Whether a label may have this name. Those with two underscores in front
/// belong to the receiver.
pub fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with("__")
}

/// Whether a metric may have this name.
pub fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    bytes.next().is_some_and(starts) && bytes.all(|byte| starts(byte) || byte.is_ascii_digit())
}

/// The bytes on the wire.
pub fn compressed(request: &[u8]) -> Result<Vec<u8>, snap::Error> {
    snap::raw::Encoder::new().compress_vec(request)
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
