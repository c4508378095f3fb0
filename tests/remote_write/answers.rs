//! Each kind of answer, and beside its receiver a healthy one, to which ticks go on as if
//! nothing were wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gild::config::SecretRef;
use gild::metrics::driver::Retries;
use gild::metrics::sink::remote_write::RemoteWriteSettings;
use gild::platform::retry::Backoff;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::table::{Fate, ROWS};
use super::{settings, start, tick, until};
use crate::fakes::place::loopback;
use crate::fakes::remote_write as fake;

/// What a receiver does with a request that it has read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    /// Answers this status; a redirect points to the other receiver.
    Status(u16),
    /// Answers this status, and wishes to be left alone for a second.
    Wish(u16),
    /// Answers this status, and says that one sample was written.
    Partly(u16),
    /// Answers this status with a body without end.
    Endless(u16),
    /// Answers this status with a body of which only the start comes.
    Stall(u16),
    /// Answers what is no HTTP.
    Garbage,
    /// Answers half of a head.
    Half,
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Never answers.
    Hang,
}

/// Does the same with each request, and counts them.
struct Receiver {
    url: String,
    requests: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    async fn start(deed: Deed, elsewhere: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (counter, elsewhere) = (Arc::clone(&counter), elsewhere.clone());
                tokio::spawn(async move {
                    // The sink may go away at any time.
                    let _ = serve(stream, deed, &elsewhere, &counter).await;
                });
            }
        });
        Self { url, requests, task }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    deed: Deed,
    elsewhere: &str,
    counter: &AtomicUsize,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        break end + 4;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let length: usize = length.parse().unwrap();
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
    assert!(head.contains("authorization: bearer hush"), "{head}");
    counter.fetch_add(1, Ordering::SeqCst);
    let head =
        |status, more: &str| format!("HTTP/1.1 {status} x\r\nconnection: close\r\n{more}\r\n");
    match deed {
        Deed::Status(status @ (204 | 304)) => stream.write_all(head(status, "").as_bytes()).await,
        Deed::Status(status) => {
            let more = format!("location: {elsewhere}\r\ncontent-length: 2\r\n");
            stream.write_all((head(status, &more) + "no").as_bytes()).await
        }
        Deed::Wish(status) => {
            let more = "retry-after: 1\r\ncontent-length: 0\r\n";
            stream.write_all(head(status, more).as_bytes()).await
        }
        Deed::Partly(status) => {
            let more = "x-prometheus-remote-write-samples-written: 1\r\ncontent-length: 0\r\n";
            stream.write_all(head(status, more).as_bytes()).await
        }
        Deed::Endless(status) => {
            stream.write_all(head(status, "").as_bytes()).await?;
            loop {
                stream.write_all(&[b'#'; 4096]).await?;
            }
        }
        Deed::Stall(status) => {
            let more = "content-length: 100\r\n";
            stream.write_all((head(status, more) + "no").as_bytes()).await?;
            std::future::pending().await
        }
        Deed::Garbage => stream.write_all(b"\x00\x01 this is not it\r\n\r\n").await,
        Deed::Half => stream.write_all(b"HTTP/1.1 204 No Con").await,
        Deed::Close => Ok(()),
        Deed::Reset => stream.set_zero_linger(),
        Deed::Hang => std::future::pending().await,
    }
}

/// Quick, so that the end of trying again is seen.
const RETRIES: Retries = Retries {
    backoff: Backoff { first: Duration::from_millis(10), most: Duration::from_millis(20) },
    most: Duration::from_millis(150),
};

fn with_token(url: &str, timeout: Duration) -> RemoteWriteSettings {
    let bearer = Some(SecretRef::File("/secret".to_owned()));
    RemoteWriteSettings { bearer, timeout, ..settings(url) }
}

#[tokio::test]
async fn each_answer_leads_to_what_is_documented_and_the_sink_beside_it_goes_on() {
    let healthy_receiver = fake::RemoteWrite::start(loopback());
    let healthy = start(with_token(&healthy_receiver.url(), Duration::from_secs(10)), RETRIES);
    let elsewhere = fake::RemoteWrite::start(loopback());
    let mut sent = 0;
    for row in ROWS {
        for deed in row.deeds {
            let what = format!("{deed:?}");
            let receiver = Receiver::start(*deed, elsewhere.url()).await;
            let (timeout, most) = match (deed, row.becomes) {
                // Less than what it may be tried, so that there are several tries.
                (Deed::Hang, _) => (Duration::from_millis(100), Duration::from_millis(350)),
                (Deed::Stall(_), Fate::Expired) => {
                    (Duration::from_secs(10), Duration::from_millis(1500))
                }
                (_, Fate::Patient) => (Duration::from_secs(10), Duration::from_millis(1500)),
                _ => (Duration::from_secs(10), RETRIES.most),
            };
            let faulty = start(with_token(&receiver.url, timeout), Retries { most, ..RETRIES });
            let (tick, begin) = (tick(), Instant::now());
            faulty.push(Arc::clone(&tick));
            healthy.push(tick);

            sent += 2;
            until(&what, &healthy, |stats| stats.sent == sent).await;
            let took = begin.elapsed();
            assert!(took < Duration::from_secs(2), "{what}: the sink beside it took {took:?}");

            let stats = until(&what, &faulty, |stats| {
                stats.sent + stats.dropped.values().sum::<u64>() == 2
            });
            let stats = stats.await;
            let dropped = |reason| [(reason, 2)].into();
            let requests = receiver.requests();
            match row.becomes {
                Fate::Sent => assert_eq!((stats.sent, requests), (2, 1), "{what}"),
                Fate::Rejected => {
                    assert_eq!((stats.dropped, requests), (dropped("rejected"), 1), "{what}");
                }
                Fate::Halved => {
                    assert_eq!((stats.sent, requests), (1, 1), "{what}");
                    assert_eq!(stats.dropped, [("rejected", 1)].into(), "{what}");
                }
                Fate::RejectedTwice => {
                    assert_eq!((stats.dropped, requests), (dropped("rejected"), 2), "{what}");
                }
                Fate::Expired => {
                    assert_eq!(stats.dropped, dropped("expired"), "{what}");
                    assert!(requests >= 2, "{what}: {requests}");
                }
                Fate::Patient => {
                    assert_eq!((stats.dropped, requests), (dropped("expired"), 2), "{what}");
                    assert!(begin.elapsed() >= Duration::from_secs(1), "{what}");
                }
            }
            let error = stats.last_error.unwrap_or_default();
            assert_eq!(error.is_empty(), row.becomes == Fate::Sent, "{what}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }
    assert_eq!(elsewhere.connections(), 0, "no redirect is followed");
    assert_eq!(healthy_receiver.samples().len() as u64, sent);
    assert_eq!(healthy.stats().dropped, [].into());
}

#[tokio::test]
async fn a_connection_that_is_refused_is_tried_again() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/push", gone.local_addr().unwrap());
    drop(gone);
    let handle = start(settings(&url), RETRIES);
    handle.push(tick());
    let stats = until("the end", &handle, |stats| !stats.dropped.is_empty()).await;
    assert_eq!(stats.dropped, [("expired", 2)].into());
}
