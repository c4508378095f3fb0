//! The driver against sinks that work, fail and hang.
#![allow(clippy::unwrap_used)]

mod ending;
mod scripted;
mod spooling;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use self::scripted::*;
use super::*;
use crate::config::SecretRef;
use crate::identity::Identity;
use crate::metrics::left_out::LeftOut;
use crate::metrics::queue::Limits;
use crate::metrics::sample::{Sample, Tick};
use crate::metrics::sink::{BuildError, SinkContext};
use crate::platform::http::HttpError;
use crate::scope::secrets::{Fault, SecretError};

#[tokio::test]
async fn ticks_wait_for_a_sink_whose_secret_comes_late() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let sink = Scripted::new(Script::default(), &sent);
    let (open, gate) = tokio::sync::watch::channel(false);
    let mut sink = Some(sink);
    let set_up = move || {
        let sink = if *gate.borrow() { sink.take() } else { None };
        std::future::ready(sink.ok_or_else(no_secret))
    };
    let handle = Handle::start("test", set_up, QUICK);
    handle.push(tick(3));
    until(&handle, |stats| stats.last_error.is_some()).await;
    assert_eq!(handle.stats().queued, 1);
    open.send(true).unwrap();
    let stats = until(&handle, |stats| stats.sent == 3).await;
    assert_eq!(stats.last_error, None);
}

#[tokio::test]
async fn a_sink_that_can_never_be_set_up_counts_what_it_does_not_deliver() {
    let set_up = || std::future::ready(Err::<Scripted, _>(SetUpError::Build(BuildError::NoAws)));
    let handle = Handle::start("test", set_up, QUICK);
    handle.push(tick(2));
    let stats = until(&handle, |stats| !stats.dropped.is_empty()).await;
    assert_eq!(stats.dropped, [("unusable", 2)].into());
    handle.shutdown(Instant::now() + Duration::from_secs(5)).await;
}

#[tokio::test]
async fn ticks_leave_in_order_and_are_counted() {
    let (handle, sent) = start(&[], QUICK);
    for samples in 1..=3 {
        handle.push(tick(samples));
    }
    let stats = until(&handle, |stats| stats.sent == 6).await;
    assert_eq!(*sent.lock().unwrap(), [1, 2, 3]);
    assert_eq!((stats.queued, stats.last_error), (0, None));
    assert!(stats.last_success.is_some());
}

#[tokio::test]
async fn what_a_sink_may_not_send_is_told_by_name() {
    let left_out = LeftOut::of(3, ["a", "b"].map(str::to_owned).into_iter());
    let sink = Scripted {
        left_out: left_out.clone(),
        ..Scripted::new(Script::default(), &Arc::default())
    };
    let mut sink = Some(sink);
    let set_up = move || std::future::ready(Ok(sink.take().unwrap()));
    let handle = Handle::start("test", set_up, QUICK);
    assert_eq!(handle.stats().left_out, LeftOut::default());
    handle.push(tick(1));
    let stats = until(&handle, |stats| stats.sent == 1).await;
    assert_eq!(stats.left_out, left_out);
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again() {
    let (handle, sent) = start(&[Deed::Status(500), Deed::Status(503), Deed::Status(429)], QUICK);
    handle.push(tick(2));
    let stats = until(&handle, |stats| stats.sent == 2).await;
    assert_eq!(*sent.lock().unwrap(), [2]);
    assert!(stats.dropped.is_empty() && stats.last_error.is_none());
}

#[tokio::test]
async fn a_refusal_is_never_tried_again_and_holds_up_nothing() {
    for status in [400, 401, 404, 408, 413, 425] {
        let (handle, sent) = start(&[Deed::Status(status)], QUICK);
        handle.push(tick(2));
        handle.push(tick(3));
        let stats = until(&handle, |stats| stats.sent == 3).await;
        assert_eq!(*sent.lock().unwrap(), [3], "{status}");
        assert_eq!(stats.dropped, [("rejected", 2)].into(), "{status}");
    }
}

#[tokio::test]
async fn a_receiver_that_refuses_the_secrets_is_asked_once_more_with_new_ones() {
    for (again, rejected) in [(&[][..], 0), (&[Deed::Status(403)][..], 2)] {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let of_sink = Arc::clone(&sent);
        let mut scripts = [&[Deed::Status(401)][..], again].into_iter();
        let set_up = move || {
            // Whoever asks a third time gets none.
            let script = scripts.next().ok_or_else(no_secret);
            let sink = script.map(|script| Scripted {
                secrets: true,
                ..Scripted::new(Arc::new(Mutex::new(script.iter().copied().collect())), &of_sink)
            });
            std::future::ready(sink)
        };
        let handle = Handle::start("test", set_up, QUICK);
        handle.push(tick(2));
        handle.push(tick(3));
        let stats = until(&handle, |stats| stats.sent >= 3).await;
        assert_eq!(stats.dropped.get("rejected").copied().unwrap_or_default(), rejected);
        assert_eq!(stats.sent, 5 - rejected);
        assert_eq!(sent.lock().unwrap().last(), Some(&3));
    }
}

#[tokio::test]
async fn one_request_is_not_tried_for_ever() {
    let retries = Retries { most: Duration::from_millis(20), ..QUICK };
    let (handle, _) = start(&[Deed::Status(500); 1000], retries);
    handle.push(tick(2));
    let stats = until(&handle, |stats| !stats.dropped.is_empty()).await;
    assert_eq!(stats.dropped, [("expired", 2)].into());
    assert!(
        stats.last_error.unwrap().starts_with("failed to push to 'http://x/': the answer was 500")
    );
}

#[tokio::test]
async fn a_receiver_that_asks_for_patience_is_left_alone() {
    let wait = Duration::from_millis(50);
    let (handle, _) = start(&[Deed::StatusAfter(429, wait)], QUICK);
    let begin = Instant::now();
    handle.push(tick(1));
    until(&handle, |stats| stats.sent == 1).await;
    assert!(begin.elapsed() >= wait);
}

#[tokio::test]
async fn a_sink_that_hangs_holds_up_nobody_else() {
    let (hung, _) = start(&[Deed::Hang; 100], QUICK);
    let (fine, sent) = start(&[], QUICK);
    for _ in 0..2000 {
        let tick = tick(1);
        hung.push(Arc::clone(&tick));
        fine.push(tick);
        if fine.stats().queued > 100 {
            tokio::task::yield_now().await;
        }
    }
    until(&fine, |stats| stats.sent == 2000).await;
    assert_eq!(sent.lock().unwrap().len(), 2000);
    let stats = hung.stats();
    assert!(stats.queued <= Limits::default().ticks);
    assert!(stats.dropped["queue_full"] >= 2000 - 1 - Limits::default().ticks as u64);
}

#[tokio::test]
async fn shutdown_sends_what_waits() {
    let (handle, sent) = start(&[], QUICK);
    handle.push(tick(1));
    let stats = handle.shutdown(Instant::now() + Duration::from_secs(10)).await;
    assert_eq!(*sent.lock().unwrap(), [1]);
    assert_eq!(stats.sent, 1);
}

#[tokio::test]
async fn shutdown_cuts_a_wait_between_tries_short_and_tries_once_more() {
    let slow = Duration::from_secs(200);
    let retries = Retries { most: 2 * slow, ..QUICK };
    let (handle, sent) = start(&[Deed::StatusAfter(503, slow)], retries);
    handle.push(tick(1));
    until(&handle, |stats| stats.last_error.is_some()).await;
    let stats = handle.shutdown(Instant::now() + Duration::from_secs(10)).await;
    assert_eq!((sent.lock().unwrap().len(), stats.sent), (1, 1));
}

#[tokio::test]
async fn shutdown_ends_at_its_deadline_and_counts_what_is_lost() {
    let (handle, _) = start(&[Deed::Hang; 100], QUICK);
    handle.push(tick(1));
    until(&handle, |stats| stats.queued == 0).await;
    handle.push(tick(5));
    let begin = Instant::now();
    let stats = handle.shutdown(begin + Duration::from_millis(20)).await;
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(stats.dropped, [("shutdown", 1 + 5)].into());
}

#[tokio::test]
async fn what_a_sink_has_gathered_counts_as_lost_when_it_is_ended() {
    let (handle, _) = start(&[Deed::Hang; 100], QUICK);
    handle.push(tick(200));
    handle.push(tick(1));
    until(&handle, |stats| stats.queued == 0).await;
    let stats = handle.shutdown(Instant::now() + Duration::from_millis(20)).await;
    assert_eq!(stats.dropped, [("shutdown", 200 + 1)].into());
}

#[tokio::test]
async fn a_flush_sends_what_waits_before_its_time_and_ends_when_it_is_out() {
    let hour = Duration::from_secs(3600);
    let (handle, sent) = start_with(hour, &[], QUICK);
    handle.push(tick(1));
    until(&handle, |stats| stats.sent == 1).await;
    handle.push(tick(2));
    handle.push(tick(3));
    tokio::time::timeout(Duration::from_secs(10), handle.flush()).await.unwrap();
    assert_eq!(*sent.lock().unwrap(), [1, 2, 3]);
    // With nothing to send it ends too, and several at a time all do.
    let (first, second) = (handle.flush(), handle.flush());
    tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(second, first) })
        .await
        .unwrap();
    // What comes after it waits for its time again.
    handle.push(tick(4));
    assert_eq!(handle.stats().queued, 1);
}

#[tokio::test]
async fn a_flush_waits_for_a_sink_that_hangs_and_not_for_one_that_is_unusable() {
    let (hangs, _) = start(&[Deed::Hang], QUICK);
    hangs.push(tick(1));
    let flushed = tokio::time::timeout(Duration::from_millis(50), hangs.flush()).await;
    assert!(flushed.is_err());
    let refuses = || std::future::ready(Err::<Scripted, _>(SetUpError::Build(BuildError::NoAws)));
    let unusable = Handle::start("test", refuses, QUICK);
    unusable.push(tick(1));
    tokio::time::timeout(Duration::from_secs(10), unusable.flush()).await.unwrap();
}
