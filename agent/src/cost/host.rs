//! The host that is reckoned with where none is at hand, as when documents are checked: so many
//! of everything, and each metric that a sink asks for counted on it.

use std::sync::Arc;

use crate::metrics::sink::cloudwatch::CloudWatchSettings;
use crate::metrics::sink::cloudwatch::include::{ALL_CORES, Include};

/// All processors together, and each of them.
const CORES: [&str; 9] =
    [ALL_CORES, "cpu0", "cpu1", "cpu2", "cpu3", "cpu4", "cpu5", "cpu6", "cpu7"];

/// What it has several of: the beginning of the metrics' names, the dimension that tells them
/// apart, and its values. To add a kind: one line.
const SEVERAL: &[(&str, &str, &[&str])] = &[
    ("cpu_", "cpu", &CORES),
    ("disk_", "path", &["/", "/var", "/home", "/data"]),
    ("diskio_", "name", &["nvme0n1", "nvme1n1"]),
    ("io_", "volume", &["nvme0n1", "nvme1n1"]),
    ("net_", "interface", &["ens5"]),
    ("service_", "service", &["web"]),
];

/// The host in words.
pub const WORDS: &str = "on a host with 8 processors, 4 filesystems and 2 disks";

/// One metric of the host: its name, and what of several it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// The value of the dimension that tells it apart; empty where there is one of it.
    pub about: &'static str,
}

impl Metric {
    /// Whether it is about a single processor.
    pub fn is_core(&self) -> bool {
        self.name.starts_with("cpu_") && self.about != ALL_CORES
    }
}

/// The metrics that a sink asks for on this host; none where its patterns are not any.
pub fn metrics(sink: &CloudWatchSettings) -> Vec<Metric> {
    let schema = sink.schema.schema();
    let Ok(include) = Include::new(schema, sink.patterns().into_iter(), &[]) else {
        return Vec::new();
    };
    let mut metrics = Vec::new();
    for name in schema.names() {
        let several = SEVERAL.iter().find(|(prefix, ..)| name.starts_with(prefix));
        let Some((_, dimension, values)) = several else {
            if include.place(name, &[]).is_some() {
                metrics.push(Metric { name, about: "" });
            }
            continue;
        };
        for value in *values {
            if include.place(name, &[(*dimension, Arc::from(*value))]).is_some() {
                metrics.push(Metric { name, about: value });
            }
        }
    }
    metrics.sort();
    metrics.dedup();
    metrics
}
