//! What is, for one host and for all of them, and beside it what would be.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bill::{self, Amounts, Bill, Scale, Sent};
use super::prices::{Prices, Unit};
use super::render::{assumed, hosts, number, render, usd};
use crate::status::render::table;

/// The bill of all hosts, and of one of them alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bills {
    /// That of one host, as if the account had no other.
    pub one_host: Bill,
    /// That of all.
    pub all_hosts: Bill,
}

impl Bills {
    /// What the sinks of one host come to.
    pub fn of(sinks: &[Sent], prices: &Prices, scale: &Scale) -> Self {
        let one = Scale { hosts: 1.0, ..scale.clone() };
        Self { one_host: bill::of(sinks, prices, &one), all_hosts: bill::of(sinks, prices, scale) }
    }
}

/// What is and what would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What is.
    pub now: Bills,
    /// What would be, where that was asked.
    pub what_if: Option<Bills>,
    /// The dollars a month by which all hosts would cost more, where all prices are known.
    pub difference_usd: Option<f64>,
}

impl Comparison {
    /// What is, beside what would be.
    pub fn of(now: Bills, what_if: Option<Bills>) -> Self {
        let known = |bills: &Bills| bills.all_hosts.complete;
        let other = what_if.as_ref().filter(|other| known(other) && known(&now));
        let difference_usd = other.map(|other| other.all_hosts.usd - now.all_hosts.usd);
        Self { now, what_if, difference_usd }
    }

    /// As people read it. `asked` says in words what would be otherwise.
    pub fn text(&self, prices: &Prices, scale: &Scale, asked: &str) -> String {
        let mut out = render(&self.now.all_hosts, prices, scale);
        if let Some(what_if) = &self.what_if {
            out += &format!("\nWHAT IF {asked}: {}", render(&what_if.all_hosts, prices, scale));
        }
        // Writing to a text cannot fail.
        let _ = self.totals(&mut out, scale);
        out + &assumed(prices, scale)
    }

    /// For programs.
    pub fn json(&self, prices: &Prices, scale: &Scale) -> String {
        let tariffs = prices.tariff.iter().map(|(name, tariff)| {
            let about = json!({ "source": tariff.source, "verified": tariff.verified });
            (name.clone(), about)
        });
        let value: Value = json!({
            "prices": { "date": prices.date, "tariffs": tariffs.collect::<Map<_, _>>() },
            "hosts": scale.hosts,
            "churn": scale.churn,
            "region": scale.region,
            "hours_a_month": prices.hours_a_month,
            "now": self.now,
            "what_if": self.what_if,
            "difference_usd": self.difference_usd,
        });
        format!("{:#}\n", rounded(value))
    }

    fn totals(&self, out: &mut String, scale: &Scale) -> std::fmt::Result {
        let bills = |of: fn(&Bills) -> &Bill| (of(&self.now), self.what_if.as_ref().map(of));
        let (all, one) = (bills(|bills| &bills.all_hosts), bills(|bills| &bills.one_host));
        let mut rows = Vec::new();
        // Series that nobody counts are no metrics on a bill.
        let billed = |bill: &Bill| {
            total(bill.accounts.iter().map(|account| &account.amounts), Unit::Metrics)
        };
        rows.push(line("metrics billed", number, billed(all.0), all.1.map(billed)));
        for unit in [Unit::Requests, Unit::Gigabytes] {
            let sum = |bill: &Bill| total(bill.sinks.iter().map(|item| &item.amounts), unit);
            rows.push(line(unit.word(), number, sum(all.0), all.1.map(sum)));
        }
        let mut of_hosts = vec![(hosts(1.0), one)];
        if scale.hosts != 1.0 {
            of_hosts.push((hosts(scale.hosts), all));
        }
        for (name, (now, other)) in of_hosts {
            let row = |label: String, of: fn(&Bill) -> f64| {
                let mut row = line(&label, usd, of(now), other.map(of));
                let unknown = [false, !now.complete, other.is_some_and(|bill| !bill.complete)];
                for (cell, _) in row.iter_mut().zip(unknown).filter(|(_, unknown)| *unknown) {
                    *cell = format!("{cell} and more");
                }
                if unknown.contains(&true) {
                    row[3] = "not known".to_owned();
                }
                row
            };
            if now.free_usd > 0.0 || other.is_some_and(|bill| bill.free_usd > 0.0) {
                rows.push(row(format!("$ of {name}, nothing free"), |bill| bill.gross_usd));
            }
            rows.push(row(format!("$ of {name}"), |bill| bill.usd));
        }
        if all.1.is_none() {
            let rows: Vec<_> = rows.into_iter().map(|[label, now, ..]| [label, now]).collect();
            return table(out, ["a month", "now"], &rows);
        }
        table(out, ["a month", "now", "what if", "difference"], &rows)
    }
}

/// All numbers to the millionth: what is behind that is the arithmetic's and not the bill's.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(exact) => json!((exact * 1e6).round() / 1e6),
            None => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(rounded).collect(),
        Value::Object(table) => {
            table.into_iter().map(|(key, value)| (key, rounded(value))).collect()
        }
        other => other,
    }
}

fn total<'a>(amounts: impl Iterator<Item = &'a Amounts>, unit: Unit) -> f64 {
    amounts.filter_map(|amounts| amounts.get(&unit)).fold(0.0, |sum, amount| sum + amount)
}

fn line(label: &str, text: fn(f64) -> String, now: f64, other: Option<f64>) -> [String; 4] {
    let difference = other.map_or(0.0, |other| other - now);
    let sign = if difference > 0.0 { "+" } else { "" };
    let difference = format!("{sign}{}", text(difference));
    [label.to_owned(), text(now), other.map(text).unwrap_or_default(), difference]
}

#[cfg(test)]
mod golden;
