//! A bill as people read it: what each sink sends, what each metric has of that, how the tariffs
//! come to their sums, and what was assumed.

use std::fmt::Write;

use super::bill::{Account, Bill, Item, Scale};
use super::prices::{Prices, Unit, steps};
use crate::status::render::{plain, table};

/// The bill as text.
pub fn render(bill: &Bill, prices: &Prices, scale: &Scale) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = write(&mut out, bill, prices, scale);
    out
}

fn write(out: &mut String, bill: &Bill, prices: &Prices, scale: &Scale) -> std::fmt::Result {
    writeln!(out, "a month of {}, in US dollars", hosts(scale.hosts))?;
    let rows: Vec<_> = bill.sinks.iter().map(row).collect();
    table(out, ["sink", "type", "metrics", "requests", "GB", "dollars"], &rows)?;
    for item in &bill.sinks {
        let name = plain(&item.sink);
        if item.left_out.count > 0 {
            let (count, text) = (item.left_out.count, plain(&item.left_out.text()));
            writeln!(out, "{name}: max_metrics leaves out {count} more of each host: {text}")?;
        }
        if item.shared {
            writeln!(out, "{name}: all hosts of the group have the same metrics")?;
        }
    }
    for item in bill.sinks.iter().filter(|item| item.tariff.is_some()) {
        let head = format!("metric of {}", plain(&item.sink));
        let rows = item.by_metric.iter().map(|line| {
            let amount = |unit| line.amounts.get(&unit).copied().unwrap_or_default();
            [
                plain(&line.name),
                line.count.to_string(),
                number(amount(Unit::Requests)),
                format!("{:.3}", amount(Unit::Gigabytes)),
                dollars(line.usd),
            ]
        });
        let head = [head.as_str(), "of a host", "requests", "GB", "dollars"];
        table(out, head, &rows.collect::<Vec<_>>())?;
    }
    for account in &bill.accounts {
        write_account(out, account, prices, scale)?;
    }
    let more = if bill.complete { "" } else { ", and what has no known price" };
    writeln!(out, "\nin all: ${}{more}", usd(bill.usd))
}

fn row(item: &Item) -> [String; 6] {
    let amount = |unit| item.amounts.get(&unit).copied().unwrap_or_default();
    [
        plain(&item.sink),
        item.kind.to_owned(),
        number(amount(Unit::Metrics)),
        number(amount(Unit::Requests)),
        format!("{:.2}", amount(Unit::Gigabytes)),
        match item.tariff {
            Some(_) => dollars(item.usd),
            None => "no bill".to_owned(),
        },
    ]
}

/// The sums of a tariff in words: `5 metrics × $0.30 = $1.50`.
fn write_account(
    out: &mut String,
    account: &Account,
    prices: &Prices,
    scale: &Scale,
) -> std::fmt::Result {
    let Some(tariff) = prices.tariff.get(account.tariff) else {
        return writeln!(out, "\n{}: no price is known", account.tariff);
    };
    writeln!(out, "\n{}", plain(&tariff.about))?;
    let Some((region, rates)) = prices.rates(account.tariff, &scale.region) else {
        return writeln!(
            out,
            "  no price is known; give it with --prices, from {}",
            plain(&tariff.source)
        );
    };
    for (unit, tiers) in rates {
        let amount = account.amounts.get(unit).copied().unwrap_or_default();
        for (tier, part) in steps(tiers, amount) {
            let per = match tier.per() {
                1.0 => String::new(),
                per => format!(" per {}", number(per)),
            };
            let (each, sum) = (price(tier.usd), usd(part / tier.per() * tier.usd));
            writeln!(out, "  {} {} × ${each}{per} = ${sum}", number(part), unit.word())?;
        }
    }
    let free =
        tariff.free.iter().map(|(unit, count)| format!("{} {}", number(*count), unit.word()));
    let free = free.collect::<Vec<_>>().join(" and ");
    if scale.free_tier && account.gross_usd > 0.0 && !free.is_empty() {
        writeln!(out, "  free once for the account: {free} = -${}", usd(account.free_usd))?;
    }
    let mark = match account.other_region {
        true => format!(" (those of {} are not known)", plain(&scale.region)),
        false => String::new(),
    };
    let verified = if tariff.verified { "" } else { ", NOT VERIFIED" };
    let (date, region, source) = (plain(&prices.date), plain(region), plain(&tariff.source));
    writeln!(out, "  prices of {date} for {region}{mark}{verified}: {source}")
}

/// What was assumed, one line each.
pub fn assumed(prices: &Prices, scale: &Scale) -> String {
    let hours = number(prices.hours_a_month);
    let churn = match scale.churn {
        0.0 => "no instance takes the place of another (--churn N)".to_owned(),
        churn => format!(
            "{} instances a month take the place of each host; each begins an hour of every metric anew",
            number(churn)
        ),
    };
    format!(
        "\nassumed: {hours} hours a month; {churn};\n\
         the series of this host stay as they are now, and every host is like it;\n\
         GB are before what the transport adds or compresses; alarms and queries are not in it\n"
    )
}

/// So many hosts, in words.
pub(super) fn hosts(count: f64) -> String {
    if count == 1.0 { "one host".to_owned() } else { format!("{} hosts", number(count)) }
}

fn dollars(amount: Option<f64>) -> String {
    amount.map_or_else(|| "not known".to_owned(), usd)
}

/// Dollars with cents.
pub fn usd(amount: f64) -> String {
    format!("{amount:.2}")
}

/// A price: cents, and what is behind them where there is anything.
fn price(amount: f64) -> String {
    let exact = amount.to_string();
    let decimals = exact.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals > 2 { exact } else { usd(amount) }
}

/// A number with a comma at every thousand, and two decimals where they say anything.
pub fn number(amount: f64) -> String {
    let whole = amount.fract() == 0.0 || amount.abs() >= 10_000.0;
    let text = if whole { format!("{amount:.0}") } else { format!("{amount:.2}") };
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |text| ("-", text));
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests;
