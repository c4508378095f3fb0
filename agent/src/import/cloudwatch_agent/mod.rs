//! The configuration of Amazon's CloudWatch agent. gild's schema `cwagent` has its names, units and
//! dimensions, so that alarms go on working.
//!
//! To add a part of `metrics_collected`: a function in `collected`, and a line in its registry. To
//! add a key beside them: a line in `agent` or `metrics`.

mod collected;
mod metrics;

use super::draft::Draft;
use super::read::{self, everything};
use super::tree::Item;
use super::{File, FileError, Import, json, parsed, rows, write};
use crate::metrics::sink::cloudwatch::schema::CloudWatchSchema;

/// The schema of the agent's names.
const SCHEMA: CloudWatchSchema = CloudWatchSchema::CwAgent;

const HEAD: [&str; 6] = [
    "Made of the CloudWatch agent's configuration by `gild import cloudwatch-agent`.",
    "Check it with `gild config check`.",
    "Filesystems of memory, containers and networks are left out, as are partitions in diskio_*,",
    "loopback and virtual interfaces, whatever `resources` said of them.",
    "mem_used_percent is the agent's: without cache and buffers.",
    "netstat_tcp_established counts connections that wait to be closed as well.",
];

/// Parts that have nothing to do with metrics of the host.
const PARTS: [(&str, &str); 5] = [
    ("logs", "gild ships no logs; leave them to an agent for logs, which may be this one"),
    ("traces", "gild takes no traces"),
    ("opentelemetry", "gild is no collector of OpenTelemetry"),
    ("csm", "gild does not watch the SDK's calls"),
    ("jmx", "gild reads no JMX; an exporter's page can be taken as [scrape.NAME]"),
];

/// Makes gild's configuration of the agent's file.
pub fn import(files: &[File]) -> Result<Import, FileError> {
    let documents: Vec<(String, Item)> =
        files.iter().map(|file| parsed(file, json::parse)).collect::<Result<_, _>>()?;
    let mut draft = Draft::new(SCHEMA);
    draft.head = HEAD.to_vec();
    let mut named = true;
    // What holds for all is read of all files before what is measured.
    for (_, root) in &documents {
        if let Some(item) = root.get("agent") {
            named &= agent(item, &mut draft);
        }
    }
    let tables: Vec<&Item> = documents.iter().filter_map(|(_, root)| root.get("metrics")).collect();
    metrics::carry(&tables, named, &mut draft);
    let mut found = Vec::new();
    for (file, root) in &documents {
        for (part, advice) in PARTS {
            if let Some(item) = root.get(part) {
                everything(item, "goes with what it belongs to");
                item.left(advice);
            }
        }
        found.extend(rows::rows(file, root, owner));
    }
    Ok(Import { rows: found, config: write::text(&draft) })
}

/// How many keys name the part that a value belongs to.
fn owner(path: &[&str]) -> usize {
    if path.starts_with(&["metrics", "metrics_collected"]) { 3 } else { 1 }
}

/// `agent`: what holds for all of it. Gives back whether metrics have the host's name.
fn agent(table: &Item, draft: &mut Draft) -> bool {
    if let Some(interval) = table.get("metrics_collection_interval") {
        draft.interval = read::period(interval).or(draft.interval);
    }
    read::needless(
        table,
        &["logfile", "debug", "quiet", "aws_sdk_log_level", "user_agent", "internal", "usage_data"],
        "gild logs to the journal; GILD_LOG says how much",
    );
    read::needless(table, &["run_as_user"], "gild's daemon runs as a user of its own");
    read::left(
        table,
        &["region", "region_type", "mode"],
        "gild sends to the region of its instance",
    );
    if let Some(credentials) = table.get("credentials") {
        everything(
            credentials,
            "gild uses the role of its instance: allow that role cloudwatch:PutMetricData",
        );
    }
    !read::truth(table, "omit_hostname", false)
}
