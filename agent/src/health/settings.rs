//! What can be configured about a service's health.

use std::time::Duration;

use super::target::{Expect, HostPort, HttpUrl};
use crate::config::types::Period;

crate::settings! {
    /// A service whose health is watched. It is healthy while its unit and all
    /// its probes are.
    ServiceSettings {
        /// A systemd unit that must be active, such as "nginx.service".
        unit: Option<String>;
        /// A URL that must answer with the status of `expect`.
        http: Option<HttpUrl>;
        /// The status that `http` must answer: "200", "200..299" or "200,204".
        expect: Expect = "200..299";
        /// A host and port that must accept a connection, such as "127.0.0.1:6379".
        tcp: Option<HostPort>;
        /// How often the service is looked at.
        interval: Duration as Period = "10s";
        /// How long one look may take.
        timeout: Duration = "2s";
        /// How many looks in a row must fail before the service counts as down.
        fail_after: u32 = 3;
        /// How many looks in a row must succeed before it counts as up again.
        recover_after: u32 = 2;
        /// How long a unit may be starting before that counts as a failure.
        start_grace: Duration = "60s";
        /// Whether the instance is of no use while the service is down; see
        /// `lifecycle.unhealthy_after`.
        critical: bool = false;
    }
}
