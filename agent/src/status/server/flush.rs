//! `POST /v1/flush`: whoever may ask at the socket may have the sinks send what
//! they hold, but neither often nor several at a time, for each request may cost
//! money. It is made for the end of an instance.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::answer::later;
use super::{Room, refuse};

/// How long the sinks may take: less than a request may.
const LIMIT: Duration = Duration::from_secs(5);

/// The least time between two flushes.
const PAUSE: Duration = Duration::from_secs(10);

/// When the last flush began. Held while there is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<Mutex<Option<Instant>>>);

impl Room {
    /// Lets the sinks send, and answers when they have.
    pub(super) async fn flush(&self) -> Response<Full<Bytes>> {
        let Ok(mut last) = self.gate.0.try_lock() else {
            return later("flushing", "the sinks are sending what they hold already");
        };
        if last.is_some_and(|at| at.elapsed() < PAUSE) {
            return later("too_soon", "the sinks have just sent what they held");
        }
        *last = Some(Instant::now());
        match self.answers.flush(LIMIT).await {
            true => self.json(StatusCode::OK, json!({ "flush": "done" })),
            false => {
                let limit = humantime::format_duration(LIMIT);
                let message = format!("not every sink has sent what it holds within {limit}");
                refuse(StatusCode::GATEWAY_TIMEOUT, "not_sent", &message)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::Method;
    use serde_json::Value;
    use tokio::sync::Notify;

    use super::super::{Answers, Flushing, Format, Memory};
    use super::*;
    use crate::platform::redact::Redactor;

    /// Sinks that send when they are let, and give up when nobody can let them any more.
    #[derive(Default)]
    struct Sinks(Arc<Notify>);

    impl Answers for Sinks {
        fn status(&self) -> Value {
            Value::Null
        }

        fn config(&self) -> Option<Value> {
            None
        }

        fn report(&self) -> Option<Value> {
            None
        }

        fn metrics(&self, _: Format) -> String {
            String::new()
        }

        fn refresh(&self) {}

        fn flush(&self, within: Duration) -> Flushing {
            assert_eq!(within, LIMIT);
            let sent = self.0.clone();
            Box::pin(async move {
                // This one, and the one that holds the sinks.
                let alone = Arc::strong_count(&sent) == 2;
                !alone && tokio::time::timeout(within, sent.notified()).await.is_ok()
            })
        }
    }

    fn room() -> (Room, Arc<Notify>) {
        let sinks = Sinks::default();
        let sent = sinks.0.clone();
        let redactor = Redactor::default();
        let (memory, gate) = (Memory::default(), Gate::default());
        (Room { answers: Arc::new(sinks), redactor, memory, gate }, sent)
    }

    async fn ask(room: &Room) -> u16 {
        room.route(&Method::POST, "/v1/flush", Format::Text).await.status().as_u16()
    }

    #[tokio::test]
    async fn one_flush_at_a_time_and_none_right_after_another() {
        let (room, sent) = room();
        let first = ask(&room);
        tokio::pin!(first);
        tokio::select! {
            biased;
            _ = &mut first => panic!("nothing has been sent"),
            second = ask(&room) => assert_eq!(second, 503),
        }
        sent.notify_one();
        assert_eq!(first.await, 200);
        assert_eq!(ask(&room).await, 503, "too soon");
        *room.gate.0.lock().await = Instant::now().checked_sub(PAUSE);
        sent.notify_one();
        assert_eq!(ask(&room).await, 200);
    }

    #[tokio::test]
    async fn sinks_that_do_not_send_are_told_of() {
        let (room, sent) = room();
        drop(sent);
        assert_eq!(ask(&room).await, 504);
        assert_eq!(
            room.route(&Method::GET, "/v1/flush", Format::Text).await.status().as_u16(),
            405
        );
    }
}
