//! Answers, and how much memory all of them together may take.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Answers that are under way at the same time may hold this many bytes. Whoever
/// reads slowly keeps a whole answer in memory, and a configuration may be large.
pub(super) const ANSWER_BYTES: usize = 8 << 20;

pub(super) const JSON: &str = "application/json";

/// The room for answers that are under way. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Memory(Arc<Semaphore>);

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ANSWER_BYTES)))
    }
}

impl Memory {
    /// The answer, if there is room for it; one that is larger than all the room
    /// there is has it for itself.
    pub(super) fn text(
        &self,
        status: StatusCode,
        kind: &'static str,
        body: String,
    ) -> Response<Full<Bytes>> {
        let share = u32::try_from(body.len().min(ANSWER_BYTES)).unwrap_or(u32::MAX);
        match self.0.clone().try_acquire_many_owned(share) {
            Ok(permit) => {
                text(status, kind, Bytes::from_owner(Share { text: body, _bytes: permit }))
            }
            Err(_) => later("too_much", "too much is being sent to other clients already"),
        }
    }
}

/// An answer's bytes, and their share of what may be under way. The last of
/// them to be sent gives it back.
struct Share {
    text: String,
    _bytes: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Share {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// What is said to one client more than are served.
pub(super) fn too_many(clients: usize) -> Response<Full<Bytes>> {
    let message = format!("{clients} clients are being served already");
    later("too_many_clients", &message)
}

/// A refusal of what may work a little later.
pub(super) fn later(code: &str, message: &str) -> Response<Full<Bytes>> {
    let mut answer = refuse(StatusCode::SERVICE_UNAVAILABLE, code, message);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// The one shape of errors.
pub(super) fn refuse(status: StatusCode, code: &str, message: &str) -> Response<Full<Bytes>> {
    let body = json!({ "error": { "code": code, "message": message } });
    text(status, JSON, Bytes::from(body.to_string() + "\n"))
}

fn text(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
