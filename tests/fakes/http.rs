//! A file server as a public S3 bucket is one: entity tags, conditional GET, XML for
//! what is absent.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use sha2::{Digest, Sha256};

use super::fault::Faults;
use super::server::{Asked, Server, Service, text};

const NOT_FOUND: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>";

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, (Bytes, &'static str)>,
    requests: Vec<Asked>,
    answers: Vec<(String, u16)>,
}

/// The running file server.
#[derive(Debug)]
pub(crate) struct Files {
    server: Server,
    state: Arc<Mutex<State>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl Files {
    /// Serves on `listener`, nothing at first.
    pub(crate) fn start(listener: TcpListener) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let faults = Faults::default();
        let server = Server::start(listener, faults.clone(), Bucket(Arc::clone(&state)));
        Self { server, state, faults }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Adds or replaces a file.
    pub(crate) fn put(&self, path: &str, body: impl AsRef<[u8]>) {
        self.put_as(path, body, "binary/octet-stream");
    }

    /// Adds or replaces a file with a content type.
    pub(crate) fn put_as(&self, path: &str, body: impl AsRef<[u8]>, kind: &'static str) {
        let body = Bytes::copy_from_slice(body.as_ref());
        lock(&self.state).files.insert(path.to_owned(), (body, kind));
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: &str) {
        lock(&self.state).files.remove(path);
    }

    /// How many connections it accepted.
    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }

    /// How many bytes of bodies it has sent.
    pub(crate) fn sent(&self) -> u64 {
        self.server.sent()
    }

    /// Every request that it answered itself; those that a fault hit with a
    /// made-up answer are not among them.
    pub(crate) fn requests(&self) -> Vec<Asked> {
        lock(&self.state).requests.clone()
    }

    /// Path and status of each of its own answers since the last time.
    pub(crate) fn answers(&self) -> Vec<(String, u16)> {
        std::mem::take(&mut lock(&self.state).answers)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Bucket(Arc<Mutex<State>>);

impl Service for Bucket {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let mut state = lock(&self.0);
        state.requests.push(asked.clone());
        let answer = state.answer(asked);
        state.answers.push((asked.path.clone(), answer.status().as_u16()));
        answer
    }

    fn throttled(&self) -> Response<Bytes> {
        text(
            503,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code></Error>",
        )
    }
}

impl State {
    fn answer(&self, asked: &Asked) -> Response<Bytes> {
        if asked.method != Method::GET {
            return text(405, "");
        }
        let Some((body, kind)) = self.files.get(&asked.path) else {
            let mut page = text(404, NOT_FOUND);
            page.headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            return page;
        };
        let tag = format!("\"{:x}\"", Sha256::digest(body));
        let mut response = match asked.header("if-none-match") == tag {
            true => text(304, ""),
            false => text(200, "").map(|_| body.clone()),
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hex is a header value"));
        response
    }
}
