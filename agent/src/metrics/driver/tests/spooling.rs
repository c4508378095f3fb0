//! The driver of a sink whose ticks may wait on disk.

use super::*;
use crate::metrics::spool::Place;

/// A sink with a spool that does what the script says.
fn start_spooling(
    directory: &std::path::Path,
    script: &[Deed],
    retries: Retries,
) -> (Handle, Arc<Mutex<Vec<usize>>>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let script = Arc::new(Mutex::new(script.iter().copied().collect()));
    let mut sink = Some(Scripted::new(script, &sent));
    let set_up = move || std::future::ready(Ok(sink.take().unwrap()));
    let place = Place {
        directory: directory.to_owned(),
        instance: "i-1".to_owned(),
        bytes: 1 << 20,
        age: Duration::from_secs(3600),
    };
    (Handle::spooling("test", set_up, retries, Some(place)), sent)
}

fn on_disk(stats: &SinkStats) -> u64 {
    stats.spool.as_ref().unwrap().ticks
}

#[tokio::test]
async fn what_is_not_out_at_the_end_waits_on_disk_for_the_next_and_counts_as_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (first, sent) = start_spooling(directory.path(), &[Deed::Status(503); 1000], QUICK);
    for samples in 1..=3 {
        first.push(tick(samples));
    }
    until(&first, |stats| on_disk(stats) == 3).await;
    // The one that takes its place waits until it is gone.
    let (second, arrived) = start_spooling(directory.path(), &[], QUICK);
    second.push(tick(4));
    let stats = first.shutdown(Instant::now() + Duration::from_secs(10)).await;
    assert_eq!((stats.sent, stats.dropped.len(), sent.lock().unwrap().len()), (0, 0, 0));
    let stats = until(&second, |stats| stats.sent == 1 + 2 + 3 + 4).await;
    assert_eq!(*arrived.lock().unwrap(), [1, 2, 3, 4]);
    assert_eq!((on_disk(&stats), stats.queued), (0, 0));
}

#[tokio::test]
async fn a_sink_that_hangs_at_the_end_leaves_all_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let (first, _) = start_spooling(directory.path(), &[Deed::Hang], QUICK);
    first.push(tick(1));
    until(&first, |stats| stats.queued == 0).await;
    first.push(tick(2));
    let stats = first.shutdown(Instant::now() + Duration::from_millis(20)).await;
    assert_eq!((stats.dropped.len(), on_disk(&stats)), (0, 2));
    let (second, arrived) = start_spooling(directory.path(), &[], QUICK);
    until(&second, |stats| stats.sent == 3).await;
    assert_eq!(*arrived.lock().unwrap(), [1, 2]);
}

#[tokio::test]
async fn an_outage_may_last_longer_than_one_request_that_the_receiver_blames() {
    let directory = tempfile::tempdir().unwrap();
    let retries = Retries { most: Duration::from_millis(20), ..QUICK };
    let mut script = vec![Deed::Status(503); 40];
    script.push(Deed::StatusAfter(500, Duration::from_secs(1)));
    let (handle, sent) = start_spooling(directory.path(), &script, retries);
    handle.push(tick(2));
    handle.push(tick(3));
    let stats = until(&handle, |stats| stats.sent > 0).await;
    // The 500s are the fault of the first, and not for ever.
    assert_eq!(stats.dropped, [("expired", 2)].into());
    assert_eq!(*sent.lock().unwrap(), [3]);
}

#[tokio::test]
async fn what_is_refused_for_good_does_not_go_to_disk() {
    let directory = tempfile::tempdir().unwrap();
    let (handle, _) = start_spooling(directory.path(), &[Deed::Status(400); 3], QUICK);
    for _ in 0..4 {
        handle.push(tick(1));
    }
    let stats = until(&handle, |stats| stats.sent == 1).await;
    assert_eq!(stats.dropped, [("rejected", 3)].into());
    assert_eq!(stats.spool.unwrap(), SpoolStats::default());
}
