//! Pages of programs that behave, and of programs that do not.
#![allow(clippy::unwrap_used)]

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::metrics::openmetrics;
use crate::platform::http;

/// Answers every request with these bytes, and then with what `more` does.
async fn server<F: Future<Output = ()> + Send + 'static>(
    head: &'static str,
    more: fn(TcpStream) -> F,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&request[..length]).to_lowercase();
            assert!(text.contains("accept: text/plain;version=0.0.4"), "{text}");
            assert!(!text.contains("accept-encoding"), "{text}");
            let _ = stream.write_all(head.as_bytes()).await;
            more(stream).await;
        }
    });
    format!("http://{address}/metrics")
}

async fn end(_: TcpStream) {}

async fn hang(mut stream: TcpStream) {
    let _ = stream.read(&mut [0]).await;
}

/// Lines without number, as fast as they are read.
async fn endless(mut stream: TcpStream) {
    let mut number = 0;
    while stream.write_all(format!("x{{n=\"{number}\"}} 1\n").as_bytes()).await.is_ok() {
        number += 1;
    }
}

fn page(url: &str) -> ScrapeSettings {
    ScrapeSettings {
        url: url.parse().unwrap(),
        interval: Duration::from_millis(50),
        timeout: Duration::from_secs(30),
        include: vec!["*".to_owned()],
        exclude: vec![],
        labels: BTreeMap::new(),
        max_bytes: 10_000,
        max_samples: 100,
    }
}

async fn once(settings: ScrapeSettings) -> (Vec<String>, Option<String>) {
    let pages = [("web".to_owned(), settings)].into();
    let scrapes = Scrapes::start(&pages, http::client().unwrap());
    scrapes.first_fetches().await;
    let mut samples = Vec::new();
    scrapes.add_to(&mut samples);
    samples.retain(|sample| sample.name != "scrape_duration_seconds");
    let error = scrapes.stats().pop().unwrap().1.error;
    (samples.iter().map(openmetrics::line).collect(), error)
}

#[tokio::test]
async fn a_page_is_scraped_and_says_so() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\
                  # TYPE hits_total counter\nhits_total{path=\"/\"} 7\nnode_load1 3\nskip 1\n";
    let url = server(answer, end).await;
    let labels = [("team".to_owned(), "core".to_owned())].into();
    let (lines, error) =
        once(ScrapeSettings { exclude: vec!["skip".to_owned()], labels, ..page(&url) }).await;
    let expected = [
        "up{job=\"web\",team=\"core\"} 1",
        "scrape_samples_scraped{job=\"web\",team=\"core\"} 3",
        "scrape_samples_post_metric_relabeling{job=\"web\",team=\"core\"} 1",
        "gild_scrape_samples_refused{job=\"web\",team=\"core\"} 1",
        "hits_total{path=\"/\",job=\"web\",team=\"core\"} 7",
    ];
    assert_eq!((lines, error), (expected.map(str::to_owned).into(), None));
}

/// Why a page is not taken; nothing of it may be.
async fn refused(settings: ScrapeSettings) -> String {
    let (lines, error) = once(settings).await;
    let down = [
        "up{job=\"web\"} 0",
        "scrape_samples_scraped{job=\"web\"} 0",
        "scrape_samples_post_metric_relabeling{job=\"web\"} 0",
        "gild_scrape_samples_refused{job=\"web\"} 0",
    ];
    assert_eq!(lines, down);
    error.unwrap()
}

#[tokio::test]
async fn a_page_that_misbehaves_is_down_and_no_more_of_it_is_read_than_allowed() {
    let ok = "HTTP/1.1 200 OK\r\n\r\nx 1\n";
    let impatient =
        |url: String| ScrapeSettings { timeout: Duration::from_millis(100), ..page(&url) };
    let error = refused(impatient(server(ok, hang).await)).await;
    assert_eq!(error, "no whole page within 100ms");
    let error = refused(impatient(server("", hang).await)).await;
    assert_eq!(error, "no whole page within 100ms");

    let endless_bytes =
        ScrapeSettings { max_samples: 1_000_000, ..page(&server(ok, endless).await) };
    assert_eq!(refused(endless_bytes).await, "the page has more than 10000 bytes");
    let endless_samples =
        ScrapeSettings { max_bytes: u32::MAX, ..page(&server(ok, endless).await) };
    let error = refused(endless_samples).await;
    assert_eq!(error, "failed to read the page: there are more than 100 samples");

    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n", "the page has more than 10000 bytes"),
        (
            "HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nx 1\n",
            "the answer was 500 Internal Server Error",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            "the answer was 302 Found",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\u{1f}\u{8}", "the page is compressed"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n<html>secret</html>\r\n\r\n",
            "failed to read the page: line 1 is not one of the text format: there is no value",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nx 1",
            "failed to read the page: the last line has no end",
        ),
    ] {
        assert_eq!(refused(page(&server(answer, end).await)).await, expected);
    }
    let broken = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx 1\n";
    let error = refused(page(&server(broken, end).await)).await;
    assert!(error.starts_with("failed to fetch the page: "), "{error}");
    let error = refused(page("http://127.0.0.1:1/")).await;
    assert!(error.starts_with("failed to fetch the page: "), "{error}");
}

#[tokio::test]
async fn a_page_that_hangs_holds_up_neither_the_tick_nor_another() {
    let good = server("HTTP/1.1 200 OK\r\n\r\nx 1\n", end).await;
    let pages =
        [("hangs".to_owned(), page(&server("", hang).await)), ("works".to_owned(), page(&good))];
    let mut pages = pages.into();
    let mut scrapes = Scrapes::start(&pages, http::client().unwrap());
    let names = |scrapes: &Scrapes| {
        let mut samples = Vec::new();
        scrapes.add_to(&mut samples);
        samples.retain(|sample| ["x", "up"].contains(&&*sample.name));
        samples.iter().map(openmetrics::line).collect::<Vec<_>>()
    };
    assert!(names(&scrapes).is_empty(), "nothing was fetched yet");
    let mut fetched = scrapes.fetched.subscribe();
    fetched.changed().await.unwrap();
    assert_eq!(names(&scrapes), ["up{job=\"works\"} 1", "x{job=\"works\"} 1"]);
    // What is not changed keeps what it said; what is taken away is gone at once.
    pages.remove("hangs");
    scrapes.update(&pages);
    assert_eq!(names(&scrapes).len(), 2);
    scrapes.update(&BTreeMap::new());
    assert!(names(&scrapes).is_empty());
}

#[tokio::test]
async fn a_page_that_fails_ends_its_series_and_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let pages = [("web".to_owned(), page(&url))].into();
    let scrapes = Scrapes::start(&pages, http::client().unwrap());
    let mut fetched = scrapes.fetched.subscribe();
    for (answer, expected, error) in [
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nx 1\n", &["up", "x"][..], None),
        ("HTTP/1.1 503 Oh\r\nConnection: close\r\n\r\n", &["up"], Some("the answer was 503")),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nx 1\n", &["up", "x"], None),
    ] {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        fetched.mark_unchanged();
        stream.write_all(answer.as_bytes()).await.unwrap();
        drop(stream);
        fetched.changed().await.unwrap();
        let mut samples = Vec::new();
        scrapes.add_to(&mut samples);
        samples.retain(|sample| !sample.name.contains("scrape_"));
        assert_eq!(samples.iter().map(|sample| &*sample.name).collect::<Vec<_>>(), expected);
        assert_eq!(samples[0].value, f64::from(u8::from(error.is_none())));
        let told = scrapes.stats().pop().unwrap().1.error;
        assert_eq!(told.as_deref().map(|told| &told[..18]), error);
    }
}
