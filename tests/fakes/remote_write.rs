//! A remote-write 1.0 receiver that refuses whatever the specification forbids.
//!
//! Real receivers let much of it pass (unsorted labels, empty values), so a sender
//! that only ever met one of them proves little. What passed is kept as `Sample`s.

use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
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
        let record = Arc::new(Mutex::new(Record::default()));
        let faults = Faults::default();
        let server = Server::start(listener, faults.clone(), Receiver(Arc::clone(&record)));
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

struct Receiver(Arc<Mutex<Record>>);

impl Service for Receiver {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let mut record = lock(&self.0);
        match receive(asked, &mut record) {
            Ok(samples) => {
                record.samples.extend(samples);
                record.headers.push(asked.headers.clone());
                text(204, "")
            }
            Err(why) => {
                record.refused.push(why.clone());
                text(400, &why)
            }
        }
    }
}

fn receive(asked: &Asked, record: &mut Record) -> Result<Vec<Sample>, String> {
    if asked.method != Method::POST {
        return Err(format!("the method is {}", asked.method));
    }
    let wanted = [
        ("content-encoding", "snappy"),
        ("content-type", "application/x-protobuf"),
        ("x-prometheus-remote-write-version", "0.1.0"),
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
    let request = WriteRequest::decode(&raw[..]).map_err(|e| format!("protobuf: {e}"))?;
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
