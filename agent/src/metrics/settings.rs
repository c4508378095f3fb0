//! What can be configured about measuring.

use std::time::Duration;

crate::settings! {
    /// What is measured, and how often.
    MetricsSettings {
        /// How often the collectors run.
        interval: Duration = "10s";
        /// The collectors that run.
        collectors: Vec<String> = ["cpu", "memory", "swap", "disk", "load", "network"];
    }
}
