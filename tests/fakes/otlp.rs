//! An OTLP/HTTP receiver of metrics that refuses whatever the specification or CloudWatch's
//! endpoint forbids. It reads with OpenTelemetry's own types. What passed is kept as
//! `Point`s.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::{HeaderValue, Method, Response, header};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint};
use prost::Message;

use super::fault::Faults;
use super::server::{Asked, Server, Service, text};
use super::sigv4::{self, Expected};

/// One point that was taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) name: String,
    pub(crate) unit: String,
    /// Since when it counts; nothing for a gauge.
    pub(crate) start: Option<u64>,
    pub(crate) time: u64,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) value: f64,
}

#[derive(Debug, Default)]
struct Record {
    points: Vec<Point>,
    newest: HashMap<String, Point>,
    requests: Vec<usize>,
    refused: Vec<String>,
    signed: Option<Expected>,
    never: Option<String>,
}

/// The running receiver.
#[derive(Debug)]
pub(crate) struct Otlp {
    server: Server,
    record: Arc<Mutex<Record>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl Otlp {
    /// Receives on `listener`.
    pub(crate) fn start(listener: TcpListener) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let faults = Faults::default();
        let server = Server::start(listener, faults.clone(), Receiver(Arc::clone(&record)));
        Self { server, record, faults }
    }

    /// From now on only what is signed like this passes.
    pub(crate) fn wants_signatures(&self, expected: Expected) {
        lock(&self.record).signed = Some(expected);
    }

    /// From now on a request with this metric is answered 400.
    pub(crate) fn never_takes(&self, metric: &str) {
        lock(&self.record).never = Some(metric.to_owned());
    }

    /// The address to send to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{PATH}", self.address())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many connections it accepted.
    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }

    /// The points that were taken so far.
    pub(crate) fn points(&self) -> Vec<Point> {
        lock(&self.record).points.clone()
    }

    /// How many points each request had that was taken.
    pub(crate) fn requests(&self) -> Vec<usize> {
        lock(&self.record).requests.clone()
    }

    /// What was refused, and why.
    pub(crate) fn refused(&self) -> Vec<String> {
        lock(&self.record).refused.clone()
    }
}

const PATH: &str = "/v1/metrics";
const PROTOBUF: &str = "application/x-protobuf";

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Receiver(Arc<Mutex<Record>>);

impl Service for Receiver {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let mut record = lock(&self.0);
        match receive(asked, &mut record) {
            Ok(points) => {
                record.requests.push(points.len());
                record.points.extend(points);
                let body = ExportMetricsServiceResponse::default().encode_to_vec();
                let mut response = Response::new(Bytes::from(body));
                let kind = HeaderValue::from_static(PROTOBUF);
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                response
            }
            Err(why) => {
                record.refused.push(why.clone());
                text(400, &why)
            }
        }
    }
}

fn receive(asked: &Asked, record: &mut Record) -> Result<Vec<Point>, String> {
    if asked.method != Method::POST || asked.path != PATH || !asked.query.is_empty() {
        return Err(format!("{} {}?{}", asked.method, asked.path, asked.query));
    }
    for (name, value) in [("content-encoding", "gzip"), ("content-type", PROTOBUF)] {
        if asked.header(name) != value {
            return Err(format!("header {name} is {:?} instead of {value:?}", asked.header(name)));
        }
    }
    if !asked.header("user-agent").starts_with("gild/") {
        return Err("the user agent is not gild".into());
    }
    if let Some(expected) = &record.signed {
        sigv4::check(asked, expected)?;
    }
    let (mut decoder, mut plain) = (GzDecoder::new(&asked.body[..]), Vec::new());
    decoder.read_to_end(&mut plain).map_err(|error| format!("gzip: {error}"))?;
    if !decoder.into_inner().is_empty() {
        return Err("gzip: something comes behind its end".into());
    }
    if plain.len() > 1_000_000 {
        return Err(format!("{} bytes are too many", plain.len()));
    }
    let request = ExportMetricsServiceRequest::decode(&*plain);
    let request = request.map_err(|error| format!("protobuf: {error}"))?;
    // Fields that the types do not know would be lost on the way back.
    if request.encoded_len() != plain.len() {
        return Err("protobuf: a field is not known, or is there for nothing".into());
    }
    let mut points = Vec::new();
    for of_resource in request.resource_metrics {
        let resource = attributes(&of_resource.resource.ok_or("no resource")?.attributes)?;
        if !resource.contains_key("service.name") {
            return Err("the resource has no service.name".into());
        }
        for of_scope in of_resource.scope_metrics {
            if of_scope.scope.is_none_or(|scope| scope.name.is_empty()) {
                return Err("the scope has no name".into());
            }
            for metric in of_scope.metrics {
                take(&metric, &resource, &mut points)?;
            }
        }
    }
    if points.is_empty() || points.len() > 1000 {
        return Err(format!("{} data points", points.len()));
    }
    if points.iter().any(|point| record.never.as_ref() == Some(&point.name)) {
        return Err("there is a metric that this receiver never takes".into());
    }
    record.newest = in_order(&points, &record.newest)?;
    Ok(points)
}

fn take(
    metric: &Metric,
    resource: &BTreeMap<String, String>,
    points: &mut Vec<Point>,
) -> Result<(), String> {
    let name = &metric.name;
    if name.is_empty() || points.iter().any(|point| point.name == *name) {
        return Err(format!("the name {name:?} is empty, or there twice"));
    }
    let (data, counts) = match metric.data.as_ref().ok_or("no data")? {
        Data::Gauge(gauge) => (&gauge.data_points, false),
        Data::Sum(sum) if sum.is_monotonic && sum.aggregation_temporality == 2 => {
            (&sum.data_points, true)
        }
        other => return Err(format!("{name} is {other:?}")),
    };
    for point in data {
        let value = sound(point, counts).map_err(|why| format!("{name}: {why}"))?;
        points.push(Point {
            name: name.clone(),
            unit: metric.unit.clone(),
            start: counts.then_some(point.start_time_unix_nano),
            time: point.time_unix_nano,
            labels: attributes(&point.attributes)?,
            resource: resource.clone(),
            value,
        });
    }
    Ok(())
}

fn sound(point: &NumberDataPoint, counts: bool) -> Result<f64, String> {
    let Some(Number::AsDouble(value)) = point.value else {
        return Err(format!("the value is {:?}", point.value));
    };
    let started =
        point.start_time_unix_nano > 0 && point.start_time_unix_nano <= point.time_unix_nano;
    if point.time_unix_nano == 0 || counts != started || !value.is_finite() || counts && value < 0.0
    {
        return Err(format!("{point:?}"));
    }
    Ok(value)
}

fn attributes(pairs: &[KeyValue]) -> Result<BTreeMap<String, String>, String> {
    let mut attributes = BTreeMap::new();
    for pair in pairs {
        match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(text)) if !pair.key.is_empty() && !text.is_empty() => {
                if attributes.insert(pair.key.clone(), text.clone()).is_some() {
                    return Err(format!("the attribute {} is there twice", pair.key));
                }
            }
            _ => return Err(format!("the attribute {pair:?}")),
        }
    }
    Ok(attributes)
}

/// Of each series the newest point, where each comes after the one before it, and no
/// counter goes back that says that it went on.
fn in_order(
    points: &[Point],
    newest: &HashMap<String, Point>,
) -> Result<HashMap<String, Point>, String> {
    let mut newest = newest.clone();
    for point in points {
        let key = format!("{} {:?} {:?}", point.name, point.labels, point.resource);
        if let Some(before) = newest.insert(key, point.clone()) {
            let went_on = before.start == point.start;
            if point.time <= before.time
                || point.start < before.start
                || went_on && point.start.is_some() && point.value < before.value
            {
                return Err(format!("{point:?} comes after {before:?}"));
            }
        }
    }
    Ok(newest)
}
