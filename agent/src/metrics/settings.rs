//! What can be configured about measuring.

use std::time::Duration;

use super::collector;
use crate::config::byte_size::ByteSize;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape, read_choice};
use crate::config::types::Period;

crate::settings! {
    /// What is measured, and how often.
    MetricsSettings {
        /// How often the collectors run.
        interval: Duration as Period = "10s";
        /// The collectors that run. "process_states" reads a file for each
        /// process, and runs only where it stands here.
        collectors: Vec<CollectorName> = [
            "cpu", "memory", "swap", "disk", "load", "network", "uptime", "processes", "pressure",
            "vmstat", "filefd", "netstat", "sockstat", "conntrack", "diskio", "ebs",
            "textfile"
        ];
        /// Whether the times of processors are measured for each of them. Otherwise there
        /// is their sum, as `cpu="total"`.
        per_core_cpu: bool = true;
        /// A directory, of whose files `*.prom` the collector "textfile" takes metrics.
        textfile_directory: Option<String>;
        /// How much may wait on disk for each sink while its receiver cannot be reached, such
        /// as "16MB", which a day of the default collectors fits into. "0" keeps all in memory.
        spool: u64 as ByteSize = "16MB";
        /// How long it may wait there. What is older is dropped, and counted.
        spool_age: Duration = "24h";
    }
}

/// The name of a collector that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectorName(&'static str);

impl CollectorName {
    /// The collector of this name, if there is one.
    pub fn find(name: &str) -> Option<Self> {
        collector::NAMES.iter().copied().find(|known| *known == name).map(Self)
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl Setting for CollectorName {
    fn shape() -> Shape {
        Shape::Choice(collector::NAMES)
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        read_choice(node, path, reader, Self::find, collector::NAMES)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::config::{LayerName, Origin};

    fn read(table: &serde_json::Value) -> (Option<MetricsSettings>, Vec<String>) {
        let origin = Origin {
            layer: LayerName::Local,
            source: "x".into(),
            version: None,
            line: None,
            last_good: false,
        };
        let mut reader = Reader::default();
        let node = Node::from_value(table, &origin);
        let settings = MetricsSettings::read(&node, &KeyPath::root(), &mut reader);
        let problems = reader.problems.into_iter();
        (
            settings,
            problems.map(|problem| format!("{:?} {}", problem.value, problem.message)).collect(),
        )
    }

    #[test]
    fn all_collectors_that_cost_little_run_where_nothing_is_set() {
        let settings = read(&json!({})).0.unwrap();
        let mut names: Vec<_> = settings.collectors.iter().map(|name| name.as_str()).collect();
        let mut all = collector::NAMES.to_vec();
        all.retain(|name| *name != "process_states");
        names.sort_unstable();
        all.sort_unstable();
        assert_eq!(names, all);
    }

    #[test]
    fn a_collector_that_does_not_exist_is_a_problem_that_names_those_that_do() {
        let (settings, problems) = read(&json!({ "collectors": ["cpu", "gpu"] }));
        assert_eq!(settings, None);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("gpu") && problems[0].contains("\"cpu\", \"memory\""));
    }
}
