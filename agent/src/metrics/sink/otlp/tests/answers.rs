//! The sink against a small receiver on the loopback: what is sent, and what answers mean.

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use tokio::net::TcpListener;

use super::*;
use crate::metrics::driver::{Handle, Retries};
use crate::metrics::sink::receiver::receive;
use crate::platform::retry::{Retryable, Verdict};

/// An answer of protobuf.
fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {length}");
    [head.as_bytes(), b"\r\nConnection: close\r\n\r\n", body].concat()
}

fn partial(rejected: i64, message: &str) -> Vec<u8> {
    let error_message = message.to_owned();
    let partial = ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message };
    let body = ExportMetricsServiceResponse { partial_success: Some(partial) };
    answer("200 OK", &body.encode_to_vec())
}

async fn push(
    change: impl Fn(&mut OtlpSettings),
    answer: &[u8],
) -> (String, Vec<u8>, Result<(), SendError>, Otlp) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(&format!("http://{}/v1/metrics", listener.local_addr().unwrap()));
    change(&mut settings);
    let mut sink = build(&settings).unwrap();
    sink.take(&tick(0, vec![gauge("node_load1")]), &mut Drops::default());
    let request = sink.flush(true, &mut Drops::default()).remove(0);
    let ((head, body), sent) =
        tokio::join!(receive(&listener, answer), sink.send(&request.payload));
    (head, body, sent, sink)
}

#[tokio::test]
async fn a_request_has_the_headers_of_the_protocol_and_the_configured_ones() {
    let tenant = |settings: &mut OtlpSettings| {
        settings.headers = [("X-Tenant".to_owned(), SecretRef::Ssm("/s".to_owned()))].into();
    };
    let (head, body, sent, mut sink) = push(tenant, &answer("200 OK", b"")).await;
    sent.unwrap();
    assert!(sink.refused_of_last().is_none());
    assert!(head.starts_with("post /v1/metrics http/1.1"));
    for header in [
        "content-encoding: gzip",
        "content-type: application/x-protobuf",
        "accept: application/x-protobuf",
        "user-agent: gild/",
        "x-tenant: hush",
    ] {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert!(!head.contains("authorization") && !head.contains("x-amz"));
    let metrics = &decoded(&body).resource_metrics[0].scope_metrics[0].metrics;
    assert_eq!(metrics[0].name, "node_load1");
}

#[tokio::test]
async fn secrets_are_sent_and_never_shown() {
    let secret = Some(SecretRef::Ssm("/s".to_owned()));
    let bearer = |settings: &mut OtlpSettings| {
        (settings.auth, settings.bearer) = (OtlpAuth::Bearer, secret.clone());
    };
    let (head, ..) = push(bearer, &answer("200 OK", b"")).await;
    assert!(head.contains("authorization: bearer hush"));
    let basic = |settings: &mut OtlpSettings| {
        settings.auth = OtlpAuth::Basic;
        settings.username = Some("me".to_owned());
        settings.password = secret.clone();
        settings.headers = [("X-Key".to_owned(), SecretRef::Ssm("/s".to_owned()))].into();
    };
    let (head, ..) = push(basic, &answer("200 OK", b"")).await;
    assert!(head.contains("authorization: basic bwu6ahvzaa=="), "{head}");
    let mut settings = settings("http://x/v1/metrics");
    basic(&mut settings);
    assert_eq!(Otlp::secrets(&settings), vec![SecretRef::Ssm("/s".to_owned()); 2]);
    let mut sink = build(&settings).unwrap();
    let samples = vec![Sample::counter(
        "node_x_bytes_total",
        vec![crate::metrics::sample::label("a", "b")],
        2.0,
    )];
    sink.take(&tick(0, samples), &mut Drops::default());
    let request = sink.flush(true, &mut Drops::default()).remove(0);
    let shown = sink.show(&request.payload).join("\n");
    for line in [
        "POST http://x/v1/metrics (",
        "x-key: …",
        "authorization: Basic …",
        "# host.id = i-1",
        "node_x_bytes_total{a=\"b\"} 2 1800000000000 By since 1800000000000",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert!(!shown.contains("hush") && !shown.contains("bWU6aHVzaA"));
}

#[tokio::test]
async fn answers_are_told_apart_by_what_the_protocol_asks_of_a_sender() {
    let after = Verdict::After(Duration::from_secs(7));
    let (permanent, transient) = (Verdict::Permanent, Verdict::Transient);
    for (status, verdict, content) in [
        ("400 Bad Request", permanent, true),
        ("401 Unauthorized", permanent, false),
        ("403 Forbidden", permanent, false),
        ("404 Not Found", permanent, false),
        ("408 Request Timeout", permanent, false),
        ("413 Content Too Large", permanent, true),
        ("415 Unsupported Media Type", permanent, false),
        ("425 Too Early", permanent, false),
        ("429 Too Many Requests", transient, false),
        ("429 Too Many Requests\r\nRetry-After: 7", after, false),
        ("500 Internal Server Error", permanent, false),
        ("500 Internal Server Error\r\nRetry-After: 7", permanent, false),
        ("501 Not Implemented", permanent, false),
        ("502 Bad Gateway", transient, false),
        ("503 Service Unavailable\r\nRetry-After: 7", after, false),
        ("504 Gateway Timeout", transient, false),
        ("302 Found\r\nLocation: http://x/", permanent, false),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let (.., sent, _) = push(|_| {}, answer.as_bytes()).await;
        let error = sent.unwrap_err();
        assert_eq!((error.verdict(), error.refuses_content()), (verdict, content), "{status}");
        assert_eq!(error.refuses_secrets(), status.starts_with("401") || status.starts_with("403"));
        assert_eq!(error.kind()[..3], status[..3]);
    }
    let mut dead = build(&settings("http://127.0.0.1:1/")).unwrap();
    let error = dead.send(&Vec::new()).await.unwrap_err();
    assert_eq!((error.verdict(), error.kind().as_str()), (transient, "no answer"));
}

#[tokio::test]
async fn what_aws_says_of_time_and_of_too_many_calls_passes() {
    for (text, verdict) in [
        ("{\"__type\":\"ThrottlingException\"}", Verdict::Transient),
        ("Signature expired: 20270115T080000Z is now earlier than", Verdict::Transient),
        ("ExpiredTokenException", Verdict::Transient),
        ("AccessDeniedException", Verdict::Permanent),
    ] {
        let length = text.len();
        let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n\r\n{text}");
        let (.., sent, _) = push(|_| {}, head.as_bytes()).await;
        assert_eq!(sent.unwrap_err().verdict(), verdict, "{text}");
    }
}

#[tokio::test]
async fn the_receivers_reason_is_told_in_either_form() {
    let why = |error: SendError| crate::platform::error::chain_text(&error);
    // `google.rpc.Status`: a code of 3 and a message that is longer than one byte can say.
    let message = "Maximum number of datapoints per request exceeded: 1000. ".repeat(3);
    let mut status =
        vec![8, 3, 18, 0x80 | (message.len() & 0x7f) as u8, (message.len() >> 7) as u8];
    status.extend(message.as_bytes());
    let (.., sent, _) = push(|_| {}, &answer("400 Bad Request", &status)).await;
    let text = why(sent.unwrap_err());
    assert!(text.contains("400 Bad Request (Maximum number of datapoints per request"), "{text}");
    let (.., sent, _) = push(|_| {}, &answer("400 Bad Request", b"\xff\xff no protobuf")).await;
    assert!(why(sent.unwrap_err()).ends_with("the answer was 400 Bad Request"));
    let plain = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 8\r\n\r\nno\n  way";
    let (.., sent, _) = push(|_| {}, plain).await;
    assert!(why(sent.unwrap_err()).ends_with("400 Bad Request (no way)"));
}

#[tokio::test]
async fn a_success_is_one_whatever_its_body_says() {
    let endless = answer("200 OK", &vec![0xff; 100_000]);
    let other = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>";
    let cut =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 9\r\n\r\n\n";
    let warns = partial(0, "deprecated");
    let wrong = partial(-5, "what?");
    for body in [&endless[..], other, cut, &warns, &wrong, b"HTTP/1.1 204 No Content\r\n\r\n"] {
        let (.., sent, mut sink) = push(|_| {}, body).await;
        sent.unwrap();
        assert!(sink.refused_of_last().is_none());
    }
}

#[tokio::test]
async fn what_the_receiver_leaves_out_is_counted_and_told_and_not_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(&format!("http://{}/v1/metrics", listener.local_addr().unwrap()));
    settings.flush = Duration::from_millis(1);
    settings.resolution = Duration::from_secs(1);
    let mut sink = Some(build(&settings).unwrap());
    let set_up = move || std::future::ready(Ok(sink.take().unwrap()));
    let handle = Handle::start("otlp", set_up, Retries::default());
    let names = ["node_a", "node_b", "node_c"];
    handle.push(tick(0, names.map(gauge).to_vec()));
    let message = format!("two of them are\n{}", "too old ".repeat(100));
    receive(&listener, &partial(2, &message)).await;
    handle.flush().await;
    let stats = handle.stats();
    assert_eq!((stats.sent, stats.dropped), (1, [("rejected", 2)].into()));
    let text = stats.last_error.unwrap();
    assert!(text.contains("left out 2 data points (two of them are too old"), "{text}");
    assert!(text.len() < 300 && !text.contains('\n'), "{text}");
    // More than were sent is no more than all.
    handle.push(tick(60, names.map(gauge).to_vec()));
    receive(&listener, &partial(1000, "none")).await;
    handle.flush().await;
    let stats = handle.stats();
    assert_eq!((stats.sent, stats.dropped), (1, [("rejected", 5)].into()));
    handle.push(tick(120, names.map(gauge).to_vec()));
    receive(&listener, &answer("200 OK", b"")).await;
    handle.flush().await;
    let stats = handle.stats();
    assert_eq!((stats.sent, stats.last_error), (4, None));
}
