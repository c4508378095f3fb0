//! What a sink says last, and when it says nothing.

use super::*;
use crate::metrics::sink::Destination;

/// Sends the number of measurements of each tick, and last its receiver or that of its heir.
struct Parting {
    script: Script,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Sink for Parting {
    type Settings = ();
    type Payload = String;

    fn build((): &(), _: &Identity, _: &SinkContext) -> Result<Self, BuildError> {
        Ok(Self { script: Script::default(), sent: Arc::default() })
    }

    fn period(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn take(&mut self, tick: &Arc<Tick>, _: &mut Drops) -> Vec<Request<String>> {
        let measurements = tick.samples.len();
        vec![Request { payload: measurements.to_string(), measurements }]
    }

    fn farewell(&mut self, _: SystemTime, heir: Option<&Destination>) -> Vec<Request<String>> {
        let payload = heir.map_or("nobody", |heir| &heir.receiver).to_owned();
        vec![Request { payload, measurements: 0 }]
    }

    async fn send(&mut self, payload: &String) -> Result<(), SendError> {
        let deed = self.script.lock().unwrap().pop_front();
        match deed {
            None => {
                self.sent.lock().unwrap().push(payload.clone());
                Ok(())
            }
            Some(Deed::Hang) => std::future::pending().await,
            Some(Deed::Status(status) | Deed::StatusAfter(status, _)) => {
                let status = reqwest::StatusCode::from_u16(status).unwrap();
                let body = String::new();
                let source = HttpError::Status { status, retry_after: None, body };
                Err(SendError::Push { url: "http://x/".to_owned(), source })
            }
        }
    }

    fn show(&self, _: &String) -> Vec<String> {
        Vec::new()
    }
}

/// What a sink has sent by its end, of two ticks that wait then, and how long that took.
async fn ended(script: &[Deed], heir: Option<Destination>) -> (Vec<String>, SinkStats, Duration) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let mut sink = Some(Parting {
        script: Arc::new(Mutex::new(script.iter().copied().collect())),
        sent: Arc::clone(&sent),
    });
    let handle = Handle::start("test", move || std::future::ready(Ok(sink.take().unwrap())), QUICK);
    // The first flush is at once; these two come after it.
    handle.flush().await;
    handle.push(tick(1));
    handle.push(tick(2));
    if let Some(heir) = heir {
        handle.leave_to(heir);
    }
    let begin = Instant::now();
    let stats = handle.shutdown(begin + Duration::from_millis(200)).await;
    let sent = sent.lock().unwrap().clone();
    (sent, stats, begin.elapsed())
}

#[tokio::test]
async fn the_end_is_told_after_the_last_ticks_and_is_no_measurement() {
    let (sent, stats, _) = ended(&[], None).await;
    assert_eq!(sent, ["1", "2", "nobody"]);
    assert_eq!((stats.sent, stats.dropped.len()), (3, 0));
}

#[tokio::test]
async fn who_takes_the_place_is_known_at_the_end() {
    let heir = Destination { receiver: "heir".to_owned(), labels: Vec::new() };
    assert_eq!(ended(&[], Some(heir)).await.0, ["1", "2", "heir"]);
}

#[tokio::test]
async fn what_was_not_delivered_may_be_sent_again_so_no_end_is_told_before_it() {
    let (sent, stats, _) = ended(&[Deed::Status(503)], None).await;
    assert_eq!(sent, ["2"]);
    assert_eq!(stats.dropped, [("shutdown", 1)].into());
}

#[tokio::test]
async fn what_was_refused_will_not_be_sent_again() {
    let (sent, stats, _) = ended(&[Deed::Status(400)], None).await;
    assert_eq!(sent, ["2", "nobody"]);
    assert_eq!(stats.dropped, [("rejected", 1)].into());
}

#[tokio::test]
async fn the_end_waits_for_nobody_beyond_the_deadline() {
    let script = [Deed::Status(400), Deed::Status(400), Deed::Hang];
    let (sent, stats, took) = ended(&script, None).await;
    assert!(sent.is_empty() && took < Duration::from_secs(10));
    assert_eq!(stats.dropped, [("rejected", 3)].into(), "a marker is not counted as lost");
}
