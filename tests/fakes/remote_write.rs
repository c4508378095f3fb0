//! A remote-write receiver, of 1.0 and 2.0, that refuses whatever the specification forbids.
//!
//! Real receivers let much of it pass (unsorted labels, empty values), so a sender
//! that only ever met one of them proves little. What passed is kept as `Sample`s.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response};
use prost::Message;

use super::fault::Faults;
use super::server::{Asked, Server, Service, text};

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<RawSample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct RawSample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// `io.prometheus.write.v2.Request`.
#[derive(Clone, PartialEq, Message)]
struct SecondRequest {
    #[prost(string, repeated, tag = "4")]
    symbols: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    timeseries: Vec<SecondSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct SecondSeries {
    #[prost(uint32, repeated, tag = "1")]
    labels_refs: Vec<u32>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<RawSample>,
    #[prost(message, optional, tag = "5")]
    metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(uint32, tag = "3")]
    help_ref: u32,
    #[prost(uint32, tag = "4")]
    unit_ref: u32,
}

impl SecondRequest {
    /// The same as a request of version 1.0.
    fn checked(self) -> Result<WriteRequest, String> {
        let symbols = &self.symbols;
        if symbols.first().is_none_or(|first| !first.is_empty()) {
            return Err("the first symbol is not empty".into());
        }
        if symbols.iter().collect::<HashSet<_>>().len() != symbols.len() {
            return Err("a symbol is there twice".into());
        }
        let symbol = |place: u32| {
            let found = symbols.get(place as usize).cloned();
            found.ok_or_else(|| format!("there is no symbol {place}"))
        };
        let mut timeseries = Vec::new();
        for series in &self.timeseries {
            if series.labels_refs.len() % 2 != 0 {
                return Err("a label has no value".into());
            }
            let mut labels = Vec::new();
            for pair in series.labels_refs.chunks(2) {
                labels.push(Label { name: symbol(pair[0])?, value: symbol(pair[1])? });
            }
            let metadata = series.metadata.clone().ok_or("there is no metadata")?;
            if !matches!(metadata.kind, 1..=7) || symbol(metadata.help_ref)?.is_empty() {
                return Err(format!("{labels:?} has no type or help"));
            }
            symbol(metadata.unit_ref)?;
            timeseries.push(TimeSeries { labels, samples: series.samples.clone() });
        }
        Ok(WriteRequest { timeseries })
    }
}

/// One accepted sample; `labels` is without the name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    pub(crate) timestamp_ms: i64,
}

#[derive(Debug, Default)]
struct Record {
    samples: Vec<Sample>,
    accepted: usize,
    newest: HashMap<String, i64>,
    headers: Vec<HeaderMap>,
    refused: Vec<String>,
}

/// The running receiver.
#[derive(Debug)]
pub(crate) struct RemoteWrite {
    server: Server,
    record: Arc<Mutex<Record>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl RemoteWrite {
    /// Receives on `listener`.
    pub(crate) fn start(listener: TcpListener) -> Self {
        Self::keeping(listener, |_| true)
    }

    /// The same, keeping of what it accepts only what is wanted: a receiver that lives long.
    pub(crate) fn keeping(listener: TcpListener, wanted: fn(&Sample) -> bool) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let faults = Faults::default();
        let receiver = Receiver { record: Arc::clone(&record), wanted };
        let server = Server::start(listener, faults.clone(), receiver);
        Self { server, record, faults }
    }

    /// The address to send to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/v1/push", self.address())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many connections it accepted.
    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }

    /// The samples accepted so far.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        lock(&self.record).samples.clone()
    }

    /// How many samples it accepted, kept or not.
    pub(crate) fn accepted(&self) -> usize {
        lock(&self.record).accepted
    }

    /// The headers of each accepted request.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        lock(&self.record).headers.clone()
    }

    /// What was refused, and why.
    pub(crate) fn refused(&self) -> Vec<String> {
        lock(&self.record).refused.clone()
    }
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Receiver {
    record: Arc<Mutex<Record>>,
    wanted: fn(&Sample) -> bool,
}

impl Service for Receiver {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let mut record = lock(&self.record);
        match receive(asked, &mut record) {
            Ok(samples) => {
                let mut answer = text(204, "");
                if is_second(asked) {
                    let written = HeaderValue::from(samples.len());
                    answer
                        .headers_mut()
                        .insert("x-prometheus-remote-write-samples-written", written);
                }
                record.accepted += samples.len();
                record.samples.extend(samples.into_iter().filter(self.wanted));
                record.headers.push(asked.headers.clone());
                answer
            }
            Err(why) => {
                record.refused.push(why.clone());
                text(400, &why)
            }
        }
    }
}

fn is_second(asked: &Asked) -> bool {
    asked.header("content-type") == "application/x-protobuf;proto=io.prometheus.write.v2.Request"
}

fn receive(asked: &Asked, record: &mut Record) -> Result<Vec<Sample>, String> {
    if asked.method != Method::POST {
        return Err(format!("the method is {}", asked.method));
    }
    let second = is_second(asked);
    let (kind, version) = match second {
        true => (asked.header("content-type"), "2.0.0"),
        false => ("application/x-protobuf", "0.1.0"),
    };
    let wanted = [
        ("content-encoding", "snappy"),
        ("content-type", kind),
        ("x-prometheus-remote-write-version", version),
    ];
    for (name, value) in wanted {
        if asked.header(name) != value {
            return Err(format!("header {name} is {:?} instead of {value:?}", asked.header(name)));
        }
    }
    if asked.header("user-agent").is_empty() {
        return Err("there is no user agent".into());
    }
    let raw = snap::raw::Decoder::new()
        .decompress_vec(&asked.body)
        .map_err(|e| format!("snappy: {e}"))?;
    let broken = |error| format!("protobuf: {error}");
    let request = match second {
        true => SecondRequest::decode(&raw[..]).map_err(broken)?.checked()?,
        false => WriteRequest::decode(&raw[..]).map_err(broken)?,
    };
    let mut samples = Vec::new();
    // A refused request leaves no trace, so order is checked against a copy.
    let mut newest = record.newest.clone();
    for series in request.timeseries {
        let (name, labels) = check_labels(&series.labels)?;
        if series.samples.is_empty() {
            return Err(format!("{name} has no samples"));
        }
        let key = format!("{name}{labels:?}");
        for sample in series.samples {
            if newest.get(&key).is_some_and(|last| *last >= sample.timestamp) {
                return Err(format!(
                    "{name} {labels:?}: sample at {} is out of order",
                    sample.timestamp
                ));
            }
            newest.insert(key.clone(), sample.timestamp);
            samples.push(Sample {
                name: name.clone(),
                labels: labels.clone(),
                value: sample.value,
                timestamp_ms: sample.timestamp,
            });
        }
    }
    record.newest = newest;
    Ok(samples)
}

fn check_labels(labels: &[Label]) -> Result<(String, BTreeMap<String, String>), String> {
    let mut name = None;
    let mut rest = BTreeMap::new();
    let mut last = "";
    for label in labels {
        if label.name.is_empty() || label.value.is_empty() {
            return Err(format!("an empty label in {labels:?}"));
        }
        if label.name.as_str() <= last {
            return Err(format!("label {} is repeated or not in order after {last}", label.name));
        }
        last = &label.name;
        let legal = |c: char| {
            c.is_ascii_alphanumeric() || c == '_' || (c == ':' && label.name == "__name__")
        };
        let checked = if label.name == "__name__" { &label.value } else { &label.name };
        if !checked.chars().all(legal) || checked.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("{checked:?} is not a legal name"));
        }
        if label.name == "__name__" {
            name = Some(label.value.clone());
        } else {
            rest.insert(label.name.clone(), label.value.clone());
        }
    }
    name.map(|name| (name, rest)).ok_or_else(|| format!("no __name__ in {labels:?}"))
}
