//! Against Debian's Prometheus 2.42, which knows version 1.0 alone and answers 204 to
//! version 2.0 without storing anything.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gild::metrics::driver::Retries;
use gild::metrics::sample::Tick;
use gild::metrics::sink::remote_write::{RemoteWriteSettings, WriteVersion};
use gild::platform::http;
use gild::platform::retry::Backoff;
use reqwest::Url;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use super::{settings, start, tick, until};
use crate::host::Running;

/// A Prometheus that takes remote writes. Ends when dropped.
struct Prometheus {
    _process: Running,
    _data: TempDir,
    address: String,
}

impl Prometheus {
    fn start(configuration: &str) -> Self {
        let text = configuration;
        let data = TempDir::new().unwrap();
        let configuration = data.path().join("prometheus.yml");
        std::fs::write(&configuration, text).unwrap();
        let spawned = Command::new("prometheus")
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", data.path().join("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = spawned.expect("this needs Debian's package 'prometheus'");
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let process = Running(process);
        let mut address = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it has ended");
            if line.contains("Listening on") {
                address = line.split_once("address=").unwrap().1.trim().to_owned();
            }
            if line.contains("Server is ready to receive web requests") {
                break;
            }
        }
        assert!(!address.is_empty());
        // It must not wait for somebody to read what it logs.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { _process: process, _data: data, address }
    }

    fn push(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// The values that a query gives now.
    async fn values(&self, query: &str) -> Vec<String> {
        let mut url = Url::parse(&format!("http://{}/api/v1/query", self.address)).unwrap();
        url.query_pairs_mut().append_pair("query", query);
        let answer = http::client().unwrap().get(url).send().await.unwrap();
        let answer = http::body(answer, 1 << 20).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["status"], "success", "{answer}");
        let series = answer["data"]["result"].as_array().unwrap().iter();
        series.map(|series| series["value"][1].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn prometheus_has_every_tick_whichever_version_is_asked_for_and_no_series_after_the_end() {
    let prometheus = Prometheus::start("");
    for version in [WriteVersion::One, WriteVersion::Two] {
        let settings = RemoteWriteSettings {
            version,
            labels: [("version".to_owned(), version.word().to_owned())].into(),
            ..settings(&prometheus.push())
        };
        let handle = start(settings, Retries::default());
        for count in 1..=3 {
            handle.push(tick());
            let stats = until("a delivery", &handle, |stats| stats.sent == 2 * count).await;
            assert_eq!((stats.last_error, stats.dropped), (None, [].into()));
        }
        let series = format!("{{version='{}',__name__=~'x|y_total'}}", version.word());
        assert_eq!(prometheus.values(&series).await, ["1", "2"]);
        let counted = format!("count_over_time(x{{version='{}'}}[1m])", version.word());
        assert_eq!(prometheus.values(&counted).await, ["3"], "each tick is there once");
        let stats = handle.shutdown(Instant::now() + Duration::from_secs(10)).await;
        assert_eq!((stats.sent, stats.dropped), (6, [].into()));
        assert_eq!(prometheus.values(&series).await, [""; 0], "the series have ended");
    }
}

/// With a window for what comes out of order, it answers 500 to what is older than that.
#[tokio::test]
async fn what_prometheus_answers_500_to_for_ever_holds_up_the_rest_no_longer_than_it_is_tried() {
    let window = "storage: { tsdb: { out_of_order_time_window: 10m } }";
    let prometheus = Prometheus::start(window);
    let first = start(settings(&prometheus.push()), Retries::default());
    first.push(tick());
    until("the first", &first, |stats| stats.sent == 2).await;

    let most = Duration::from_millis(300);
    let backoff = Backoff { first: Duration::from_millis(10), most: Duration::from_millis(20) };
    let late = start(settings(&prometheus.push()), Retries { backoff, most });
    let old = Tick { at: SystemTime::now() - Duration::from_secs(1200), ..(*tick()).clone() };
    late.push(Arc::new(old));
    late.push(tick());
    let stats = until("an error", &late, |stats| stats.last_error.is_some()).await;
    let error = stats.last_error.unwrap();
    assert!(error.contains("the answer was 500") && error.contains("too old sample"), "{error}");
    let stats = until("the rest", &late, |stats| stats.sent == 2).await;
    assert_eq!(stats.dropped, [("expired", 2)].into());
    assert_eq!(prometheus.values("count_over_time(x[1h])").await, ["2"]);
}

/// Without one, it answers 400 and takes nothing of the whole request.
#[tokio::test]
async fn what_comes_out_of_order_is_given_up_at_once() {
    let prometheus = Prometheus::start("");
    let first = start(settings(&prometheus.push()), Retries::default());
    first.push(tick());
    until("the first", &first, |stats| stats.sent == 2).await;
    let late = start(settings(&prometheus.push()), Retries::default());
    let old = Tick { at: SystemTime::now() - Duration::from_secs(60), ..(*tick()).clone() };
    late.push(Arc::new(old));
    late.push(tick());
    let stats = until("the rest", &late, |stats| stats.sent == 2).await;
    assert_eq!(stats.dropped, [("rejected", 2)].into());
}
