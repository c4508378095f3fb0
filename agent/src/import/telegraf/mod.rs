//! telegraf's configuration. What its inputs say of the host goes to CloudWatch under telegraf's
//! own names and dimensions, so that alarms go on working.
//!
//! To add a plugin: a function in the file of its family, and a line in the registry.

mod agent;
mod filter;
mod health;
pub(super) mod host;
mod outputs;
mod pages;
mod remote_write;

use super::draft::{Draft, TOO_MANY};
use super::read::{self, everything};
use super::tree::Item;
use super::{File, FileError, Import, parsed, rows, toml, write};
use crate::metrics::sink::cloudwatch::schema::CloudWatchSchema;

/// The schema of telegraf's names.
const SCHEMA: CloudWatchSchema = CloudWatchSchema::Telegraf;

type Carry = fn(&Item, &mut Draft);

/// The inputs that gild has too.
const INPUTS: [(&str, Carry); 16] = [
    ("cpu", host::cpu),
    ("mem", host::mem),
    ("swap", host::swap),
    ("disk", host::disk),
    ("diskio", host::diskio),
    ("net", host::net),
    ("netstat", host::netstat),
    ("system", host::system),
    ("kernel", host::kernel),
    ("processes", host::processes),
    ("internal", host::internal),
    ("procstat", health::procstat),
    ("systemd_units", health::systemd_units),
    ("http_response", health::http_response),
    ("net_response", health::net_response),
    ("prometheus", pages::prometheus),
];

/// The outputs that gild has too.
const OUTPUTS: [(&str, Carry); 4] = [
    ("cloudwatch", outputs::cloudwatch),
    ("http", remote_write::http),
    ("prometheus_client", outputs::prometheus_client),
    ("file", outputs::file),
];

const NO_INPUT: &str = "gild has no such input; it takes the metrics of a page that an exporter \
    serves ([scrape.NAME] url), and those that a job leaves in a file (metrics.textfile_directory)";
const NO_OUTPUT: &str = "gild has no such output; it sends to CloudWatch and to what speaks \
    Prometheus remote write";
const NO_STEP: &str = "gild changes no metrics on their way; do it where they are read";
const WITH_IT: &str = "goes with what it belongs to";

const HEAD: [&str; 6] = [
    "Made of telegraf's configuration by `gild import telegraf`. Check it with `gild config check`.",
    "Counters are totals as in telegraf: alarms and graphs need DIFF or RATE as before.",
    "mem_used and mem_used_percent have the formula of telegraf 1.36: all that is not available.",
    "Filesystems of memory, containers and networks are left out, as are partitions in diskio_*,",
    "loopback and virtual interfaces, and the dimensions label, serial and wwid.",
    "Values of a minute are sent as one datum, with the same statistics as one by one.",
];

/// Makes gild's configuration of telegraf's files, which telegraf reads as one.
pub fn import(files: &[File]) -> Result<Import, FileError> {
    let documents: Vec<(String, Item)> =
        files.iter().map(|file| parsed(file, toml::parse)).collect::<Result<_, _>>()?;
    let roots: Vec<&Item> = documents.iter().map(|(_, root)| root).collect();
    let mut draft = Draft::new(SCHEMA);
    draft.head = HEAD.to_vec();
    agent::carry(&roots, &mut draft);
    plugins(&roots, "inputs", &INPUTS, NO_INPUT, &mut draft);
    plugins(&roots, "outputs", &OUTPUTS, NO_OUTPUT, &mut draft);
    for kind in ["processors", "aggregators"] {
        plugins(&roots, kind, &[], NO_STEP, &mut draft);
    }
    plugins(
        &roots,
        "secretstores",
        &[],
        "gild's secrets stand in SSM, Secrets Manager or files",
        &mut draft,
    );
    if draft.count("sink") == 0 {
        outputs::stand_in(&mut draft);
    }
    if !draft.sections.iter().any(|section| section.is_sink("cloudwatch")) {
        choices_are_void(&roots);
    }
    let found = documents.iter().flat_map(|(file, root)| rows::rows(file, root, owner));
    Ok(Import { rows: found.collect(), config: write::text(&draft) })
}

/// How many keys name the plugin that a value belongs to.
fn owner(path: &[&str]) -> usize {
    if matches!(path.first(), Some(&("agent" | "global_tags" | "tags"))) { 1 } else { 2 }
}

/// Carries the plugins of a kind.
fn plugins(
    roots: &[&Item],
    kind: &str,
    known: &[(&str, Carry)],
    unknown: &'static str,
    draft: &mut Draft,
) {
    for kind in roots.iter().filter_map(|root| root.get(kind)) {
        for plugin in kind.items() {
            let carry = known.iter().find(|(name, _)| *name == plugin.key);
            for table in plugin.tables() {
                match carry {
                    Some(_) if draft.is_full() => refuse(table, TOO_MANY),
                    Some((_, carry)) => {
                        common(table);
                        carry(table, draft);
                        table.carried();
                    }
                    None => refuse(table, unknown),
                }
            }
        }
    }
}

/// Notes that what inputs leave out is sent, because sinks other than CloudWatch's send all.
fn choices_are_void(roots: &[&Item]) {
    for plugin in roots.iter().filter_map(|root| root.get("inputs")).flat_map(Item::items) {
        let page = plugin.key == "prometheus";
        let known = INPUTS.iter().any(|(name, _)| *name == plugin.key) && !page;
        for table in plugin.tables().into_iter().filter(|_| known) {
            read::left(table, &CHOICES, "remote write and the log get all that gild measures");
        }
    }
}

/// What inputs choose by.
const CHOICES: [&str; 16] = [
    "namepass",
    "namedrop",
    "fieldpass",
    "fielddrop",
    "fieldinclude",
    "fieldexclude",
    "pass",
    "drop",
    "tagpass",
    "tagdrop",
    "mount_points",
    "ignore_fs",
    "devices",
    "interfaces",
    "percpu",
    "totalcpu",
];

/// Notes that a whole plugin is not carried.
fn refuse(table: &Item, advice: &'static str) {
    everything(table, WITH_IT);
    table.left(advice);
}

/// What every plugin may have.
fn common(table: &Item) {
    read::needless(table, &["alias", "log_level"], "it only names the plugin in telegraf's log");
    read::needless(
        table,
        &["precision", "collection_jitter", "collection_offset", "flush_jitter"],
        "gild measures all at once, and each host sends at a moment of its own",
    );
    read::needless(
        table,
        &["metric_batch_size", "metric_buffer_limit", "startup_error_behavior"],
        "gild sends as much as fits into a call, and what cannot be sent waits on disk",
    );
    read::left(
        table,
        &["name_override", "name_prefix", "name_suffix"],
        "gild's names are fixed; alarms and graphs on this name need the plain one",
    );
    read::left(
        table,
        &["taginclude", "tagexclude"],
        "the dimensions of a metric are fixed; alarms and graphs need all of them",
    );
    read::left(
        table,
        &["metricpass"],
        "gild chooses by names and dimensions only; choose with the sink's include",
    );
}
