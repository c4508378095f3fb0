//! A fake of the Parameter Store that answers at once, and no oftener than it
//! is allowed to: what moto can be asked for, without moto's pace.
//!
//! Faults are ordered by the name or the path of a parameter. A question beyond
//! the limit is refused as the service refuses it, and costs nothing.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};

use super::fault::Faults;
use super::server::{Asked, Server, Service, text};

/// How many parameters a page of a subtree has at most.
const PAGE: usize = 10;

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Such as `GetParameter`.
    pub(crate) operation: String,
    /// The name, the path, or the names with a comma between them.
    pub(crate) of: String,
    /// Whether it was refused for coming too often.
    pub(crate) throttled: bool,
}

#[derive(Debug, Default)]
struct State {
    values: BTreeMap<String, String>,
    questions: Vec<Question>,
    limit: Option<Limit>,
}

/// So many a second, and as many at once after a pause.
#[derive(Debug)]
struct Limit {
    rate: f64,
    tokens: f64,
    filled: Instant,
}

impl Limit {
    fn takes(&mut self) -> bool {
        let now = Instant::now();
        let more = now.duration_since(self.filled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + more).min(self.rate);
        self.filled = now;
        let fits = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(fits));
        fits
    }
}

/// The running fake.
#[derive(Debug)]
pub(crate) struct Parameters {
    server: Server,
    state: Arc<Mutex<State>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl Parameters {
    /// Serves on `listener`, nothing at first.
    pub(crate) fn start(listener: TcpListener) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let faults = Faults::default();
        let server = Server::start(listener, faults.clone(), Store(Arc::clone(&state)));
        Self { server, state, faults }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The address for `AWS_ENDPOINT_URL_SSM`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Adds or replaces a parameter, a String.
    pub(crate) fn put(&self, name: &str, value: &str) {
        lock(&self.state).values.insert(name.to_owned(), value.to_owned());
    }

    /// Answers so many questions a second from now on.
    pub(crate) fn limit(&self, rate: f64) {
        lock(&self.state).limit = Some(Limit { rate, tokens: rate, filled: Instant::now() });
    }

    /// Every question that no fault has hit.
    pub(crate) fn questions(&self) -> Vec<Question> {
        lock(&self.state).questions.clone()
    }

    /// How many bytes of bodies it has sent.
    pub(crate) fn sent(&self) -> u64 {
        self.server.sent()
    }
}

/// What the service says of a parameter.
pub(crate) fn described(name: &str, value: &str) -> Value {
    json!({ "Name": name, "Type": "String", "Value": value, "Version": 1, "DataType": "text" })
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Store(Arc<Mutex<State>>);

impl Service for Store {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let mut state = lock(&self.0);
        let (operation, of) = (operation(asked), self.place(asked));
        let throttled = state.limit.as_mut().is_some_and(|limit| !limit.takes());
        state.questions.push(Question { operation: operation.clone(), of, throttled });
        if throttled {
            return self.throttled();
        }
        let body = body(asked);
        let one = |name: &str| state.values.get(name).map(|value| described(name, value));
        match operation.as_str() {
            "GetParameter" => match one(name(&body, "Name")) {
                Some(parameter) => answer(200, &json!({ "Parameter": parameter })),
                None => answer(400, &json!({ "__type": "ParameterNotFound" })),
            },
            "GetParameters" => {
                let (found, missing): (Vec<_>, Vec<_>) =
                    names(&body).into_iter().partition(|name| state.values.contains_key(*name));
                let found: Vec<_> = found.into_iter().filter_map(one).collect();
                answer(200, &json!({ "Parameters": found, "InvalidParameters": missing }))
            }
            "GetParametersByPath" => {
                let path = format!("{}/", name(&body, "Path").trim_end_matches('/'));
                let from = name(&body, "NextToken").parse().unwrap_or(0);
                let mut all =
                    state.values.iter().filter(|(name, _)| name.starts_with(&path)).skip(from);
                let page: Vec<_> =
                    all.by_ref().take(PAGE).map(|(name, value)| described(name, value)).collect();
                let next = all.next().map(|_| (from + PAGE).to_string());
                answer(200, &json!({ "Parameters": page, "NextToken": next }))
            }
            other => answer(400, &json!({ "__type": "InvalidAction", "message": other })),
        }
    }

    fn place(&self, asked: &Asked) -> String {
        let body = body(asked);
        let names = names(&body).join(",");
        [names.as_str(), name(&body, "Name"), name(&body, "Path")].concat()
    }

    fn throttled(&self) -> Response<Bytes> {
        answer(400, &json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }))
    }
}

fn operation(asked: &Asked) -> String {
    asked.header("x-amz-target").trim_start_matches("AmazonSSM.").to_owned()
}

fn body(asked: &Asked) -> Value {
    serde_json::from_slice(&asked.body).unwrap_or_default()
}

fn name<'a>(body: &'a Value, key: &str) -> &'a str {
    body[key].as_str().unwrap_or("")
}

fn names(body: &Value) -> Vec<&str> {
    body["Names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn answer(status: u16, body: &Value) -> Response<Bytes> {
    let mut response = text(status, &body.to_string());
    let kind = HeaderValue::from_static("application/x-amz-json-1.1");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
