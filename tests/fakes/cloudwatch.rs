//! A receiver of CloudWatch's PutMetricData that enforces the documented limits.
//!
//! It speaks Smithy RPC v2 CBOR, the protocol of the current SDK. One invalid datum
//! fails the whole call, as with the real service; what passed is kept as typed `Datum`s.
//! The limits are in `datum`.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use ciborium::Value;
use http::{HeaderValue, Response, StatusCode, header};

use super::datum::{Datum, Refusal, check, refuse};
use super::fault::Faults;
use super::server::{Asked, Server, Service};

const PATH: &str = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
const MAX_BYTES: usize = 1024 * 1024;

/// One accepted call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) namespace: String,
    pub(crate) datums: Vec<Datum>,
    /// Size of the body before compression.
    pub(crate) bytes: usize,
    pub(crate) compressed: bool,
    pub(crate) user_agent: String,
    pub(crate) authorization: String,
}

#[derive(Debug, Default)]
struct Record {
    calls: Vec<Call>,
    refused: Vec<Refusal>,
    unknown: Option<(String, &'static str)>,
}

/// The running receiver.
#[derive(Debug)]
pub(crate) struct CloudWatch {
    server: Server,
    record: Arc<Mutex<Record>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl CloudWatch {
    /// Receives on `listener`.
    pub(crate) fn start(listener: TcpListener) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let faults = Faults::default();
        let server = Server::start(listener, faults.clone(), Receiver(Arc::clone(&record)));
        Self { server, record, faults }
    }

    /// The address for `AWS_ENDPOINT_URL_CLOUDWATCH`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Refuses calls that are signed with this access key from now on, with this code.
    pub(crate) fn forget_key(&self, id: &str, code: &'static str) {
        lock(&self.record).unknown = Some((format!("Credential={id}/"), code));
    }

    /// The calls accepted so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.record).calls.clone()
    }

    /// Every accepted datum of a namespace.
    pub(crate) fn datums(&self, namespace: &str) -> Vec<Datum> {
        let calls = self.calls();
        calls.into_iter().filter(|c| c.namespace == namespace).flat_map(|c| c.datums).collect()
    }

    /// The calls refused so far, for a test to show why nothing arrived.
    pub(crate) fn refused(&self) -> Vec<Refusal> {
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
        let signed = asked.header("authorization");
        let outcome = match &record.unknown {
            Some((key, code)) if signed.contains(key) => {
                refuse(code, "The security token included in the request is invalid.")
            }
            _ => receive(asked),
        };
        match outcome {
            Ok(call) => {
                record.calls.push(call);
                cbor(200, &Value::Map(Vec::new()))
            }
            Err(refusal) => {
                let response = error(400, refusal.code, &refusal.message);
                record.refused.push(refusal);
                response
            }
        }
    }

    fn throttled(&self) -> Response<Bytes> {
        error(400, "Throttling", "Rate exceeded")
    }
}

fn receive(asked: &Asked) -> Result<Call, Refusal> {
    if asked.path != PATH {
        return refuse("UnknownOperationException", format!("no operation at {}", asked.path));
    }
    let wanted = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
    for (name, value) in wanted {
        if asked.header(name) != value {
            return refuse("SerializationException", format!("{name} is not {value}"));
        }
    }
    let authorization = asked.header("authorization").to_owned();
    if !authorization.starts_with("AWS4-HMAC-SHA256 ")
        || !authorization.contains("/monitoring/aws4_request")
    {
        return refuse("MissingAuthenticationToken", "the call is not signed for monitoring");
    }
    let compressed = asked.header("content-encoding") == "gzip";
    let mut raw = Vec::new();
    // One byte more than allowed is enough to know that the body is too large.
    let limit = MAX_BYTES as u64 + 1;
    let read = if compressed {
        flate2::read::GzDecoder::new(&asked.body[..]).take(limit).read_to_end(&mut raw)
    } else {
        (&asked.body[..]).take(limit).read_to_end(&mut raw)
    };
    if let Err(error) = read {
        return refuse("SerializationException", format!("body: {error}"));
    }
    if raw.len() > MAX_BYTES {
        return refuse("RequestEntityTooLarge", "the body is larger than 1 MB");
    }
    let body: Value = match ciborium::from_reader(&raw[..]) {
        Ok(body) => body,
        Err(error) => return refuse("SerializationException", format!("body: {error}")),
    };
    let (namespace, datums) = check(&body)?;
    let user_agent = asked.header("user-agent").to_owned();
    Ok(Call { namespace, datums, bytes: raw.len(), compressed, user_agent, authorization })
}

fn error(status: u16, code: &str, message: &str) -> Response<Bytes> {
    let text = |text: String| Value::Text(text);
    // Some shapes carry the word "Exception" while the code of the older protocol does not.
    let shape = format!("com.amazonaws.cloudwatch#{}Exception", code.trim_end_matches("Exception"));
    let body = Value::Map(vec![
        (text("__type".into()), text(shape)),
        (text("message".into()), text(message.into())),
    ]);
    let mut response = cbor(status, &body);
    if let Ok(value) = HeaderValue::from_str(&format!("{code};Sender")) {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    response
}

fn cbor(status: u16, body: &Value) -> Response<Bytes> {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).expect("a value encodes");
    let mut response = Response::new(Bytes::from(bytes));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status code");
    let headers = response.headers_mut();
    headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/cbor"));
    response
}
