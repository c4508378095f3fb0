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

    fn metrics(&self) -> String {
        "x".repeat(self.0)
    }

    fn refresh(&self) {}
}

fn room(page: usize) -> Room {
    Room { answers: Arc::new(Page(page)), redactor: Redactor::default(), memory: Memory::default() }
}

#[tokio::test]
async fn answers_that_nobody_reads_leave_room_for_only_so_many() {
    let room = room(ANSWER_BYTES / 3);
    let ask = || room.route(&Method::GET, "/metrics");
    let mut unread = [ask(), ask(), ask()];
    assert!(unread.iter().all(|answer| answer.status() == StatusCode::OK));
    let refused = ask();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(RETRY_AFTER));
    // The room is free again once the last byte has been taken.
    let body = std::mem::take(unread[0].body_mut()).collect().await.unwrap().to_bytes();
    assert_eq!(ask().status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(body);
    assert_eq!(ask().status(), StatusCode::OK);
}

#[test]
fn an_answer_larger_than_all_room_is_given_alone() {
    let room = room(ANSWER_BYTES + 1);
    let first = room.route(&Method::GET, "/metrics");
    assert_eq!(first.status(), StatusCode::OK);
    let status = || room.route(&Method::GET, "/v1/status").status();
    assert_eq!(status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(first);
    assert_eq!(status(), StatusCode::OK);
}
