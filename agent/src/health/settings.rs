//! What can be configured about a service's health.

use std::time::Duration;

use super::target::{Argv, Expect, HostPath, HostPort, HttpUrl};
use crate::config::types::Period;

crate::settings! {
    /// A service whose health is watched. It is healthy while its unit and all
    /// its probes are.
    ServiceSettings {
        /// A systemd unit that must be active, such as "nginx.service"; one of type
        /// oneshot may also have run and ended well.
        unit: Option<String>;
        /// A URL that must answer with the status of `expect`.
        http: Option<HttpUrl>;
        /// The status that `http` must answer: "200", "200..299" or "200,204".
        expect: Expect = "200..299";
        /// A PEM file with the certificates that `http` trusts instead of the public
        /// authorities: an authority's, or the very one that the service shows.
        ca_file: Option<HostPath>;
        /// Whether `http` takes any certificate.
        insecure: bool = false;
        /// A host and port that must accept a connection, such as "127.0.0.1:6379".
        tcp: Option<HostPort>;
        /// A program and its arguments, such as ["/usr/bin/mysqladmin", "ping"]; exit
        /// status 0 means well. No shell is involved. It runs as the daemon does: as the
        /// user gild, without privileges.
        exec: Option<Argv>;
        /// How long the program of `exec` may run before it is killed.
        exec_timeout: Duration = "10s";
        /// A file that must be there and not older than `max_age`.
        file: Option<HostPath>;
        /// A timer of systemd that must be active and have triggered within `max_age`,
        /// and what it triggers must not have failed, such as "backup.timer".
        timer: Option<String>;
        /// How old `file` may be, and how long ago `timer` may have triggered. Without
        /// it, any age is well.
        max_age: Option<Duration>;
        /// How often the service is looked at.
        interval: Duration as Period = "10s";
        /// How long the unit and each probe may take to answer; `exec` has a limit of its own.
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
