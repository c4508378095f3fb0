//! A bill as people read it.

use std::fmt::Write;

use super::bill::{Bill, Item, Scale};
use super::prices::Prices;
use crate::status::render::{plain, table};

/// The bill as a table, the dearest metrics of each sink first.
pub fn render(bill: &Bill, prices: &Prices, scale: Scale) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = write(&mut out, bill, prices, scale);
    out
}

fn write(out: &mut String, bill: &Bill, prices: &Prices, scale: Scale) -> std::fmt::Result {
    let hosts = if scale.hosts == 1.0 { "host" } else { "hosts" };
    writeln!(out, "a month of {} {hosts}, in US dollars", scale.hosts)?;
    let rows: Vec<_> = bill.sinks.iter().map(|item| row(item, prices)).collect();
    table(out, ["sink", "type", "metrics", "", "calls", "", "traffic", "dollars"], &rows)?;
    for item in &bill.sinks {
        if item.left_out > 0 {
            let name = plain(&item.sink);
            writeln!(out, "{name}: {} more metrics of each host are left out", item.left_out)?;
        }
    }
    for item in bill.sinks.iter().filter(|item| item.billed) {
        let mut lines: Vec<_> = item.by_metric.iter().collect();
        lines.sort_by(|a, b| b.usd.total_cmp(&a.usd));
        let rows: Vec<_> = lines
            .iter()
            .map(|line| [plain(&line.name), line.count.to_string(), usd(line.usd)])
            .collect();
        table(out, [&format!("metric of {}", plain(&item.sink)), "of a host", "dollars"], &rows)?;
    }
    writeln!(out)?;
    if bill.free_usd > 0.0 {
        writeln!(out, "free for each account  -{}", usd(bill.free_usd))?;
    }
    writeln!(out, "in all                 {}", usd(bill.usd))?;
    let verified = if prices.cloudwatch.verified { "" } else { ", not verified" };
    writeln!(
        out,
        "prices of {} for {}{verified}: {}",
        plain(&prices.date),
        plain(&prices.region),
        plain(&prices.cloudwatch.source)
    )
}

fn row(item: &Item, prices: &Prices) -> [String; 8] {
    let priced =
        |usd: f64| if item.billed { format!("= {}", self::usd(usd)) } else { String::new() };
    let first = prices.cloudwatch.metrics.first().map_or(0.0, |tier| tier.usd);
    let each = if item.billed { format!(" × {first:.2}") } else { String::new() };
    [
        plain(&item.sink),
        item.kind.to_owned(),
        format!("{:.0}{each}", item.metrics),
        priced(item.metrics_usd),
        format!("{:.0}", item.requests),
        priced(item.requests_usd),
        format!("{:.2} GB", item.gigabytes),
        if item.billed { usd(item.metrics_usd + item.requests_usd) } else { "-".to_owned() },
    ]
}

/// Dollars with cents.
pub fn usd(amount: f64) -> String {
    format!("{amount:.2}")
}
