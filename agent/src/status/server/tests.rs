//! How much memory answers may take. All else is tested over a real socket.
#![allow(clippy::unwrap_used)]

use http::header::RETRY_AFTER;

use super::answer::ANSWER_BYTES;
use super::*;

/// Answers with a page of so many bytes.
struct Page(usize);

impl Answers for Page {
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
        "x".repeat(self.0)
    }

    fn refresh(&self) {}

    fn flush(&self, _: Duration) -> Flushing {
        Box::pin(std::future::ready(true))
    }
}

fn room(page: usize) -> Room {
    let redactor = Redactor::default();
    let (memory, gate) = (Memory::default(), Gate::default());
    Room { answers: Arc::new(Page(page)), redactor, memory, gate }
}

#[tokio::test]
async fn answers_that_nobody_reads_leave_room_for_only_so_many() {
    let room = room(ANSWER_BYTES / 3);
    let ask = async || room.route(&Method::GET, "/metrics", Format::Text).await;
    let mut unread = [ask().await, ask().await, ask().await];
    assert!(unread.iter().all(|answer| answer.status() == StatusCode::OK));
    let refused = ask().await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(RETRY_AFTER));
    // The room is free again once the last byte has been taken.
    let body = std::mem::take(unread[0].body_mut()).collect().await.unwrap().to_bytes();
    assert_eq!(ask().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(body);
    assert_eq!(ask().await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_answer_larger_than_all_room_is_given_alone() {
    let room = room(ANSWER_BYTES + 1);
    let first = room.route(&Method::GET, "/metrics", Format::Text).await;
    assert_eq!(first.status(), StatusCode::OK);
    let status = async || room.route(&Method::GET, "/v1/status", Format::Text).await.status();
    assert_eq!(status().await, StatusCode::SERVICE_UNAVAILABLE);
    drop(first);
    assert_eq!(status().await, StatusCode::OK);
}
