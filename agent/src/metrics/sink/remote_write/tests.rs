//! Remote write against a small receiver on the loopback.
#![allow(clippy::unwrap_used)]

mod auth;
mod certificates;
mod ending;
mod versions;

use std::collections::HashMap;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use prost::Message;
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::config::schema::read_value;
use crate::metrics::placeholder::tests::identity;
use crate::metrics::sample::Sample;
use crate::metrics::sink::receiver::receive;

fn settings(url: &str) -> RemoteWriteSettings {
    read_value(&json!({
        "url": url,
        "labels": { "instance": "{instance_id}", "image": "{image_id}" },
    }))
}

fn build(settings: &RemoteWriteSettings) -> Result<RemoteWrite, BuildError> {
    let secrets = HashMap::from([(SecretRef::Ssm("/s".to_owned()), SecretString::from("hush"))]);
    let context = SinkContext { client: http::client().unwrap(), aws: None, secrets };
    RemoteWrite::build(settings, &identity(), &context)
}

fn tick(ms: u64) -> Arc<Tick> {
    let samples = vec![Sample::gauge("node_load1", vec![], 0.5)];
    Arc::new(Tick::new(UNIX_EPOCH + Duration::from_millis(ms), samples))
}

const NOW: u64 = 1_800_000_000_000;

async fn push(
    change: impl Fn(&mut RemoteWriteSettings),
    answer: &str,
) -> (String, Vec<u8>, Result<(), SendError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(&format!("http://{}/push", listener.local_addr().unwrap()));
    change(&mut settings);
    let mut sink = build(&settings).unwrap();
    let request = sink.take(&tick(NOW), &mut Drops::default()).remove(0);
    assert_eq!(request.measurements, 1);
    let ((head, body), sent) =
        tokio::join!(receive(&listener, answer.as_bytes()), sink.send(&request.payload));
    (head, body, sent)
}

const TAKEN: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn a_push_has_the_headers_of_the_protocol_and_one_tick() {
    let (head, body, sent) = push(|settings| settings.tenant = Some("stg".to_owned()), TAKEN).await;
    sent.unwrap();
    assert!(head.starts_with("post /push http/1.1"));
    for header in [
        "content-encoding: snappy",
        "content-type: application/x-protobuf",
        "x-prometheus-remote-write-version: 0.1.0",
        "user-agent: gild/",
        "x-scope-orgid: stg",
    ] {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert!(!head.contains("authorization"));
    let plain = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
    let request = encode::WriteRequest::decode(&*plain).unwrap();
    let lines: Vec<_> = encode::lines(&request).collect();
    assert_eq!(lines, ["node_load1{instance=\"i-1\"} 0.5 1800000000000"]);
}

#[tokio::test]
async fn both_kinds_of_authorization_are_sent_and_never_shown() {
    let secret = Some(SecretRef::Ssm("/s".to_owned()));
    let (head, ..) = push(|settings| settings.bearer = secret.clone(), TAKEN).await;
    assert!(head.contains("authorization: bearer hush"));
    let basic = |settings: &mut RemoteWriteSettings| {
        settings.username = Some("me".to_owned());
        settings.password = secret.clone();
    };
    let (head, ..) = push(basic, TAKEN).await;
    assert!(head.contains("authorization: basic bwu6ahvzaa=="), "{head}");
    let mut settings = settings("http://x/push");
    basic(&mut settings);
    assert_eq!(RemoteWrite::secrets(&settings), [SecretRef::Ssm("/s".to_owned())]);
    let mut sink = build(&settings).unwrap();
    let request = sink.take(&tick(NOW), &mut Drops::default()).remove(0);
    let shown = sink.show(&request.payload).join("\n");
    assert!(shown.contains("authorization: Basic …") && shown.contains("node_load1"), "{shown}");
    assert!(!shown.contains("hush") && !shown.contains("bWU6aHVzaA"));
}

#[tokio::test]
async fn answers_are_told_apart_by_what_the_protocol_asks_of_a_sender() {
    for (answer, verdict) in [
        ("400 Bad Request", Verdict::Permanent),
        ("408 Request Timeout", Verdict::Permanent),
        ("429 Too Many Requests\r\nRetry-After: 7", Verdict::After(Duration::from_secs(7))),
        ("500 Internal Server Error", Verdict::Transient),
        ("302 Found\r\nLocation: http://x/", Verdict::Permanent),
    ] {
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
        let (.., sent) = push(|_| {}, &answer).await;
        assert_eq!(sent.unwrap_err().verdict(), verdict, "{answer}");
    }
    let partly = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\
                  X-Prometheus-Remote-Write-Samples-Written: 7\r\n\r\n";
    let error = push(|_| {}, partly).await.2.unwrap_err();
    assert_eq!((error.written(), error.verdict()), (7, Verdict::Permanent));
    // It will be sent again as a whole.
    let error = push(|_| {}, &partly.replace("400", "503")).await.2.unwrap_err();
    assert_eq!((error.written(), error.verdict()), (0, Verdict::Transient));
    let mut dead = build(&settings("http://127.0.0.1:1/")).unwrap();
    let error =
        dead.send(&Body { version: WriteVersion::One, bytes: Bytes::new() }).await.unwrap_err();
    assert_eq!(error.verdict(), Verdict::Transient);
}

#[test]
fn time_only_goes_forward_and_must_be_set() {
    let mut sink = build(&settings("http://x/")).unwrap();
    let mut drops = Drops::default();
    let taken: Vec<_> = [1000, NOW, NOW, NOW - 5, NOW + 1]
        .map(|ms| sink.take(&tick(ms), &mut drops).len())
        .to_vec();
    assert_eq!(taken, [0, 1, 0, 0, 1]);
    assert_eq!(drops.by_reason(), [("clock", 1), ("order", 2)].into());
}

#[test]
fn a_clock_that_was_set_back_does_not_silence_the_sink() {
    let mut sink = build(&settings("http://x/")).unwrap();
    let mut drops = Drops::default();
    let day = 24 * 3600 * 1000;
    let taken = [NOW, NOW + day, NOW + 10, NOW + 20].map(|ms| sink.take(&tick(ms), &mut drops));
    assert!(taken.iter().all(|requests| requests.len() == 1));
    assert!(drops.by_reason().is_empty());
}

#[test]
fn what_cannot_work_is_refused_when_the_sink_is_set_up() {
    let secret = || Some(SecretRef::Ssm("/s".to_owned()));
    let refused = |change: &dyn Fn(&mut RemoteWriteSettings)| {
        let mut settings = settings("http://x/");
        change(&mut settings);
        build(&settings).err().map(|error| error.to_string()).unwrap()
    };
    assert!(refused(&|s| s.tenant = Some("a\nb".to_owned())).starts_with("'tenant' must be"));
    assert!(
        refused(&|s| s.bearer = Some(SecretRef::Ssm("/other".to_owned()))).contains("ssm:/other")
    );
    let both = refused(&|s| (s.username, s.bearer) = (Some("me".to_owned()), secret()));
    assert!(both.starts_with("'bearer' must be left out"));
    let label = refused(&|s| drop(s.labels.insert("a-b".to_owned(), "x".to_owned())));
    assert!(label.starts_with("'labels.a-b'"));
}
