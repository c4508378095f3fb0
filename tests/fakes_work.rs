//! The fakes refuse what the real services refuse; without this, a test that passes
//! against them would prove nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use ciborium::Value;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::fakes::cloudwatch::CloudWatch;
use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::moto::Moto;
use crate::fakes::otlp::Otlp;
use crate::fakes::place::{Closed, Place, loopback};
use crate::fakes::remote_write::RemoteWrite;
use crate::fakes::sigv4::Expected;

fn send(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, String) {
    Place::Host.http(to, method, path, headers, body).unwrap()
}

#[test]
fn imds_gives_nothing_without_a_live_token() {
    let imds = Imds::start(loopback(), &Instance::default());
    let path = "/latest/meta-data/instance-id";
    assert_eq!(send(imds.address(), "GET", path, &[], b"").0, 401);

    let wanted = [("X-aws-ec2-metadata-token-ttl-seconds", "60")];
    let (status, token) = send(imds.address(), "PUT", "/latest/api/token", &wanted, b"");
    assert_eq!(status, 200);
    let with = [("X-aws-ec2-metadata-token", token.as_str())];
    assert_eq!(send(imds.address(), "GET", path, &with, b""), (200, "i-0123456789abcdef0".into()));
    let (status, page) = send(imds.address(), "GET", "/latest/meta-data/tags/instance", &with, b"");
    assert_eq!(status, 404);
    assert!(page.starts_with("<?xml"));

    imds.revoke_tokens();
    assert_eq!(send(imds.address(), "GET", path, &with, b"").0, 401);
    assert_eq!((imds.tokens(), imds.connections()), (1, 5));
}

#[test]
fn faults_come_in_the_ordered_sequence_and_end() {
    let files = Files::start(loopback());
    files.put("/a", "0123456789");
    files.faults.next("/a", 1, Fault::RetryAfter(503, 7));
    files.faults.next("/a", 1, Fault::CutOff);
    files.faults.next("/a", 1, Fault::Close);
    assert_eq!(send(files.address(), "GET", "/a", &[], b"").0, 503);
    assert_eq!(send(files.address(), "GET", "/a", &[], b""), (200, "01234".into()));
    assert!(Place::Host.http(files.address(), "GET", "/a", &[], b"").is_err());
    assert_eq!(send(files.address(), "GET", "/a", &[], b""), (200, "0123456789".into()));
    assert_eq!(files.requests().len(), 2);
}

#[test]
fn an_unchanged_file_is_not_sent_again() {
    let files = Files::start(loopback());
    files.put("/a", "x");
    let tag = "\"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"";
    assert_eq!(send(files.address(), "GET", "/a", &[("If-None-Match", tag)], b"").0, 304);
    files.put("/a", "y");
    assert_eq!(send(files.address(), "GET", "/a", &[("If-None-Match", tag)], b"").0, 200);
}

#[test]
fn a_closed_port_refuses_until_it_is_opened() {
    let closed = Closed::new();
    let address = closed.address();
    assert!(TcpStream::connect(address).is_err());
    let files = Files::start(closed.open());
    files.put("/a", "here");
    assert_eq!(send(address, "GET", "/a", &[], b"").0, 200);
}

#[test]
fn a_hanging_answer_leaves_the_connection_open_and_ends_with_the_fake() {
    let files = Files::start(loopback());
    files.faults.always("/", Fault::Hang);
    let mut stream = TcpStream::connect(files.address()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(stream.read(&mut [0; 1]).is_err());
    drop(files);
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

fn datum(members: Vec<(&str, Value)>) -> Value {
    let mut all = vec![("MetricName", Value::from("m"))];
    all.extend(members);
    map(all)
}

fn map(members: Vec<(&str, Value)>) -> Value {
    Value::Map(members.into_iter().map(|(k, v)| (Value::from(k), v)).collect())
}

fn put(to: &CloudWatch, namespace: &str, data: Vec<Value>) -> u16 {
    let body = map(vec![("Namespace", Value::from(namespace)), ("MetricData", Value::Array(data))]);
    let mut bytes = Vec::new();
    ciborium::into_writer(&body, &mut bytes).unwrap();
    let headers = [
        ("smithy-protocol", "rpc-v2-cbor"),
        ("content-type", "application/cbor"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=a/20240101/eu-west-1/monitoring/aws4_request",
        ),
    ];
    let path = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
    send(to.address(), "POST", path, &headers, &bytes).0
}

#[test]
fn cloudwatch_enforces_its_limits_and_keeps_what_passed() {
    let cloudwatch = CloudWatch::start(loopback());
    let one = || vec![("Value", Value::from(1.0))];
    let array = |n: usize| Value::Array(vec![Value::from(1.0); n]);
    assert_eq!(put(&cloudwatch, "CWAgent", vec![datum(one())]), 200);
    let bad = [
        ("AWS/EC2", datum(one())),
        (":x", datum(one())),
        ("N", datum(vec![])),
        ("N", datum(vec![("Value", Value::from(f64::NAN))])),
        ("N", datum(vec![("Value", Value::from(1.0)), ("Values", array(1))])),
        ("N", datum(vec![("Values", array(151))])),
        ("N", datum(vec![("Values", array(2)), ("Counts", array(1))])),
        ("N", datum(vec![("Value", Value::from(1.0)), ("Unit", Value::from("Furlongs"))])),
        ("N", datum(vec![("Value", Value::from(1.0)), ("Timestamp", Value::from(1.0))])),
        (
            "N",
            datum(vec![
                ("Value", Value::from(1.0)),
                ("Timestamp", Value::Tag(1, Box::new(Value::from(1_000_000_000)))),
            ]),
        ),
    ];
    for (namespace, datum) in bad {
        assert_eq!(put(&cloudwatch, namespace, vec![datum.clone()]), 400, "{namespace} {datum:?}");
    }
    assert_eq!(put(&cloudwatch, "N", vec![datum(one()); 1001]), 400);
    assert_eq!(put(&cloudwatch, "N", vec![datum(one()); 1000]), 200);
    assert_eq!(cloudwatch.datums("CWAgent").len(), 1);
    assert_eq!(cloudwatch.refused().len(), 11);
    cloudwatch.faults.next("/", 1, Fault::Throttle);
    assert_eq!(put(&cloudwatch, "N", vec![datum(one())]), 400);
}

fn text(field: u8, text: &str) -> Vec<u8> {
    bytes(field, text.as_bytes())
}

fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2, u8::try_from(content.len()).unwrap()];
    out.extend(content);
    out
}

fn series(labels: &[(&str, &str)], timestamp: u8) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in labels {
        out.extend(bytes(1, &[text(1, name), text(2, value)].concat()));
    }
    let mut sample = vec![1 << 3 | 1];
    sample.extend(1.5f64.to_le_bytes());
    sample.extend([2 << 3, timestamp]);
    out.extend(bytes(2, &sample));
    bytes(1, &out)
}

#[test]
fn remote_write_refuses_what_the_specification_forbids() {
    let receiver = RemoteWrite::start(loopback());
    let push = |body: Vec<u8>| {
        let body = snap::raw::Encoder::new().compress_vec(&body).unwrap();
        let headers = [
            ("Content-Encoding", "snappy"),
            ("Content-Type", "application/x-protobuf"),
            ("X-Prometheus-Remote-Write-Version", "0.1.0"),
            ("User-Agent", "test"),
        ];
        send(receiver.address(), "POST", "/api/v1/push", &headers, &body).0
    };
    assert_eq!(push(series(&[("__name__", "up"), ("a", "b")], 5)), 204);
    assert_eq!(push(series(&[("__name__", "up"), ("a", "b")], 5)), 400, "the same time again");
    assert_eq!(push(series(&[("a", "b"), ("__name__", "up")], 6)), 400, "unsorted");
    assert_eq!(push(series(&[("__name__", "up"), ("a", "b"), ("a", "b")], 6)), 400, "repeated");
    assert_eq!(push(series(&[("__name__", "up"), ("a", "")], 6)), 400, "empty value");
    assert_eq!(push(series(&[("a", "b")], 6)), 400, "no name");
    assert_eq!(push(series(&[("__name__", "up"), ("a", "b")], 6)), 204);
    assert_eq!(receiver.samples().len(), 2);
    assert_eq!(send(receiver.address(), "POST", "/", &[], b"").0, 400, "no headers");
}

#[test]
fn moto_keeps_what_it_is_given() {
    let moto = Moto::start(&Place::Host);
    moto.put_parameter("eu-west-1", "/gild/account", "String", "[vars]");
    let asked = serde_json::json!({ "Name": "/gild/account" });
    let answer = moto.call("eu-west-1", "ssm", "AmazonSSM.GetParameter", &asked);
    assert!(answer.contains("[vars]"), "{answer}");
    moto.put_object("bucket", "a/b.toml", "x = 1");
    moto.put_secret("eu-west-1", "vault_secret", "hidden");
}

#[test]
fn otlp_refuses_what_the_specification_and_cloudwatch_forbid() {
    let receiver = Otlp::start(loopback());
    let push = |body: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        let headers = [
            ("Content-Encoding", "gzip"),
            ("Content-Type", "application/x-protobuf"),
            ("User-Agent", "gild/test"),
        ];
        let body = encoder.finish().unwrap();
        send(receiver.address(), "POST", "/v1/metrics", &headers, &body).0
    };
    let labels = |names: &[&str]| -> Vec<u8> {
        names
            .iter()
            .flat_map(|name| bytes(7, &[text(1, name), bytes(2, &text(1, "x"))].concat()))
            .collect()
    };
    let point = |start: u8, time: u8, value: f64, names: &[&str]| {
        let mut out = labels(names);
        for (field, content) in [(2, u64::from(start)), (3, u64::from(time)), (4, value.to_bits())]
        {
            out.push(field << 3 | 1);
            out.extend(content.to_le_bytes());
        }
        bytes(1, &out)
    };
    let sum = |kind: &[u8], points: Vec<u8>| bytes(7, &[points.as_slice(), kind].concat());
    let metric = |data: Vec<u8>| bytes(2, &[text(1, "x"), data].concat());
    let request = |metrics: Vec<u8>| {
        let service = bytes(1, &[text(1, "service.name"), bytes(2, &text(1, "y"))].concat());
        let scope = bytes(2, &[bytes(1, &text(1, "z")), metrics].concat());
        bytes(1, &[bytes(1, &service), scope].concat())
    };
    let cumulative = [2 << 3, 2, 3 << 3, 1];
    let one = |start, time, value, names: &[&str]| {
        request(metric(sum(&cumulative, point(start, time, value, names))))
    };
    assert_eq!(push(&one(1, 5, 9.0, &["a"])), 200);
    assert_eq!(push(&one(1, 5, 9.0, &["a"])), 400, "the same time again");
    assert_eq!(push(&one(1, 6, 8.0, &["a"])), 400, "a total that goes back");
    assert_eq!(push(&one(5, 6, 8.0, &["a"])), 200, "one that started over");
    assert_eq!(push(&one(1, 7, 9.0, &["a"])), 400, "a start that goes back");
    assert_eq!(push(&one(8, 7, 9.0, &["a"])), 400, "a start that is to come");
    assert_eq!(push(&one(0, 7, 9.0, &["a"])), 400, "no start");
    assert_eq!(push(&one(5, 7, f64::NAN, &["a"])), 400, "no number");
    assert_eq!(push(&one(5, 7, 9.0, &["a", "a"])), 400, "a repeated attribute");
    assert_eq!(push(&one(5, 7, 9.0, &[""])), 400, "an attribute without a name");
    let delta = [2 << 3, 1, 3 << 3, 1];
    assert_eq!(push(&request(metric(sum(&delta, point(5, 7, 9.0, &["a"]))))), 400, "a delta");
    let doubled = metric(sum(&cumulative, point(5, 7, 9.0, &["a"])));
    assert_eq!(push(&request([doubled.clone(), doubled].concat())), 400, "a metric twice");
    assert_eq!(push(&[one(5, 7, 9.0, &["a"]), text(9, "?")].concat()), 400, "an unknown field");
    assert_eq!(push(b""), 400, "nothing");
    assert_eq!(push(&one(5, 7, 9.0, &["a"])), 200);
    assert_eq!((receiver.points().len(), receiver.requests()), (3, vec![1; 3]));
    receiver.wants_signatures(Expected {
        key: "k",
        secret: "s",
        token: None,
        region: "eu-west-1",
        service: "monitoring",
    });
    assert_eq!(push(&one(5, 8, 9.0, &["a"])), 400, "no signature");
}
