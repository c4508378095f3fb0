//! Usage times prices: a bill for a month, by sink.
//!
//! For CloudWatch, with `M` the metrics of a host, `H` hosts, `C` instances that a host goes
//! through in a month beyond the first and `T` hours a month:
//!
//!     metrics  = M × H × (T + C) / T   an hour that was begun is billed, once for each instance
//!              = M                     where all hosts of a group have the same metrics
//!     requests = H × T × 3600 / flush × calls

use serde::Serialize;

use super::prices::Prices;
use super::usage::{Tariff, Usage};

/// What is reckoned for.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Hosts with this configuration.
    pub hosts: f64,
    /// Instances a month that take the place of one of them.
    pub churn: f64,
    /// Whether what is free for the account is taken off.
    pub free_tier: bool,
}

/// What a sink costs a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The sink.
    pub sink: String,
    /// Its type.
    pub kind: &'static str,
    /// Metrics of all hosts, as they are billed.
    pub metrics: f64,
    /// Calls of all hosts.
    pub requests: f64,
    /// Gigabytes of all hosts.
    pub gigabytes: f64,
    /// Dollars for the metrics.
    pub metrics_usd: f64,
    /// Dollars for the calls.
    pub requests_usd: f64,
    /// Whether anybody sends a bill.
    pub billed: bool,
    /// Metrics of one host that `max_metrics` leaves out.
    pub left_out: u64,
    /// Each metric by name: how many of one host, and the dollars for all hosts.
    pub by_metric: Vec<Line>,
}

/// What the metrics of one name cost a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The name.
    pub name: String,
    /// How many of them one host has.
    pub count: u64,
    /// Dollars for all hosts.
    pub usd: f64,
}

/// A bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bill {
    /// By sink.
    pub sinks: Vec<Item>,
    /// Dollars that what is free for the account takes off.
    pub free_usd: f64,
    /// Dollars in all.
    pub usd: f64,
}

/// The bill for what the sinks send, by name, type and usage.
pub fn of(sinks: &[(String, &'static str, Usage)], prices: &Prices, scale: Scale) -> Bill {
    let items: Vec<Item> =
        sinks.iter().map(|(name, kind, usage)| item(name, kind, usage, prices, scale)).collect();
    let billed = || items.iter().filter(|item| item.billed);
    let sum = |of: fn(&Item) -> f64| billed().map(of).sum::<f64>();
    let cloudwatch = &prices.cloudwatch;
    // The tiers, and what is free, are the account's and not a sink's.
    let (metrics, requests) = (sum(|item| item.metrics), sum(|item| item.requests));
    let whole = cloudwatch.of_metrics(metrics) + cloudwatch.of_requests(requests);
    let paid = cloudwatch.of_metrics((metrics - cloudwatch.free_metrics).max(0.0))
        + cloudwatch.of_requests((requests - cloudwatch.free_requests).max(0.0));
    let free_usd = if scale.free_tier { whole - paid } else { 0.0 };
    Bill { sinks: items, free_usd, usd: whole - free_usd }
}

fn item(name: &str, kind: &'static str, usage: &Usage, prices: &Prices, scale: Scale) -> Item {
    let hours = prices.cloudwatch.hours_a_month;
    let times = usage.times(hours) * scale.hosts;
    let hosts = match usage.shared {
        true => 1.0,
        false => scale.hosts * (hours + scale.churn) / hours,
    };
    let metrics = usage.metrics() as f64 * hosts;
    let requests = times * usage.requests as f64;
    let billed = usage.tariff == Tariff::CloudWatch;
    let (metrics_usd, requests_usd) = match usage.tariff {
        Tariff::CloudWatch => {
            (prices.cloudwatch.of_metrics(metrics), prices.cloudwatch.of_requests(requests))
        }
        Tariff::Traffic => (0.0, 0.0),
    };
    let each = if metrics > 0.0 { metrics_usd / metrics } else { 0.0 };
    let line = |(name, count): (&String, &u64)| Line {
        name: name.clone(),
        count: *count,
        usd: *count as f64 * hosts * each,
    };
    Item {
        sink: name.to_owned(),
        kind,
        metrics,
        requests,
        gigabytes: times * usage.bytes as f64 / 1e9,
        metrics_usd,
        requests_usd,
        billed,
        left_out: usage.left_out,
        by_metric: usage.metrics.iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    fn lean() -> Usage {
        let names = [
            "cpu_usage_active",
            "disk_used_percent",
            "mem_used_percent",
            "services_unhealthy",
            "swap_used_percent",
        ];
        Usage {
            tariff: Tariff::CloudWatch,
            metrics: names.map(|name| (name.to_owned(), 1)).into(),
            every: Duration::from_secs(60),
            requests: 1,
            bytes: 1000,
            ..Usage::default()
        }
    }

    const ONE: Scale = Scale { hosts: 1.0, churn: 0.0, free_tier: false };

    fn usd(usage: Usage, scale: Scale) -> f64 {
        of(&[("a".to_owned(), "cloudwatch", usage)], &Prices::built_in().unwrap(), scale).usd
    }

    fn cents(usd: f64) -> f64 {
        (usd * 100.0).round()
    }

    #[test]
    fn the_lean_default_costs_what_the_docs_reckon_by_hand() {
        assert_eq!(cents(usd(lean(), ONE)), 194.0);
        let text = include_str!("../../../config/cost.md");
        assert!(text.contains("$1.94"), "config/cost.md has another sum");
        let thrift = Usage { every: Duration::from_secs(300), ..lean() };
        assert_eq!(cents(usd(thrift, ONE)), 159.0);
        assert!(text.contains("$1.59"), "config/cost.md has another sum");
    }

    #[test]
    fn a_group_pays_its_metrics_once_and_its_calls_for_each_host() {
        let group = Usage { shared: true, every: Duration::from_secs(300), ..lean() };
        let hundred = Scale { hosts: 100.0, churn: 50.0, ..ONE };
        assert_eq!(cents(usd(group, hundred)), 150.0 + 876.0);
    }

    #[test]
    fn each_instance_that_takes_a_place_costs_an_hour_more() {
        let churn = Scale { churn: 730.0, ..ONE };
        assert_eq!(cents(usd(lean(), churn)), 300.0 + 44.0);
    }

    #[test]
    fn what_is_free_is_taken_off_once_for_the_account() {
        let free = |hosts| Scale { hosts, churn: 0.0, free_tier: true };
        assert_eq!(usd(lean(), free(1.0)), 0.0);
        // 15 metrics, of which 10 are free; 131,400 calls, all free.
        assert_eq!(cents(usd(lean(), free(3.0))), 150.0);
        let two = [("a".to_owned(), "cloudwatch", lean()), ("b".to_owned(), "cloudwatch", lean())];
        let bill = of(&two, &Prices::built_in().unwrap(), free(2.0));
        assert_eq!(cents(bill.usd), 300.0, "20 metrics of two sinks, 10 of them free");
    }

    #[test]
    fn nobody_bills_a_receiver_of_ones_own_but_its_traffic_is_told() {
        let own = Usage { tariff: Tariff::Traffic, every: Duration::from_secs(10), ..lean() };
        let bill = of(&[("m".to_owned(), "remote_write", own)], &Prices::built_in().unwrap(), ONE);
        assert_eq!((bill.usd, bill.sinks[0].billed), (0.0, false));
        assert!((bill.sinks[0].gigabytes - 0.2628).abs() < 1e-9, "{bill:?}");
    }
}
