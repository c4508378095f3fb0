//! HTTP/1.1 on the status socket. Everyone who may open the socket may be
//! broken or hostile, so every client has caps on time and bytes, one request
//! a connection, and none can hold up another or the daemon.

mod answer;
mod flush;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::answer::{JSON, Memory, refuse, too_many};
use self::flush::Gate;
use super::listener::Listener;
use crate::metrics::openmetrics::Format;
use crate::platform::redact::Redactor;

/// Clients that are being told, at the same time, that there are too many. When
/// this is used up too, the rest waits in the socket's own queue.
const REFUSALS: usize = 32;
/// A refusal is one short answer; whoever does not take it is let go.
const REFUSAL_LIMIT: Duration = Duration::from_secs(1);
/// The request line and headers.
const HEADER_BYTES: usize = 8 * 1024;
/// hyper's smallest buffer; it holds the headers.
const BUFFER_BYTES: usize = 16 * 1024;
/// The body of a request.
const BODY_BYTES: usize = 4 * 1024;
/// A pause after a failed accept, which mostly means too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Sinks that send what they hold; whether all have.
pub type Flushing = Pin<Box<dyn Future<Output = bool> + Send>>;

/// What the daemon answers. Called on the daemon's own thread, so none of this
/// may wait.
pub trait Answers: Send + Sync + 'static {
    /// `GET /v1/status`.
    fn status(&self) -> Value;
    /// `GET /v1/config`; `None` before there is one.
    fn config(&self) -> Option<Value>;
    /// `GET /v1/report`; `None` before there is one.
    fn report(&self) -> Option<Value>;
    /// `GET /metrics`.
    fn metrics(&self, format: Format) -> String;
    /// `POST /v1/refresh`: starts to read configuration and report again.
    fn refresh(&self);
    /// `POST /v1/flush`: has the sinks send what they hold, within this time.
    fn flush(&self, within: Duration) -> Flushing;
}

/// What a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Clients that are served at the same time.
    pub clients: usize,
    /// Until the last byte of the headers.
    pub headers: Duration,
    /// Until the last byte of the answer.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { clients: 32, headers: Duration::from_secs(5), request: Duration::from_secs(10) }
    }
}

/// Serves for ever. Ends, with all clients and the socket, when dropped.
pub async fn serve(
    listener: Listener,
    answers: Arc<dyn Answers>,
    redactor: Redactor,
    limits: Limits,
) {
    let clients = Arc::new(Semaphore::new(limits.clients));
    let (memory, gate) = (Memory::default(), Gate::default());
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let refusal = Limits { headers: REFUSAL_LIMIT, request: REFUSAL_LIMIT, ..limits };
    let mut tasks = JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        let stream = match listener.socket.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("failed to accept a client of the status socket: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Ok(permit) = clients.clone().try_acquire_owned() {
            let room = Room {
                answers: answers.clone(),
                redactor: redactor.clone(),
                memory: memory.clone(),
                gate: gate.clone(),
            };
            tasks.spawn(async move {
                let _permit = permit;
                one(stream, limits, Some(&room)).await;
            });
        } else if let Ok(permit) = refusals.clone().acquire_owned().await {
            tasks.spawn(async move {
                let _permit = permit;
                one(stream, refusal, None).await;
            });
        }
    }
}

/// Serves one request of one client, or, without a room, says that there are too
/// many. What goes wrong here is the client's own matter: hyper has told it what
/// it could.
async fn one(stream: UnixStream, limits: Limits, room: Option<&Room>) {
    let service = service_fn(async |request| {
        Ok::<_, Infallible>(match room {
            Some(room) => room.answer(request).await,
            None => too_many(limits.clients),
        })
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .keep_alive(false)
        .max_header_size(HEADER_BYTES)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(limits.request, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a client of the status socket broke off: {error}"),
        Err(_) => tracing::debug!("a client of the status socket took too long"),
    }
}

struct Room {
    answers: Arc<dyn Answers>,
    redactor: Redactor,
    memory: Memory,
    gate: Gate,
}

impl Room {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        if Limited::new(body, BODY_BYTES).collect().await.is_err() {
            return refuse(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                &format!("the request's body is broken or larger than {BODY_BYTES} bytes"),
            );
        }
        self.route(&head.method, head.uri.path(), wished(&head.headers)).await
    }

    async fn route(&self, method: &Method, path: &str, format: Format) -> Response<Full<Bytes>> {
        let allowed = match path {
            "/v1/status" | "/v1/config" | "/v1/report" | "/metrics" => Method::GET,
            "/v1/refresh" | "/v1/flush" => Method::POST,
            _ => return refuse(StatusCode::NOT_FOUND, "not_found", "there is no such page"),
        };
        if *method != allowed {
            let message = format!("this page answers to {allowed} only");
            let mut answer = refuse(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &message);
            if let Ok(allowed) = HeaderValue::from_str(allowed.as_str()) {
                answer.headers_mut().insert(ALLOW, allowed);
            }
            return answer;
        }
        match path {
            "/v1/status" => self.json(StatusCode::OK, self.answers.status()),
            "/v1/config" => self.json_or(self.answers.config(), "no_config", "configuration"),
            "/v1/report" => self.json_or(self.answers.report(), "no_report", "report"),
            "/v1/refresh" => {
                self.answers.refresh();
                self.json(StatusCode::ACCEPTED, json!({ "refresh": "started" }))
            }
            "/v1/flush" => self.flush().await,
            _ => {
                let kind = match format {
                    Format::Text => TEXT,
                    Format::OpenMetrics => OPENMETRICS,
                };
                let page = self.redactor.text(&self.answers.metrics(format));
                self.memory.text(StatusCode::OK, kind, page)
            }
        }
    }

    fn json(&self, status: StatusCode, mut value: Value) -> Response<Full<Bytes>> {
        self.redact(&mut value);
        self.memory.text(status, JSON, value.to_string() + "\n")
    }

    fn json_or(&self, value: Option<Value>, code: &str, what: &str) -> Response<Full<Bytes>> {
        match value {
            Some(value) => self.json(StatusCode::OK, value),
            None => refuse(StatusCode::NOT_FOUND, code, &format!("there is no {what} yet")),
        }
    }

    /// Masks secrets within the values, so that the answer stays valid JSON
    /// whatever a secret looks like.
    fn redact(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.redactor.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact(item)),
            Value::Object(table) => {
                for (key, mut value) in std::mem::take(table) {
                    self.redact(&mut value);
                    table.insert(self.redactor.text(&key), value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// OpenMetrics for those who name it, the text format for all others.
fn wished(headers: &HeaderMap) -> Format {
    let named = |value: &HeaderValue| {
        value.to_str().is_ok_and(|text| text.contains("application/openmetrics-text"))
    };
    match headers.get_all(ACCEPT).iter().any(named) {
        true => Format::OpenMetrics,
        false => Format::Text,
    }
}

#[cfg(test)]
mod tests;
