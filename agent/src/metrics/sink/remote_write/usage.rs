//! What a receiver of remote write bills: one of one's own nothing, Amazon's managed one by the
//! sample. Each tick is a request of its own, whenever it is sent.

use std::time::Duration;

use reqwest::Url;

use crate::cost::usage::Usage;
use crate::platform::aws::is_endpoint;

/// How the hosts of Amazon Managed Service for Prometheus begin.
const SERVICE: &str = "aps-workspaces";

/// What one host sends: series by their names, of which each tick has a sample, in so many bytes.
pub(super) fn of(
    url: &Url,
    names: impl Iterator<Item = String>,
    bytes: u64,
    between: Duration,
) -> Usage {
    let mut usage = Usage {
        tariff: is_endpoint(url, SERVICE).then_some("amp"),
        every: between,
        requests: 1,
        bytes,
        ..Usage::default()
    };
    for name in names {
        *usage.metrics.entry(name).or_default() += 1;
    }
    usage.samples = usage.metrics();
    usage
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn usage(url: &str) -> Usage {
        let names = ["up", "node_load1", "up"].map(str::to_owned).into_iter();
        of(&Url::parse(url).unwrap(), names, 500, Duration::from_secs(10))
    }

    #[test]
    fn a_tick_is_a_request_with_a_sample_of_each_series() {
        let usage = usage("https://mimir.example/api/v1/push");
        assert_eq!(usage.metrics, [("node_load1".to_owned(), 1), ("up".to_owned(), 2)].into());
        assert_eq!((usage.requests, usage.samples, usage.bytes), (1, 3, 500));
        assert_eq!(usage.times(1.0), 360.0);
    }

    #[test]
    fn only_amazons_receiver_sends_a_bill() {
        let tariff = |host: &str| usage(&format!("https://{host}/api/v1/remote_write")).tariff;
        assert_eq!(tariff("aps-workspaces.eu-west-1.amazonaws.com"), Some("amp"));
        for own in ["mimir.example", "aps-workspaces.example", "x.amazonaws.com", "127.0.0.1"] {
            assert_eq!(tariff(own), None, "{own}");
        }
    }
}
