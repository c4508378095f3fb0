//! The series of a tick as they stand on the wire. Nearly every tick has the series of the
//! one before, so what stays the same is encoded once for many.

use std::collections::HashSet;

use prost::Message;
use prost::encoding::WireType;

use super::encode::{Label, Point, STALE_BITS, TimeSeries, labels, name};
use crate::metrics::sample::{Sample, Tick};
use crate::platform::clock;

/// The series of a tick as they stand on the wire, but for their values. Nearly every
/// tick has the series of the one before, so this is made once for many ticks.
#[derive(Debug, Default)]
pub struct Layout {
    /// For each series that can be sent: which sample of the tick it is, and where its
    /// labels end in `labels`. They are sorted by their labels.
    series: Vec<(usize, usize)>,
    /// The labels of all series as protobuf, one series after the other.
    labels: Vec<u8>,
    /// How many samples cannot be sent.
    pub invalid: usize,
}

impl Layout {
    /// The layout of these samples; `external` labels stand on every series that has no
    /// label of the same name. One moment has one value: of two series with the same
    /// labels the first stays.
    pub fn of(samples: &[Sample], external: &[(String, String)]) -> Self {
        let labels = samples.iter().map(|sample| labels(sample, external));
        let mut sorted: Vec<_> =
            labels.enumerate().filter_map(|(at, labels)| Some((labels?, at))).collect();
        sorted.sort();
        sorted.dedup_by(|later, first| later.0 == first.0);
        let mut layout = Self { invalid: samples.len() - sorted.len(), ..Self::default() };
        for (labels, at) in sorted {
            put_labels(&mut layout.labels, &labels);
            layout.series.push((at, layout.labels.len()));
        }
        layout.labels.shrink_to_fit();
        layout
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// The names of the metrics, one for each series.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.iter().map(|(labels, _)| {
            name(&TimeSeries::decode(labels).unwrap_or_default().labels).to_owned()
        })
    }

    /// Their labels and samples.
    fn iter(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let mut begin = 0;
        self.series.iter().map(move |(at, end)| {
            let labels = &self.labels[begin..*end];
            begin = *end;
            (labels, *at)
        })
    }

    /// A request with the values of a tick that has this layout, and with markers for the
    /// series that have ended, unless one that lives has their labels.
    pub fn request(&self, tick: &Tick, ended: &[Sample], external: &[(String, String)]) -> Vec<u8> {
        let timestamp = clock::unix_ms(tick.at);
        let mut out = Vec::with_capacity(self.labels.len() + 32 * self.series.len());
        for (labels, at) in self.iter() {
            let value = tick.samples.get(at).map_or(f64::NAN, |sample| sample.value);
            put_series(&mut out, labels, value, timestamp);
        }
        if ended.is_empty() {
            return out;
        }
        let living: HashSet<&[u8]> = self.iter().map(|(labels, _)| labels).collect();
        let ended = Layout::of(ended, external);
        for (labels, _) in ended.iter().filter(|(labels, _)| !living.contains(labels)) {
            put_series(&mut out, labels, f64::from_bits(STALE_BITS), timestamp);
        }
        out
    }
}

fn put_labels(out: &mut Vec<u8>, labels: &[Label]) {
    for label in labels {
        prost::encoding::message::encode(1, label, out);
    }
}

/// One series with one point.
fn put_series(out: &mut Vec<u8>, labels: &[u8], value: f64, timestamp: i64) {
    let point = Point { value, timestamp };
    let length = labels.len() + prost::encoding::message::encoded_len(2, &point);
    prost::encoding::encode_key(1, WireType::LengthDelimited, out);
    prost::encoding::encode_varint(length as u64, out);
    out.extend_from_slice(labels);
    prost::encoding::message::encode(2, &point, out);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, SystemTime};

    use super::super::encode::{LONGEST_VALUE, WriteRequest, compressed, lines};
    use super::*;
    use crate::metrics::sample::label;

    fn tick(samples: Vec<Sample>) -> Tick {
        Tick::new(SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123), samples)
    }

    fn pairs(series: &TimeSeries) -> Vec<(&str, &str)> {
        series.labels.iter().map(|label| (&*label.name, &*label.value)).collect()
    }

    fn sample(name: &'static str, labels: &[(&'static str, &str)]) -> Sample {
        let labels = labels.iter().map(|(name, value)| label(name, *value)).collect();
        Sample::gauge(name, labels, 1.5)
    }

    /// What a receiver reads, and how many samples were left out.
    fn sent(
        samples: Vec<Sample>,
        ended: &[Sample],
        external: &[(&str, &str)],
    ) -> (WriteRequest, usize) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let external: Vec<_> = external.iter().map(owned).collect();
        let tick = tick(samples);
        let layout = Layout::of(&tick.samples, &external);
        let wire = layout.request(&tick, ended, &external);
        (WriteRequest::decode(&*wire).unwrap(), layout.invalid)
    }

    #[test]
    fn labels_are_sorted_unique_and_not_empty() {
        let external = [("Zone", "a"), ("instance", "i-1"), ("mode", "external")];
        let sample = sample("node_x", &[("mode", "idle"), ("cpu", "0"), ("none", "")]);
        let (request, invalid) = sent(vec![sample], &[], &external);
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
        assert_eq!(invalid, 0);
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
        let (request, invalid) = sent(samples, &[], &[]);
        assert_eq!((request.timeseries.len(), invalid), (1, 7));
    }

    #[test]
    fn a_layout_serves_ticks_whose_values_differ() {
        let named = |name, value| Sample::gauge(name, vec![], value);
        let first = tick(vec![named("node_b", 1.0), named("bad-", 2.0), named("node_a", 0.0)]);
        let second =
            tick(vec![named("node_b", f64::NAN), named("bad-", 4.0), named("node_a", -5.0)]);
        let layout = Layout::of(&first.samples, &[]);
        let values = |tick| {
            let request = WriteRequest::decode(&*layout.request(tick, &[], &[])).unwrap();
            let value = |series: &TimeSeries| {
                (series.labels[0].value.clone(), series.samples[0].value.to_string())
            };
            request.timeseries.iter().map(value).collect::<Vec<_>>()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(values(&first), [pair("node_a", "0"), pair("node_b", "1")]);
        assert_eq!(values(&second), [pair("node_a", "-5"), pair("node_b", "NaN")]);
    }

    #[test]
    fn a_series_that_has_ended_is_marked_by_its_bits_unless_another_goes_by_its_name() {
        let gone = [
            sample("node_z", &[]),
            sample("node_a", &[("b", "x")]),
            sample("bad-", &[]),
            sample("node_z", &[("b", "x")]),
        ];
        let (decoded, _) = sent(vec![sample("node_a", &[])], &gone, &[("b", "x")]);
        assert_eq!(decoded.timeseries[1].samples[0].value.to_bits(), 0x7ff0_0000_0000_0002);
        let lines: Vec<_> = lines(&decoded).collect();
        let expected = ["node_a{b=\"x\"} 1.5 1800000000123", "node_z{b=\"x\"} stale 1800000000123"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_wire_is_a_snappy_block_of_protobuf() {
        let (request, _) = sent(vec![sample("node_x", &[("a", "b\"c")])], &[], &[]);
        let wire = compressed(&request.encode_to_vec()).unwrap();
        let plain = snap::raw::Decoder::new().decompress_vec(&wire).unwrap();
        assert_eq!(plain[0], 0x0a, "field 1, a message");
        assert_eq!(WriteRequest::decode(&*plain).unwrap(), request);
        let lines: Vec<_> = lines(&request).collect();
        assert_eq!(lines, ["node_x{a=\"b\\\"c\"} 1.5 1800000000123"]);
    }
}
