//! A whole daemon: what is signed with the role of the instance, and version 2.0.

use gild::metrics::collector::NAMES;

use crate::fakes::imds::access_key;
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::host::{Host, wait_for};

fn document(receiver: &RemoteWrite, more: &str) -> String {
    format!(
        "configuration.run = 'never'\nmetrics = {{ interval = '1s', collectors = {NAMES:?} }}\n\
         [sink.out]\ntype = 'remote_write'\nurl = '{}'\nflush = '1s'\n{more}\n",
        receiver.url()
    )
}

#[test]
fn requests_are_signed_with_the_credentials_of_the_instance() {
    let receiver = RemoteWrite::start(loopback());
    let host = Host::new(&document(&receiver, "sigv4 = true"));
    host.configure(&[]);
    let _daemon = host.started(&["run"]);
    wait_for("two requests", || receiver.headers().len() >= 2);
    for headers in receiver.headers() {
        let text = headers["authorization"].to_str().unwrap();
        let key = access_key("gild-instance");
        let begins = format!("AWS4-HMAC-SHA256 Credential={key}/");
        assert!(text.starts_with(&begins), "{text}");
        assert!(text.contains("/eu-west-1/aps/aws4_request, SignedHeaders=content-"), "{text}");
        assert!(headers.contains_key("x-amz-security-token"));
    }
}

#[test]
fn the_second_version_has_all_that_the_first_has() {
    let (first, second) = (RemoteWrite::start(loopback()), RemoteWrite::start(loopback()));
    let other = format!(
        "[sink.second]\ntype = 'remote_write'\nurl = '{}'\nflush = '1s'\nversion = '2.0'",
        second.url()
    );
    let host = Host::new(&document(&first, &other));
    host.configure(&[]);
    let _daemon = host.started(&["run"]);
    wait_for("two ticks", || first.headers().len() >= 2 && second.headers().len() >= 2);
    for (receiver, version) in [(&first, "0.1.0"), (&second, "2.0.0")] {
        assert_eq!(receiver.refused(), Vec::<String>::new());
        let versions = receiver.headers().into_iter();
        assert!(
            versions
                .map(|headers| headers["x-prometheus-remote-write-version"].clone())
                .all(|found| found == version)
        );
    }
    // Each tick goes to both, so what both have of the first one is the same.
    let (first, second) = (first.samples(), second.samples());
    assert!(first.len().min(second.len()) > 100);
    let ticks =
        first.iter().zip(&second).take_while(|(a, _)| a.timestamp_ms == first[0].timestamp_ms);
    for (a, b) in ticks {
        assert!(a == b || a.value.is_nan() && b.value.is_nan(), "{a:?} {b:?}");
    }
}
