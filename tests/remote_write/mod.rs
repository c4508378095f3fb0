//! Remote write before receivers that do what receivers do, and some that do worse; and
//! before those that there really are.

mod answers;
mod real;
mod signed;
mod table;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gild::config::SecretRef;
use gild::identity::Identity;
use gild::metrics::driver::{Handle, Retries, SinkStats};
use gild::metrics::sample::{Sample, Tick};
use gild::metrics::sink::remote_write::{PushUrl, RemoteWrite, RemoteWriteSettings, WriteVersion};
use gild::metrics::sink::{Sink, SinkContext};
use gild::platform::http;
use serde_json::json;
use tokio::time::Instant;

/// A sink that sends at once.
fn settings(url: &str) -> RemoteWriteSettings {
    RemoteWriteSettings {
        url: PushUrl::parse(url).unwrap(),
        version: WriteVersion::One,
        tenant: None,
        username: None,
        password: None,
        bearer: None,
        sigv4: false,
        region: None,
        ca_file: None,
        client_certificate: None,
        client_key: None,
        labels: [("instance".to_owned(), "i-1".to_owned())].into(),
        flush: Duration::from_millis(1),
        timeout: Duration::from_secs(10),
    }
}

/// The sink at work, where all secrets are "hush".
fn start(settings: RemoteWriteSettings, retries: Retries) -> Handle {
    let secrets = RemoteWrite::secrets(&settings).into_iter();
    let secrets: HashMap<SecretRef, _> =
        secrets.map(|reference| (reference, "hush".into())).collect();
    let context = SinkContext { client: http::client().unwrap(), aws: None, secrets };
    let identity: Identity = serde_json::from_value(json!({
        "provenance": "host", "instance_id": "i-1", "hostname": "h", "tags": {}
    }))
    .unwrap();
    let set_up = move || {
        let sink = RemoteWrite::build(&settings, &identity, &context);
        std::future::ready(Ok(sink.unwrap()))
    };
    Handle::start("test", set_up, retries)
}

/// Two samples of now.
fn tick() -> Arc<Tick> {
    let samples = vec![Sample::gauge("x", vec![], 1.0), Sample::counter("y_total", vec![], 2.0)];
    Arc::new(Tick::new(SystemTime::now(), samples))
}

async fn until(what: &str, handle: &Handle, holds: impl Fn(&SinkStats) -> bool) -> SinkStats {
    let begin = Instant::now();
    loop {
        let stats = handle.stats();
        if holds(&stats) {
            return stats;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{what}: {stats:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
