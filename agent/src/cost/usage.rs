//! What one host sends to one sink, as far as anybody is billed for it.

use std::collections::BTreeMap;
use std::time::Duration;

/// By what a sink is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tariff {
    /// CloudWatch's custom metrics: by the metric and by the call.
    CloudWatch,
    /// Nobody sends a bill; what counts is the traffic.
    #[default]
    Traffic,
}

/// What one host sends.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Usage {
    /// How it is billed.
    pub tariff: Tariff,
    /// How many distinct metrics or series it has, by name.
    pub metrics: BTreeMap<String, u64>,
    /// Whether all hosts of a group have the same ones.
    pub shared: bool,
    /// Metrics that `max_metrics` leaves out.
    pub left_out: u64,
    /// How often it sends.
    pub every: Duration,
    /// Calls each time.
    pub requests: u64,
    /// Bytes each time, before the transport's own.
    pub bytes: u64,
}

impl Usage {
    /// All metrics.
    pub fn metrics(&self) -> u64 {
        self.metrics.values().sum()
    }

    /// How often it sends in so many hours.
    pub fn times(&self, hours: f64) -> f64 {
        hours * 3600.0 / self.every.as_secs_f64().max(1.0)
    }
}
