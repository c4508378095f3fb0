//! Version 2.0, and what becomes of it before a receiver that does not know it.

use super::*;

const WRITTEN: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\
                       X-Prometheus-Remote-Write-Samples-Written: 1\r\n\r\n";
const SILENT: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
const UNSUPPORTED: &str =
    "HTTP/1.1 415 Unsupported Media Type\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
const BAD: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
const DOWN: &str = "HTTP/1.1 503 Down\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Sends a tick for each list of answers; gives back the versions of all requests and the
/// lines of the last one.
async fn versions(answers: &[&[&str]]) -> (Vec<String>, Vec<String>, Vec<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(&format!("http://{}/push", listener.local_addr().unwrap()));
    settings.version = WriteVersion::Two;
    let mut sink = build(&settings).unwrap();
    let (mut versions, mut lines, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
    for (number, answers) in answers.iter().enumerate() {
        let request = sink.take(&tick(NOW + number as u64), &mut Drops::default()).remove(0);
        let receiving = async {
            for answer in *answers {
                let (head, body) = receive(&listener, answer.as_bytes()).await;
                let header = |name: &str| {
                    head.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned()
                };
                let number = header("x-prometheus-remote-write-version: ");
                let version = match header("content-type: ").as_str() {
                    "application/x-protobuf" => WriteVersion::One,
                    "application/x-protobuf;proto=io.prometheus.write.v2.request" => {
                        WriteVersion::Two
                    }
                    other => panic!("content type {other}"),
                };
                let first = Body { version, bytes: body.into() }.first();
                lines = encode::lines(&first).collect();
                versions.push(number);
            }
        };
        let ((), sent) = tokio::join!(receiving, sink.send(&request.payload));
        delivered.push(sent.is_ok());
    }
    (versions, lines, delivered)
}

#[tokio::test]
async fn a_receiver_that_says_what_it_has_written_is_sent_the_second_version() {
    let (versions, lines, delivered) = versions(&[&[WRITTEN], &[WRITTEN]]).await;
    assert_eq!(versions, ["2.0.0", "2.0.0"]);
    assert_eq!(lines, ["node_load1{instance=\"i-1\"} 0.5 1800000000001"]);
    assert_eq!(delivered, [true, true]);
}

#[tokio::test]
async fn one_that_does_not_know_it_is_sent_the_same_tick_in_the_first_version_from_then_on() {
    for ignorant in [UNSUPPORTED, SILENT] {
        let (versions, lines, delivered) = versions(&[&[ignorant, SILENT], &[SILENT]]).await;
        assert_eq!(versions, ["2.0.0", "0.1.0", "0.1.0"], "{ignorant}");
        assert_eq!(lines, ["node_load1{instance=\"i-1\"} 0.5 1800000000001"]);
        assert_eq!(delivered, [true, true]);
    }
}

#[tokio::test]
async fn a_refusal_or_an_outage_says_nothing_about_versions() {
    let (versions, _, delivered) = versions(&[&[BAD], &[DOWN], &[WRITTEN]]).await;
    assert_eq!(versions, ["2.0.0", "2.0.0", "2.0.0"]);
    assert_eq!(delivered, [false, false, true]);
}

#[tokio::test]
async fn a_request_from_before_the_receiver_was_known_is_sent_in_the_first_version_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(&format!("http://{}/push", listener.local_addr().unwrap()));
    settings.version = WriteVersion::Two;
    let mut sink = build(&settings).unwrap();
    let request = sink.take(&tick(NOW), &mut Drops::default()).remove(0).payload;
    for answers in [&[UNSUPPORTED, DOWN][..], &[SILENT]] {
        let receiving = async {
            let mut last = (String::new(), Vec::new());
            for answer in answers {
                last = receive(&listener, answer.as_bytes()).await;
            }
            last
        };
        let ((head, _), _) = tokio::join!(receiving, sink.send(&request));
        assert!(head.contains("x-prometheus-remote-write-version: 0.1.0"), "{head}");
    }
}

#[test]
fn a_preview_shows_the_version_and_the_samples() {
    let mut settings = settings("http://x/push");
    settings.version = WriteVersion::Two;
    let mut sink = build(&settings).unwrap();
    let request = sink.take(&tick(NOW), &mut Drops::default()).remove(0);
    let shown = sink.show(&request.payload).join("\n");
    assert!(shown.contains("version: 2.0.0") && shown.contains("v2.Request"), "{shown}");
    assert!(shown.ends_with("node_load1{instance=\"i-1\"} 0.5 1800000000000"), "{shown}");
}
