//! How a sink does, for those who ask.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::metrics::left_out::LeftOut;

/// How a sink does.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SinkStats {
    /// Ticks that wait.
    pub queued: usize,
    /// Measurements that were delivered.
    pub sent: u64,
    /// Measurements that were given up, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Why the last request failed; nothing once one succeeds.
    pub last_error: Option<String>,
    /// When a request last succeeded.
    pub last_success: Option<String>,
    /// What waits on disk, where the sink has a spool.
    pub spool: Option<SpoolStats>,
    /// Metrics that are left out because there may be no more.
    pub left_out: LeftOut,
}

/// What waits on disk for a sink.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SpoolStats {
    /// Bytes of its files.
    pub bytes: u64,
    /// Ticks.
    pub ticks: u64,
    /// How old the oldest tick is, in seconds.
    pub oldest_s: u64,
    /// How often the disk could not be used.
    pub failures: u64,
    /// Why it cannot be used; nothing once it can.
    pub error: Option<String>,
}

impl SinkStats {
    /// These totals on top of earlier ones.
    pub(super) fn after(mut self, before: &SinkStats) -> Self {
        self.sent += before.sent;
        for (reason, count) in &before.dropped {
            *self.dropped.entry(reason).or_default() += count;
        }
        self.last_success = self.last_success.or_else(|| before.last_success.clone());
        self
    }
}
