//! Lines in gild's own log: for trying out, and for hosts with nowhere to send.

use std::time::Duration;

crate::settings! {
    /// Samples as log lines.
    LogSettings {
        /// How often samples are written.
        flush: Duration = "60s";
        /// The metrics to write, by node_exporter's names; `*` at the end stands for
        /// any rest.
        include: Vec<String> = ["*"];
    }
}
