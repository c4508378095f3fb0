//! The agent's `metrics_collected`: one part for each kind of metric.

use super::super::draft::{DEVICES, Draft, Metric, PROCESSORS, TOO_MANY};
use super::super::read::{self, everything};
use super::super::telegraf::host::left_out;
use super::super::tree::{Body, Item};
use crate::metrics::sink::cloudwatch::include::ALL_CORES;

/// A part that gild has too: its name, the dimension that `resources` are values of, and how many
/// metrics of one name there are on a host.
type Part = (&'static str, &'static str, u32);

/// The registry of what is measured of the host.
const PARTS: [Part; 8] = [
    ("cpu", "cpu", PROCESSORS),
    ("mem", "", 1),
    ("swap", "", 1),
    ("disk", "path", DEVICES),
    ("diskio", "name", DEVICES),
    ("net", "interface", DEVICES),
    ("netstat", "", 1),
    ("processes", "", 1),
];

/// Parts that gild has in another way, or not.
const OTHERS: [(&str, &str); 11] = [
    (
        "procstat",
        "gild watches units and probes, not processes: add [service.NAME] with unit = \"…\"",
    ),
    ("statsd", "gild takes no StatsD; have the program serve a page, and take it as [scrape.NAME]"),
    ("collectd", "gild takes nothing of collectd, and measures the host by itself"),
    (
        "ethtool",
        "gild has no counters of drivers; the *_allowance_exceeded ones need another agent",
    ),
    ("nvidia_gpu", "gild reads no GPUs; an exporter's page can be taken as [scrape.NAME]"),
    ("nvme", "gild reads no statistics of NVMe devices; diskio_* is the kernel's account"),
    ("jmx", "gild reads no JMX; an exporter's page can be taken as [scrape.NAME]"),
    ("prometheus", "name each page of this host as [scrape.NAME] url; it goes to remote write"),
    ("otlp", "gild takes no OTLP"),
    ("app_signals", "gild watches no calls of applications"),
    ("application_signals", "gild watches no calls of applications"),
];

const NOT_MEASURED: &str =
    "gild has no such part; an exporter's page can be taken as [scrape.NAME]";

/// Carries all parts.
pub(super) fn carry(collected: &Item, draft: &mut Draft) {
    for item in collected.items() {
        match PARTS.iter().find(|(name, ..)| *name == item.key) {
            Some(found) if matches!(item.body, Body::Table(_)) => part(item, *found, draft),
            _ => {
                let other = OTHERS.iter().find(|(name, _)| *name == item.key);
                everything(item, "goes with what it belongs to");
                item.left(other.map_or(NOT_MEASURED, |(_, advice)| advice));
            }
        }
    }
}

fn part(table: &Item, (plugin, dimension, count): Part, draft: &mut Draft) {
    let names = measurement(table, plugin, draft);
    let conditions = match plugin {
        "cpu" => processors(table),
        _ => resources(table, dimension),
    };
    let without = left_out(table, "ignore_file_system_types");
    let metric = |name: &'static str| {
        let with = |condition: &Option<String>| {
            let about: Vec<String> = condition.iter().chain(&without).cloned().collect();
            let count = match (plugin, condition.as_deref()) {
                ("cpu", Some("cpu=*")) => count + 1,
                ("cpu", Some(text)) if text.contains('!') => count,
                (_, None) if plugin != "cpu" => count,
                _ => 1,
            };
            Metric { plugin, name, about, count }
        };
        conditions.iter().map(with).collect::<Vec<_>>()
    };
    if !draft.add(names.into_iter().flat_map(metric).collect()) {
        table.left(TOO_MANY);
    }
    if let Some(item) = table.get("metrics_collection_interval") {
        match read::duration(item) {
            Some(own) if Some(own) == draft.interval => item.carried(),
            _ => item.left("metrics.interval holds for all that gild measures"),
        }
    }
    if read::truth(table, "drop_device", false) {
        read::left(
            table,
            &["drop_device"],
            "schema = \"cwagent\" always has the dimension device; \"native\" has path alone, under \
             names of its own",
        );
    }
    for key in ["append_dimensions", "aggregation_dimensions", "drop_original_metrics"] {
        if let Some(item) = table.get(key) {
            everything(item, "only dimensions on every metric are carried: the sink's dimensions");
        }
    }
}

/// The metrics of a part that gild has.
fn measurement(table: &Item, plugin: &str, draft: &Draft) -> Vec<&'static str> {
    let known = draft.names_of(plugin);
    let mut names = Vec::new();
    let Some(list) = table.get("measurement") else {
        table.left("it names no measurement, so the agent sends nothing of it either");
        return names;
    };
    let mut lacking = Vec::new();
    for item in list.items() {
        let item_name = item.get("name").unwrap_or(item);
        let text = item_name.text().unwrap_or_default();
        let full = match text.strip_prefix(plugin).is_some_and(|rest| rest.starts_with('_')) {
            true => text.to_owned(),
            false => [plugin, "_", text].concat(),
        };
        match known.iter().find(|name| **name == full) {
            Some(name) => {
                item_name.carried();
                names.push(*name);
            }
            None => {
                lacking.push(text);
                item_name.left("gild has no such metric");
            }
        }
        if let Some(rename) = item.get("rename") {
            rename
                .left("gild's names are fixed; alarms and graphs on this name need the plain one");
        }
        if let Some(unit) = item.get("unit") {
            unit.left("gild's units are those that the agent has by itself");
        }
    }
    // A list of plain texts is one value, of which something may be left out.
    if list.is_leaf() {
        match lacking.is_empty() {
            true => list.carried(),
            false => list.left(format!(
                "gild has no {}; the rest is carried",
                lacking.join(", ").replace(char::is_control, "?")
            )),
        }
    }
    names
}

/// What `resources` and `totalcpu` mean for the names of processors.
fn processors(table: &Item) -> Vec<Option<String>> {
    let total = read::truth(table, "totalcpu", true);
    let each = match table.get("resources") {
        None => false,
        Some(item) => {
            let texts = item.texts().unwrap_or_default();
            match texts.as_slice() {
                [] => item.carried(),
                ["*"] => item.carried(),
                _ => item.left("all processors are sent; write {cpu=NAME} in the sink's include"),
            }
            !texts.is_empty()
        }
    };
    match (each, total) {
        (true, true) => vec![Some("cpu=*".to_owned())],
        (true, false) => vec![Some(["cpu!=", ALL_CORES].concat())],
        (false, true) => vec![Some(["cpu=", ALL_CORES].concat())],
        (false, false) => Vec::new(),
    }
}

/// What `resources` means for other parts: none of it is all of them.
fn resources(table: &Item, dimension: &str) -> Vec<Option<String>> {
    let Some(item) = table.get("resources") else { return vec![None] };
    let texts = item.texts().unwrap_or_default();
    let plain = |text: &&str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !text.contains(['*', '{', '}', ',', '"'])
    };
    if dimension.is_empty() {
        item.left("these metrics are about the whole host");
        return vec![None];
    }
    if texts.is_empty() || texts.contains(&"*") {
        item.carried();
        return vec![None];
    }
    if !texts.iter().all(plain) {
        item.left("write what is wanted as a condition such as {path=/data} in the sink's include");
        return vec![None];
    }
    item.carried();
    texts.iter().map(|text| Some([dimension, "=", text].concat())).collect()
}
