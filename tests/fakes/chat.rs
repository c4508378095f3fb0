//! A receiver as Discord's webhooks are: it refuses what Discord refuses, and
//! its limit is told in the body.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Method, Response};
use serde_json::Value;

use super::fault::Faults;
use super::server::{Asked, Server, Service, text};

/// The token of the fake's webhooks.
pub(crate) const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789";

/// A message that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) at: Instant,
}

#[derive(Debug, Default)]
struct Record {
    posted: Vec<Posted>,
    refused: Vec<String>,
}

/// The running receiver.
#[derive(Debug)]
pub(crate) struct Chat {
    server: Server,
    record: Arc<Mutex<Record>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl Chat {
    /// Receives on `listener`.
    pub(crate) fn start(listener: TcpListener) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let faults = Faults::default();
        let server = Server::start(listener, faults.clone(), Webhooks(Arc::clone(&record)));
        Self { server, record, faults }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The URL of a webhook, with its token.
    pub(crate) fn webhook(&self, id: &str) -> String {
        format!("http://{}{}", self.address(), path(id))
    }

    /// How many connections it accepted.
    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }

    /// The messages that a webhook accepted. None may have been refused.
    #[track_caller]
    pub(crate) fn posted(&self, id: &str) -> Vec<Posted> {
        let record = lock(&self.record);
        assert!(record.refused.is_empty(), "{:?}", record.refused);
        record.posted.iter().filter(|posted| posted.path == path(id)).cloned().collect()
    }
}

/// The path of a webhook.
pub(crate) fn path(id: &str) -> String {
    format!("/api/webhooks/{id}/{TOKEN}")
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Webhooks(Arc<Mutex<Record>>);

impl Service for Webhooks {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let mut record = lock(&self.0);
        match accept(asked) {
            Ok(body) => {
                let path = asked.path.clone();
                record.posted.push(Posted { path, body, at: Instant::now() });
                json(200, r#"{"id": "1", "type": 0, "content": "as it was posted"}"#)
            }
            Err(why) => {
                record.refused.push(why.clone());
                json(400, &serde_json::json!({ "message": why, "code": 50035 }).to_string())
            }
        }
    }

    fn throttled(&self) -> Response<Bytes> {
        let body =
            r#"{"message": "You are being rate limited.", "retry_after": 1.25, "global": false}"#;
        let mut response = json(429, body);
        let headers = response.headers_mut();
        headers.insert("retry-after", HeaderValue::from_static("2"));
        headers.insert("x-ratelimit-reset-after", HeaderValue::from_static("1.25"));
        response
    }
}

fn json(status: u16, body: &str) -> Response<Bytes> {
    let mut response = text(status, body);
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

fn accept(asked: &Asked) -> Result<Value, String> {
    if asked.method != Method::POST || asked.header("content-type") != "application/json" {
        return Err(format!("{} of {:?}", asked.method, asked.header("content-type")));
    }
    let body: Value = serde_json::from_slice(&asked.body).map_err(|error| error.to_string())?;
    // Discord counts code points, of which there are never more than these units.
    let units = |value: &Value| value.as_str().unwrap_or_default().encode_utf16().count();
    let within = |what: &str, value: &Value, most: usize| match units(value) {
        count if count == 0 || count > most => Err(format!("{what}: {count} of {most}")),
        count => Ok(count),
    };
    within("content", &body["content"], 2000)?;
    for embed in body["embeds"].as_array().ok_or("no embeds")? {
        let mut total = within("title", &embed["title"], 256)?;
        if embed.get("description").is_some() {
            total += within("description", &embed["description"], 4096)?;
        }
        let fields = embed["fields"].as_array().ok_or("no fields")?;
        if fields.len() > 25 {
            return Err(format!("{} fields", fields.len()));
        }
        for field in fields {
            total += within("name", &field["name"], 256)?;
            total += within("value", &field["value"], 1024)?;
        }
        if total > 6000 {
            return Err(format!("{total} in total"));
        }
    }
    Ok(body)
}
