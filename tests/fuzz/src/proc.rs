//! What the kernel says: read, and made into text and requests.

use std::time::{Duration, SystemTime};

use gild::metrics::openmetrics::{Format, render};
use gild::metrics::sample::{Sample, Tick, label};
use gild::metrics::sink::remote_write::encode::{self, WriteRequest};
use gild::metrics::sink::remote_write::layout::Layout;
use prost::Message;

/// All samples of a tick arrive, or are counted as dropped.
pub fn deliver(samples: Vec<Sample>) {
    let tick = Tick::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000), samples);
    written(&tick);
    sent(&tick);
}

/// Each sample is one line, whatever stands in its labels.
pub fn written(tick: &Tick) {
    for format in [Format::Text, Format::OpenMetrics] {
        let text = render(tick, format);
        let lines = text.split_terminator('\n').filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), tick.samples.len(), "{text}");
        assert_eq!(text.ends_with("# EOF\n"), format == Format::OpenMetrics);
    }
}

/// What a receiver decodes is what was encoded, in the order that it asks for.
pub fn sent(tick: &Tick) {
    let external = [("instance".to_owned(), "i-1".to_owned())];
    let layout = Layout::of(&tick.samples, &external);
    assert_eq!(layout.len() + layout.invalid, tick.samples.len());
    let request = layout.request(tick, &[], &external);
    let wire = encode::compressed(&request).expect("it is not too large");
    let plain = snap::raw::Decoder::new().decompress_vec(&wire).expect("a snappy block");
    let decoded = WriteRequest::decode(&*plain).expect("a request");
    // Byte by byte: a NaN is not equal to itself.
    assert_eq!(decoded.encode_to_vec(), request);
    assert_eq!(encode::lines(&decoded).count(), decoded.timeseries.len());
    assert_eq!(decoded.timeseries.len(), layout.len());
    for series in &decoded.timeseries {
        assert!(series.labels.is_sorted_by(|a, b| a.name < b.name), "sorted and unique");
        assert!(series.labels.iter().all(|label| !label.value.is_empty()));
    }
    assert!(decoded.timeseries.is_sorted_by(|a, b| a.labels < b.labels), "no series twice");
}

/// Whether gild may have made a metric of this name.
pub fn is_own(sample: &Sample) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !sample.name.is_empty() && sample.name.bytes().all(fine)
}

/// Samples, one a line: kind, name, number and the values of labels, between
/// tabs. Names of labels are gild's own, apart from two that it must refuse.
pub fn samples(text: &str) -> Vec<Sample> {
    const LABELS: [&str; 4] = ["cpu", "mode", "bad-name", "__reserved"];
    let sample = |line: &str| {
        let mut fields = line.split('\t');
        let counter = fields.next()? == "counter";
        let name = fields.next()?.to_owned();
        let value = fields.next()?.parse().unwrap_or(f64::NAN);
        let labels = LABELS.into_iter().zip(fields).filter(|(_, value)| *value != "-");
        let labels = labels.map(|(name, value)| label(name, value)).collect();
        let made = if counter { Sample::counter } else { Sample::gauge };
        Some(made(name, labels, value))
    };
    text.split('\n').filter_map(sample).collect()
}
