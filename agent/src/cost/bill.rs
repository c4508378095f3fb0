//! Usage times prices: a bill for a month.
//!
//! For `M` metrics of a host, `H` hosts, `C` instances a month that take the place of each
//! host, and `T` hours a month:
//!
//!     metrics   = M × H × (T + C) / T   an hour that was begun is billed, once for each instance
//!               = M                     where all hosts of a group have the same metrics
//!     requests  = H × T × 3600 / flush × calls each time, and so do samples and gigabytes
//!
//! Tiers and what is free are the account's and not a sink's. So the sinks of a tariff are priced
//! together, and each has its share of that.

use std::collections::BTreeMap;

use serde::Serialize;

use super::prices::{self, Prices, Unit};
use super::usage::Usage;
use crate::metrics::left_out::LeftOut;

/// What is reckoned for.
#[derive(Debug, Clone)]
pub struct Scale {
    /// Hosts with this configuration.
    pub hosts: f64,
    /// Instances a month that take the place of each of them.
    pub churn: f64,
    /// Whether what is free for the account is taken off.
    pub free_tier: bool,
    /// Where the bill is made out.
    pub region: String,
}

/// How much there is of each thing.
pub type Amounts = BTreeMap<Unit, f64>;

/// What a sink costs a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The sink.
    pub sink: String,
    /// Its type.
    pub kind: &'static str,
    /// The tariff by which it is billed; null where nobody sends a bill.
    pub tariff: Option<&'static str>,
    /// Whether all hosts have the same metrics.
    pub shared: bool,
    /// Metrics of one host that `max_metrics` leaves out.
    pub left_out: LeftOut,
    /// What all hosts send.
    pub amounts: Amounts,
    /// Dollars for all hosts, before what is free; null where the price is not known.
    pub usd: Option<f64>,
    /// Each metric by name, the dearest first. Calls and traffic are shared out by the number
    /// of series.
    pub by_metric: Vec<Line>,
}

/// What the metrics of one name cost a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The name.
    pub name: String,
    /// How many of them one host has.
    pub count: u64,
    /// Their share of what all hosts send.
    pub amounts: Amounts,
    /// Dollars for all hosts, before what is free.
    pub usd: Option<f64>,
}

/// What one tariff charges the account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    /// The tariff.
    pub tariff: &'static str,
    /// The region whose prices these are; null where none are known.
    pub region: Option<String>,
    /// Whether they stand for those of a region that has none in the file.
    pub other_region: bool,
    /// What is billed, of all sinks.
    pub amounts: Amounts,
    /// Dollars, before what is free.
    pub gross_usd: f64,
    /// Dollars that what is free takes off.
    pub free_usd: f64,
}

/// A bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bill {
    /// By sink.
    pub sinks: Vec<Item>,
    /// By tariff.
    pub accounts: Vec<Account>,
    /// Dollars, before what is free.
    pub gross_usd: f64,
    /// Dollars that what is free for the account takes off.
    pub free_usd: f64,
    /// Dollars in all.
    pub usd: f64,
    /// Whether the price of everything that is billed is known.
    pub complete: bool,
}

/// A sink by its name and type, and what one host sends to it.
pub type Sent = (String, &'static str, Usage);

/// The bill for what the sinks send.
pub fn of(sinks: &[Sent], prices: &Prices, scale: &Scale) -> Bill {
    let amounts: Vec<Amounts> =
        sinks.iter().map(|(.., usage)| amounts(usage, prices, scale)).collect();
    let mut totals = BTreeMap::<&'static str, Amounts>::new();
    for ((.., usage), amounts) in sinks.iter().zip(&amounts) {
        let Some(tariff) = usage.tariff else { continue };
        let total = totals.entry(tariff).or_default();
        for (unit, amount) in amounts {
            *total.entry(*unit).or_default() += amount;
        }
    }
    let accounts: Vec<_> =
        totals.iter().map(|(tariff, total)| account(tariff, total, prices, scale)).collect();
    let items = sinks.iter().zip(amounts).map(|((name, kind, usage), amounts)| {
        let usd = usage.tariff.map(|tariff| {
            let (_, rates) = prices.rates(tariff, &scale.region)?;
            let share = |(unit, amount): (&Unit, &f64)| {
                let (tiers, total) = (rates.get(unit)?, totals.get(tariff)?.get(unit)?);
                (*total > 0.0).then(|| prices::usd(tiers, *total) * amount / total)
            };
            Some(amounts.iter().filter_map(share).sum())
        });
        // What nobody bills costs nothing; of what is billed the price may not be known.
        item(name, kind, usage, amounts, usd.unwrap_or(Some(0.0)))
    });
    let items: Vec<Item> = items.collect();
    // The sum of nothing would be a zero below zero.
    let sum = |of: fn(&Account) -> f64| accounts.iter().map(of).fold(0.0, |sum, usd| sum + usd);
    let (gross_usd, free_usd) = (sum(|account| account.gross_usd), sum(|account| account.free_usd));
    let complete = items.iter().all(|item| item.usd.is_some());
    Bill { sinks: items, accounts, gross_usd, free_usd, usd: gross_usd - free_usd, complete }
}

/// What all hosts send to a sink in a month.
fn amounts(usage: &Usage, prices: &Prices, scale: &Scale) -> Amounts {
    let hours = prices.hours_a_month;
    let times = usage.times(hours) * scale.hosts;
    let instances = match usage.shared {
        true => 1.0,
        false => scale.hosts * (hours + scale.churn) / hours,
    };
    [
        (Unit::Metrics, usage.metrics() as f64 * instances),
        (Unit::Requests, times * usage.requests as f64),
        (Unit::Samples, times * usage.samples as f64),
        (Unit::Gigabytes, times * usage.bytes as f64 / 1e9),
    ]
    .into()
}

fn account(tariff: &'static str, total: &Amounts, prices: &Prices, scale: &Scale) -> Account {
    let found = prices.rates(tariff, &scale.region);
    let free = prices.tariff.get(tariff).map(|tariff| &tariff.free);
    let (mut amounts, mut gross_usd, mut paid_usd) = (Amounts::new(), 0.0, 0.0);
    for (unit, tiers) in found.iter().flat_map(|(_, rates)| *rates) {
        let amount = total.get(unit).copied().unwrap_or_default();
        let free = free.and_then(|free| free.get(unit)).copied().unwrap_or_default();
        amounts.insert(*unit, amount);
        gross_usd += prices::usd(tiers, amount);
        paid_usd += prices::usd(tiers, (amount - free).max(0.0));
    }
    Account {
        tariff,
        region: found.map(|(region, _)| region.to_owned()),
        other_region: found.is_some_and(|(region, _)| region != scale.region),
        amounts,
        gross_usd,
        free_usd: if scale.free_tier { gross_usd - paid_usd } else { 0.0 },
    }
}

fn item(name: &str, kind: &'static str, usage: &Usage, amounts: Amounts, usd: Option<f64>) -> Item {
    let all = usage.metrics().max(1) as f64;
    let line = |(name, count): (&String, &u64)| {
        let share = *count as f64 / all;
        let amounts = amounts.iter().map(|(unit, amount)| (*unit, amount * share)).collect();
        Line { name: name.clone(), count: *count, amounts, usd: usd.map(|usd| usd * share) }
    };
    let mut by_metric: Vec<Line> = usage.metrics.iter().map(line).collect();
    // Those that cost the same stay in the order of their names.
    by_metric.sort_by_key(|line| std::cmp::Reverse(line.count));
    Item {
        sink: name.to_owned(),
        kind,
        tariff: usage.tariff,
        shared: usage.shared,
        left_out: usage.left_out.clone(),
        amounts,
        usd,
        by_metric,
    }
}

#[cfg(test)]
pub(super) mod tests;
