//! Requests that are refused for a part of what they hold.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::*;
use crate::identity::Identity;
use crate::metrics::driver::{Handle, Retries, SinkStats};
use crate::metrics::drops::Drops;
use crate::metrics::sample::{Sample, Tick};
use crate::metrics::sink::{BuildError, SendError, SinkContext};
use crate::platform::aws::AwsError;

/// What the receiver saw: the length of each call, what it took, and what the
/// sink was told to leave out.
#[derive(Default)]
struct Seen {
    calls: Vec<usize>,
    taken: Vec<u32>,
    left_out: Vec<Vec<u32>>,
}

/// Sends the values of a tick in one call, to a receiver that refuses a call
/// that holds any of the bad ones.
struct Strict {
    bad: fn(u32) -> bool,
    code: &'static str,
    seen: Arc<Mutex<Seen>>,
}

fn request(values: &[u32]) -> Request<Vec<u32>> {
    Request { payload: values.to_vec(), measurements: values.len() }
}

impl Sink for Strict {
    type Settings = ();
    type Payload = Vec<u32>;

    fn build((): &(), _: &Identity, _: &SinkContext) -> Result<Self, BuildError> {
        Err(BuildError::NoAws)
    }

    fn period(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn take(&mut self, tick: &Arc<Tick>, _: &mut Drops) -> Vec<Request<Vec<u32>>> {
        vec![request(&tick.samples.iter().map(|s| s.value as u32).collect::<Vec<_>>())]
    }

    async fn send(&mut self, values: &Vec<u32>) -> Result<(), SendError> {
        let mut seen = self.seen.lock().unwrap();
        seen.calls.push(values.len());
        if values.iter().any(|value| (self.bad)(*value)) {
            let source = AwsError::refusal(400, self.code);
            return Err(SendError::Put { namespace: "N".to_owned(), source });
        }
        seen.taken.extend(values);
        Ok(())
    }

    fn halves(&self, values: &Vec<u32>) -> Option<[Request<Vec<u32>>; 2]> {
        let (first, second) = values.split_at(values.len() / 2);
        (!first.is_empty()).then(|| [request(first), request(second)])
    }

    fn leave_out(&mut self, values: Vec<u32>) {
        self.seen.lock().unwrap().left_out.push(values);
    }

    fn show(&self, _: &Vec<u32>) -> Vec<String> {
        Vec::new()
    }
}

async fn sent(count: u32, code: &'static str, bad: fn(u32) -> bool) -> (SinkStats, Seen) {
    let seen = Arc::<Mutex<Seen>>::default();
    let mut sink = Some(Strict { bad, code, seen: seen.clone() });
    let set_up = move || std::future::ready(Ok(sink.take().unwrap()));
    let handle = Handle::start("test", set_up, Retries::default());
    let samples = (0..count).map(|value| Sample::gauge("x", vec![], f64::from(value)));
    handle.push(Arc::new(Tick::new(SystemTime::now(), samples.collect())));
    handle.flush().await;
    let stats = handle.shutdown(tokio::time::Instant::now() + Duration::from_secs(10)).await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (stats, seen)
}

fn rejected(count: u64) -> BTreeMap<&'static str, u64> {
    [("rejected", count)].into()
}

#[tokio::test]
async fn one_bad_datum_of_a_thousand_is_found_and_only_that_is_lost() {
    let (stats, seen) = sent(1000, "InvalidParameterValue", |value| value == 617).await;
    assert_eq!((stats.sent, stats.dropped), (999, rejected(1)));
    assert_eq!(seen.taken, (0..1000).filter(|value| *value != 617).collect::<Vec<_>>());
    assert_eq!(seen.left_out, [[617]]);
    assert!(seen.calls.len() <= 21, "{}", seen.calls.len());
}

#[tokio::test]
async fn what_nothing_can_be_said_about_is_not_left_out() {
    let (stats, seen) = sent(1000, "InvalidParameterValue", |_| true).await;
    assert_eq!((stats.sent, stats.dropped), (0, rejected(1000)));
    assert!(seen.left_out.is_empty());
    assert_eq!(seen.calls.len(), 2 * MOST_CUTS + 1, "and there is an end to the calls");
}

#[tokio::test]
async fn where_cutting_has_an_end_only_what_stood_alone_is_left_out() {
    let (stats, seen) = sent(1000, "ValidationException", |value| value % 2 == 0).await;
    assert!(!seen.left_out.is_empty());
    assert!(seen.left_out.iter().all(|alone| alone.len() == 1 && alone[0] % 2 == 0));
    assert_eq!(stats.sent + stats.dropped["rejected"], 1000);
    assert_eq!(stats.sent, seen.taken.len() as u64);
}

#[tokio::test]
async fn a_refusal_for_another_reason_is_not_asked_for_again_in_parts() {
    let (stats, seen) = sent(1000, "AccessDenied", |_| true).await;
    assert_eq!((stats.sent, stats.dropped), (0, rejected(1000)));
    assert_eq!(seen.calls, [1000]);
}
