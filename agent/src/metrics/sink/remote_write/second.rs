//! The same request in version 2.0 of the protocol: each text once, in a table, and
//! with each series what kind of metric it is.
//!
//! Since when a counter counts is not known of any sample, and is left out. The numbers
//! of the fields are those of the specification; version 1.0 uses none of them at the
//! top, so whoever takes this for 1.0 reads an empty request.

use std::collections::HashMap;

use prost::Message;

use super::encode::{self, Label, Point, WriteRequest};
use crate::metrics::help;
use crate::metrics::sample::{Kind, Sample};

/// `io.prometheus.write.v2.Request`.
#[derive(Clone, PartialEq, Message)]
pub struct Request {
    /// All texts, the first of which is empty.
    #[prost(string, repeated, tag = "4")]
    pub symbols: Vec<String>,
    /// The series.
    #[prost(message, repeated, tag = "5")]
    pub timeseries: Vec<TimeSeries>,
}

/// `io.prometheus.write.v2.TimeSeries`, as far as it is used.
#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// The labels' names and values in turn, as places in the table.
    #[prost(uint32, repeated, tag = "1")]
    pub labels_refs: Vec<u32>,
    /// The samples, the oldest first.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Point>,
    /// What the metric is.
    #[prost(message, optional, tag = "5")]
    pub metadata: Option<Metadata>,
}

/// `io.prometheus.write.v2.Metadata`, as far as it is used.
#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    /// `METRIC_TYPE_COUNTER`, `METRIC_TYPE_GAUGE`, or 0 where neither is said.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    /// The help, as a place in the table.
    #[prost(uint32, tag = "3")]
    pub help_ref: u32,
}

const UNSPECIFIED: i32 = 0;
const COUNTER: i32 = 1;
const GAUGE: i32 = 2;

/// A request of version 1.0 in version 2.0. The samples say what kind of metric each is.
pub fn from_first(first: &WriteRequest, samples: &mut dyn Iterator<Item = &Sample>) -> Request {
    let kinds: HashMap<&str, Kind> = samples.map(|sample| (&*sample.name, sample.kind)).collect();
    let mut table = Table::default();
    table.place("");
    let mut timeseries = Vec::with_capacity(first.timeseries.len());
    for series in &first.timeseries {
        let mut labels_refs = Vec::with_capacity(2 * series.labels.len());
        for label in &series.labels {
            labels_refs.extend([table.place(&label.name), table.place(&label.value)]);
        }
        let name = encode::name(&series.labels);
        let kind = match kinds.get(name) {
            Some(Kind::Counter) => COUNTER,
            Some(Kind::Gauge) => GAUGE,
            None => UNSPECIFIED,
        };
        let metadata = Some(Metadata { kind, help_ref: table.place(help::of(name)) });
        timeseries.push(TimeSeries { labels_refs, samples: series.samples.clone(), metadata });
    }
    Request { symbols: table.symbols.into_iter().map(str::to_owned).collect(), timeseries }
}

/// A request of version 2.0 in version 1.0, for a receiver that does not know the other.
pub fn to_first(second: &Request) -> WriteRequest {
    let symbol = |place: &u32| second.symbols.get(*place as usize).cloned().unwrap_or_default();
    let series = |series: &TimeSeries| encode::TimeSeries {
        labels: series
            .labels_refs
            .chunks_exact(2)
            .map(|pair| Label { name: symbol(&pair[0]), value: symbol(&pair[1]) })
            .collect(),
        samples: series.samples.clone(),
    };
    WriteRequest { timeseries: second.timeseries.iter().map(series).collect() }
}

/// Texts and their places.
#[derive(Default)]
struct Table<'a> {
    symbols: Vec<&'a str>,
    places: HashMap<&'a str, u32>,
}

impl<'a> Table<'a> {
    fn place(&mut self, text: &'a str) -> u32 {
        let next = self.symbols.len() as u32;
        let place = *self.places.entry(text).or_insert(next);
        if place == next {
            self.symbols.push(text);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::metrics::sample::{Tick, label};
    use crate::metrics::sink::remote_write::layout::Layout;

    fn first() -> (WriteRequest, Vec<Sample>) {
        let mode = |mode: &str| vec![label("mode", mode)];
        let samples = vec![
            Sample::gauge("node_load1", vec![], 0.5),
            Sample::counter("node_cpu_seconds_total", mode("idle"), 7.0),
            Sample::counter("node_cpu_seconds_total", mode("user"), 8.0),
        ];
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123);
        let external = [("instance".to_owned(), "i-1".to_owned())];
        let tick = Tick::new(at, samples.clone());
        let wire = Layout::of(&tick.samples, &external).request(&tick, &[], &external);
        (WriteRequest::decode(&*wire).unwrap(), samples)
    }

    #[test]
    fn each_text_is_there_once_and_the_first_is_empty() {
        let (first, samples) = first();
        let second = from_first(&first, &mut samples.iter());
        let expected = [
            "",
            "__name__",
            "node_cpu_seconds_total",
            "instance",
            "i-1",
            "mode",
            "idle",
            "Seconds that each processor spent in each mode.",
            "user",
            "node_load1",
            "Load average over 1 minute.",
        ];
        assert_eq!(second.symbols, expected);
        let refs: Vec<_> = second.timeseries.iter().map(|s| s.labels_refs.clone()).collect();
        assert_eq!(refs[0], [1, 2, 3, 4, 5, 6]);
        assert_eq!(refs[1], [1, 2, 3, 4, 5, 8]);
        assert_eq!(refs[2], [1, 9, 3, 4]);
        let kinds: Vec<_> = second.timeseries.iter().map(|s| s.metadata.clone().unwrap()).collect();
        assert_eq!(kinds[0], Metadata { kind: COUNTER, help_ref: 7 });
        assert_eq!(kinds[2], Metadata { kind: GAUGE, help_ref: 10 });
    }

    #[test]
    fn whoever_takes_it_for_the_first_version_reads_nothing() {
        let (first, samples) = first();
        let wire = from_first(&first, &mut samples.iter()).encode_to_vec();
        assert_eq!(wire[0], 4 << 3 | 2, "field 4, a text");
        assert_eq!(WriteRequest::decode(&*wire).unwrap(), WriteRequest::default());
    }

    #[test]
    fn nothing_is_lost_on_the_way_back() {
        let (first, samples) = first();
        let wire = from_first(&first, &mut samples.iter()).encode_to_vec();
        assert_eq!(to_first(&Request::decode(&*wire).unwrap()), first);
    }

    #[test]
    fn a_table_that_does_not_hold_together_is_no_danger() {
        let series = TimeSeries { labels_refs: vec![1, 9, 0], ..TimeSeries::default() };
        let broken = Request { symbols: vec![], timeseries: vec![series] };
        assert_eq!(to_first(&broken).timeseries[0].labels, [Label::default()]);
    }
}
