//! What a trap looks at, and what it finds there.

use std::time::Duration;

use super::{CloudWatchPer, CloudWatchSettings};
use crate::cost::host;
use crate::cost::prices::{self, Prices, Unit};
use crate::cost::render::number;

/// What was found.
pub(super) struct Found {
    /// What is dear.
    pub(super) what: String,
    /// Dollars a month for each host.
    pub(super) usd: f64,
}

/// One sink, and what belongs to it.
pub(super) struct Look<'a> {
    pub(super) sink: &'a CloudWatchSettings,
    /// The sinks before it.
    pub(super) before: &'a [&'a CloudWatchSettings],
    /// What it asks for on the host that is reckoned with.
    pub(super) metrics: Vec<host::Metric>,
    pub(super) prices: &'a Prices,
}

impl<'a> Look<'a> {
    /// What its patterns are: names, and what stands in braces behind them.
    pub(super) fn patterns(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let patterns = self.sink.patterns().into_iter();
        patterns.map(|text| text.split_once('{').unwrap_or((text, "")))
    }

    /// Whether each instance pays for metrics of its own.
    pub(super) fn is_of_instance(&self) -> bool {
        self.sink.per == CloudWatchPer::Instance
    }

    /// How many of so many metrics are sent.
    pub(super) fn admitted(&self, count: usize) -> usize {
        count.min(self.sink.max_metrics as usize)
    }

    /// The metrics of which something holds, priced; nothing where there are none, or all
    /// instances of a group pay for them together.
    pub(super) fn metrics(&self, what: &str, of: impl Fn(&host::Metric) -> bool) -> Option<Found> {
        let count = self.metrics.iter().filter(|metric| of(metric)).count();
        if count == 0 || !self.is_of_instance() {
            return None;
        }
        let sent = self.admitted(count);
        let limit = match sent < count {
            true => format!(", of which max_metrics lets {sent} through,"),
            false => String::new(),
        };
        let usd = self.usd_of_metrics(sent);
        let each = usd / sent.max(1) as f64;
        let what = format!("{what}, {} {}{limit} × ${each:.2}", number(count as f64), host::WORDS);
        Some(Found { what, usd })
    }

    /// What so many metrics cost.
    pub(super) fn usd_of_metrics(&self, count: usize) -> f64 {
        self.usd(Unit::Metrics, count as f64)
    }

    /// What so many calls cost.
    pub(super) fn usd_of_calls(&self, calls: f64) -> f64 {
        self.usd(Unit::Requests, calls)
    }

    fn usd(&self, unit: Unit, amount: f64) -> f64 {
        let rates = self.prices.rates("cloudwatch", &self.prices.default_region);
        let tiers = rates.and_then(|(_, rates)| rates.get(&unit));
        tiers.map_or(0.0, |tiers| prices::usd(tiers, amount))
    }

    /// The calls of a month, one every so often.
    pub(super) fn calls(&self, flush: Duration) -> f64 {
        self.prices.hours_a_month * 3600.0 / flush.as_secs_f64().max(1.0)
    }
}
