//! What one host sends to one sink, as far as anybody is billed for it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::metrics::left_out::LeftOut;

/// What one host sends.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Usage {
    /// The tariff in the file of prices by which it is billed; nothing where nobody sends a bill.
    pub tariff: Option<&'static str>,
    /// How many distinct metrics or series it has, by name.
    pub metrics: BTreeMap<String, u64>,
    /// Whether all hosts of a group have the same ones.
    pub shared: bool,
    /// Metrics that `max_metrics` leaves out.
    pub left_out: LeftOut,
    /// How often it sends.
    pub every: Duration,
    /// Calls each time.
    pub requests: u64,
    /// Samples each time.
    pub samples: u64,
    /// Bytes each time, before the transport's own.
    pub bytes: u64,
}

impl Usage {
    /// All metrics.
    pub fn metrics(&self) -> u64 {
        self.metrics.values().sum()
    }

    /// How often it sends in so many hours; never where it does not send at intervals.
    pub fn times(&self, hours: f64) -> f64 {
        match self.every.is_zero() {
            true => 0.0,
            false => hours * 3600.0 / self.every.as_secs_f64(),
        }
    }
}
