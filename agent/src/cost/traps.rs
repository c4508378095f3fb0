//! What in a configuration becomes dear, told before anybody boots on it.
//!
//! To add a trap: a function that looks at one CloudWatch sink, and a line in [`TRAPS`].

use std::time::Duration;

use super::prices::Prices;
use crate::config::Settings;
use crate::metrics::sink::SinkSettings;
use crate::metrics::sink::cloudwatch::{CloudWatchPer, CloudWatchSettings};

/// Looks at a sink, and says what is dear about it and the dollars a month of one host.
type Trap = fn(&CloudWatchSettings, &Prices) -> Option<(String, f64)>;

// The registry.
const TRAPS: &[Trap] = &[everything, cores, mounts, high_resolution, quick, many];

/// A processor has about so many metrics, and a filesystem too.
const FIELDS: f64 = 10.0;

/// The host that is reckoned with where its size decides.
const PROCESSORS: f64 = 8.0;
const MOUNTS: f64 = 4.0;

const MONTH_S: f64 = 3600.0;

/// Hosts have few metrics that anybody looks at; more than this was hardly meant.
const MANY: u32 = 50;

/// What is dear about the sinks of a configuration, one line each.
pub fn of(settings: &Settings, prices: &Prices) -> Vec<String> {
    let mut lines = Vec::new();
    let mut same = Vec::new();
    for (name, sink) in &settings.sink {
        let SinkSettings::CloudWatch(sink) = sink else { continue };
        for (what, usd) in TRAPS.iter().filter_map(|trap| trap(sink, prices)) {
            lines.push(format!("sink.{name} {what}: about ${usd:.2} a month for each host"));
        }
        let key = (&sink.namespace, sink.schema, sink.per, &sink.dimensions);
        if same.contains(&key) {
            lines.push(format!(
                "sink.{name} sends what another sink sends: each call is paid twice"
            ));
        }
        same.push(key);
    }
    lines
}

/// What so many metrics cost, of which `max_metrics` lets through only some.
fn metrics(sink: &CloudWatchSettings, prices: &Prices, count: f64) -> f64 {
    prices.cloudwatch.of_metrics(count.min(f64::from(sink.max_metrics)))
}

fn is_instance(sink: &CloudWatchSettings) -> bool {
    sink.per == CloudWatchPer::Instance
}

fn everything(sink: &CloudWatchSettings, prices: &Prices) -> Option<(String, f64)> {
    let all = sink.patterns().contains(&"*") && is_instance(sink);
    all.then(|| {
        let usd = metrics(sink, prices, 170.0);
        ("includes '*', some 170 metrics of a small host".to_owned(), usd)
    })
}

fn cores(sink: &CloudWatchSettings, prices: &Prices) -> Option<(String, f64)> {
    let patterns = sink.patterns();
    let all_of_cpu = |text: &&&str| text.starts_with("cpu_") && text.ends_with('*');
    let asked = patterns.iter().any(|text| text.contains("{cpu=*}"))
        || (sink.schema.schema().cores && patterns.iter().any(|text| all_of_cpu(&text)));
    (asked && is_instance(sink)).then(|| {
        let usd = metrics(sink, prices, FIELDS * PROCESSORS);
        (format!("has metrics of every processor, {FIELDS} each; with {PROCESSORS} of them"), usd)
    })
}

fn mounts(sink: &CloudWatchSettings, prices: &Prices) -> Option<(String, f64)> {
    let asked = sink.patterns().contains(&"disk_*") && is_instance(sink);
    asked.then(|| {
        let usd = metrics(sink, prices, FIELDS * MOUNTS);
        (format!("has all disk metrics of every mount, {FIELDS} each; with {MOUNTS} mounts"), usd)
    })
}

fn high_resolution(sink: &CloudWatchSettings, prices: &Prices) -> Option<(String, f64)> {
    (!sink.high_resolution.is_empty()).then(|| {
        let usd = metrics(sink, prices, sink.high_resolution.len() as f64);
        let what = "keeps metrics by the second, alarms on which cost three times as much";
        (what.to_owned(), usd)
    })
}

fn quick(sink: &CloudWatchSettings, prices: &Prices) -> Option<(String, f64)> {
    (sink.flush < Duration::from_secs(60)).then(|| {
        let calls = prices.cloudwatch.hours_a_month * MONTH_S / sink.flush.as_secs_f64().max(1.0);
        let what = format!("sends every {}", humantime::format_duration(sink.flush));
        (what, prices.cloudwatch.of_requests(calls))
    })
}

fn many(sink: &CloudWatchSettings, prices: &Prices) -> Option<(String, f64)> {
    (sink.max_metrics > MANY && is_instance(sink)).then(|| {
        let usd = prices.cloudwatch.of_metrics(f64::from(sink.max_metrics));
        (format!("may send {} metrics", sink.max_metrics), usd)
    })
}

#[cfg(test)]
mod tests;
