//! A fake of SSM Parameter Store's read calls, with the limit of an account: so many
//! requests a second, and a ThrottlingException beyond (AWS JSON 1.1).
//!
//! moto has the store but no limit, and is too slow to stand for a remote of twenty
//! milliseconds.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};

use super::fault::Faults;
use super::server::{Asked, Server, Service, text};

/// Requests that are let through: a bucket that fills by `a_second`.
#[derive(Debug)]
struct Limit {
    a_second: f64,
    left: f64,
    filled: Instant,
}

impl Limit {
    fn admits(&mut self) -> bool {
        let elapsed = self.filled.elapsed().as_secs_f64();
        self.filled = Instant::now();
        self.left = (self.left + elapsed * self.a_second).min(self.a_second);
        let admits = self.left >= 1.0;
        if admits {
            self.left -= 1.0;
        }
        admits
    }
}

#[derive(Debug, Default)]
struct State {
    parameters: BTreeMap<String, String>,
    limit: Option<Limit>,
    operations: Vec<String>,
    throttled: usize,
}

/// The running fake.
#[derive(Debug)]
pub(crate) struct Ssm {
    server: Server,
    state: Arc<Mutex<State>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl Ssm {
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

    /// Adds or replaces a String parameter.
    pub(crate) fn put(&self, name: &str, value: &str) {
        lock(&self.state).parameters.insert(name.to_owned(), value.to_owned());
    }

    /// Lets through so many requests a second from now on.
    pub(crate) fn limit(&self, a_second: u32) {
        let a_second = f64::from(a_second);
        lock(&self.state).limit = Some(Limit { a_second, left: a_second, filled: Instant::now() });
    }

    /// Every operation that was asked for, those that were throttled included.
    pub(crate) fn operations(&self) -> Vec<String> {
        lock(&self.state).operations.clone()
    }

    /// How many requests were one too many.
    pub(crate) fn throttled(&self) -> usize {
        lock(&self.state).throttled
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Store(Arc<Mutex<State>>);

impl Service for Store {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let mut state = lock(&self.0);
        let operation = asked.header("x-amz-target").trim_start_matches("AmazonSSM.").to_owned();
        state.operations.push(operation.clone());
        if state.limit.as_mut().is_some_and(|limit| !limit.admits()) {
            state.throttled += 1;
            return self.throttled();
        }
        let Ok(question) = serde_json::from_slice::<Value>(&asked.body) else {
            return refusal("SerializationException", "this is not JSON");
        };
        let found = |name: &Value| {
            let name = name.as_str()?;
            let value = state.parameters.get(name)?;
            Some(json!({ "Name": name, "Type": "String", "Value": value, "Version": 1 }))
        };
        match operation.as_str() {
            "GetParameter" => match found(&question["Name"]) {
                Some(parameter) => answer(200, &json!({ "Parameter": parameter })),
                None => refusal("ParameterNotFound", ""),
            },
            "GetParameters" => {
                let names = question["Names"].as_array().cloned().unwrap_or_default();
                if names.is_empty() || names.len() > 10 {
                    return refusal("ValidationException", "there must be one to ten names");
                }
                let parameters: Vec<Value> = names.iter().filter_map(found).collect();
                let invalid: Vec<&Value> =
                    names.iter().filter(|name| found(name).is_none()).collect();
                answer(200, &json!({ "Parameters": parameters, "InvalidParameters": invalid }))
            }
            _ => refusal("UnknownOperationException", "this fake only reads parameters by name"),
        }
    }

    fn throttled(&self) -> Response<Bytes> {
        refusal("ThrottlingException", "Rate exceeded")
    }
}

fn refusal(code: &str, message: &str) -> Response<Bytes> {
    answer(400, &json!({ "__type": code, "message": message }))
}

fn answer(status: u16, body: &Value) -> Response<Bytes> {
    let mut response = text(status, &body.to_string());
    let kind = HeaderValue::from_static("application/x-amz-json-1.1");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
