//! Probes against what answers, fails, stalls and does not exist.
#![allow(clippy::unwrap_used)]

mod exec;
mod file;
mod network;
mod timer;
mod trust;

use std::path::Path;

use super::*;
use crate::config::schema::read_value;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;

const LIMIT: Duration = Duration::from_secs(20);

/// What a service's settings mean.
fn settings(text: serde_json::Value) -> ServiceSettings {
    read_value(&text)
}

fn means(root: &Path) -> Means {
    Means::new(crate::platform::http::client().unwrap(), &Paths::installed(root))
}

/// The only probe of a service.
fn probe(text: serde_json::Value) -> Arc<dyn Probe> {
    let mut probes = probes(&settings(text));
    assert_eq!(probes.len(), 1);
    probes.remove(0)
}

/// What the only probe of a service finds on this host.
async fn find(text: serde_json::Value) -> Probed {
    let (probe, means) = (probe(text), means(Path::new("/")));
    run(&*probe, &means, LIMIT).await
}

/// Why a probe failed.
fn why(probed: Probed) -> String {
    chain_text(&probed.result.unwrap_err())
}

#[test]
fn each_kind_has_a_label_of_its_own() {
    let all = serde_json::json!({
        "http": "http://127.0.0.1/", "tcp": "127.0.0.1:1", "exec": ["/bin/true"],
        "file": "/x", "timer": "x",
    });
    let probes = probes(&settings(all));
    let labels: Vec<_> = probes.iter().map(|probe| probe.label()).collect();
    assert_eq!(labels, ["exec", "file", "http", "tcp", "timer"]);
}

#[test]
fn ages_have_limits_at_both_ends() {
    let now = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let hour = Duration::from_secs(3600);
    for (then, limit, expected) in [
        (now - hour, Some(hour), ""),
        (now - hour * 30, Some(hour * 26), "it ran 1day 6h ago, and 1day 2h are allowed"),
        (now - Duration::from_secs(3700), Some(hour), "it ran 1h 1m ago, and 1h are allowed"),
        (now - hour * 9999, None, ""),
        (now + Duration::from_secs(299), Some(hour), ""),
        (now + hour, Some(hour), "it ran in the future, 1h ahead of this host's clock"),
    ] {
        let found = is_fresh("it ran", then, now, limit);
        assert_eq!(found.err().map_or(String::new(), |error| error.to_string()), expected);
    }
}
