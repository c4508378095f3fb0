//! The configuration that is being made of another agent's. What is read comes here piece by
//! piece; `write` makes the text of it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::metrics::sink::cloudwatch::schema::CloudWatchSchema;

/// What hosts are taken to have, where the number of metrics depends on it.
pub(super) const PROCESSORS: u32 = 4;
/// Filesystems, disks and interfaces, of each kind.
pub(super) const DEVICES: u32 = 2;

/// The most patterns of metrics. CloudWatch would bill them all.
const MOST_METRICS: usize = 1000;
/// The most tables.
const MOST_SECTIONS: usize = 200;
/// What is said of more.
pub(super) const TOO_MANY: &str = "these are more than 1000 names of metrics or 200 sinks, services and \
    pages, which is more than one host should have; write what is needed of it";

/// Metrics of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metric {
    /// The part of the other agent that it comes from, such as `cpu`.
    pub(super) plugin: &'static str,
    /// Its name in the schema, such as `cpu_usage_idle`.
    pub(super) name: &'static str,
    /// Conditions that its dimensions meet, such as `cpu=cpu-total`.
    pub(super) about: Vec<String>,
    /// How many there are on a host.
    pub(super) count: u32,
}

impl Metric {
    /// Its name without its plugin.
    pub(super) fn field(&self) -> &'static str {
        let field = self.name.strip_prefix(self.plugin).unwrap_or(self.name);
        field.strip_prefix('_').unwrap_or(field)
    }

    /// The pattern that stands for it.
    pub(super) fn pattern(&self) -> String {
        match self.about.is_empty() {
            true => self.name.to_owned(),
            false => [self.name, "{", &self.about.join(","), "}"].concat(),
        }
    }
}

/// A table of the configuration.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// Such as `service.web`.
    pub(super) header: String,
    /// A line or more above it.
    pub(super) comments: Vec<String>,
    /// Its keys.
    pub(super) entries: Vec<(String, Value)>,
    /// The metrics in its `include`, which are laid out by what they come from.
    pub(super) include: Vec<Metric>,
}

impl Section {
    /// An empty table.
    pub(super) fn new(header: String, comment: impl Into<String>) -> Self {
        let comments = vec![comment.into()];
        Self { header, comments, entries: Vec::new(), include: Vec::new() }
    }

    /// Sets a key.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.entries.retain(|(known, _)| known != key);
        self.entries.push((key.to_owned(), value.into()));
    }

    /// Whether it is a sink of a type.
    pub(super) fn is_sink(&self, kind: &str) -> bool {
        self.entries.iter().any(|(key, value)| key == "type" && value == kind)
    }
}

/// The configuration so far.
#[derive(Debug)]
pub(super) struct Draft {
    /// Whose names the metrics have.
    pub(super) schema: CloudWatchSchema,
    /// Lines at the head of the text.
    pub(super) head: Vec<&'static str>,
    /// How often is measured.
    pub(super) interval: Option<Duration>,
    /// How often is sent.
    pub(super) flush: Option<Duration>,
    /// The dimensions or labels on every metric.
    pub(super) common: Map<String, Value>,
    /// What is measured of the host.
    pub(super) metrics: Vec<Metric>,
    /// Sinks, services and pages.
    pub(super) sections: Vec<Section>,
}

impl Draft {
    /// An empty configuration.
    pub(super) fn new(schema: CloudWatchSchema) -> Self {
        Self {
            schema,
            head: Vec::new(),
            interval: None,
            flush: None,
            common: Map::new(),
            metrics: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// The names of the schema that begin with a plugin's, each once.
    pub(super) fn names_of(&self, plugin: &str) -> Vec<&'static str> {
        let mut names = Vec::new();
        for name in self.schema.schema().names() {
            let rest = name.strip_prefix(plugin).unwrap_or_default();
            if rest.starts_with('_') && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Adds metrics that are not there yet; none of them where they are too many.
    pub(super) fn add(&mut self, metrics: Vec<Metric>) -> bool {
        if self.metrics.len() + metrics.len() > MOST_METRICS {
            return false;
        }
        for metric in metrics {
            if !self.metrics.contains(&metric) {
                self.metrics.push(metric);
            }
        }
        true
    }

    /// Whether there are as many tables as there may be.
    pub(super) fn is_full(&self) -> bool {
        self.sections.len() >= MOST_SECTIONS
    }

    /// How many tables there are of a kind, such as `service`.
    pub(super) fn count(&self, kind: &str) -> u32 {
        let kind = [kind, "."].concat();
        let found = self.sections.iter().filter(|section| section.header.starts_with(&kind));
        u32::try_from(found.count()).unwrap_or(u32::MAX)
    }

    /// The header of a new table of a kind, after a wish: letters, digits, `-` and `_` of it, and a
    /// number where the name is taken.
    pub(super) fn header(&self, kind: &str, wish: &str) -> String {
        let plain = |letter: char| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => letter,
            _ => '-',
        };
        let name: String = wish.chars().take(40).map(plain).collect();
        let name = name.trim_matches('-');
        let name = if name.is_empty() { kind } else { name };
        let first = format!("{kind}.{name}");
        let taken = |header: &str| self.sections.iter().any(|section| section.header == header);
        if !taken(&first) {
            return first;
        }
        let numbered = (2..).map(|number| format!("{first}-{number}"));
        numbered.into_iter().find(|header| !taken(header)).unwrap_or(first)
    }

    /// Adds a CloudWatch sink that sends these metrics, and the services' if there are any.
    pub(super) fn cloudwatch(&mut self, mut section: Section, mut metrics: Vec<Metric>) {
        let services = self.count("service");
        if services > 0 {
            for (name, count) in [("service_up", services), ("services_unhealthy", 1)] {
                let (plugin, about) = ("service", Vec::new());
                metrics.push(Metric { plugin, name, about, count });
            }
        }
        let most: u32 = metrics.iter().fold(0, |sum, metric| sum.saturating_add(metric.count));
        let (kind, schema) = (Value::from("cloudwatch"), Value::from(self.schema.word()));
        section.entries.insert(0, ("type".to_owned(), kind));
        section.set("schema", schema);
        section.set("dimensions", self.common.clone());
        section.set("max_metrics", most);
        section.comments.push(format!(
            "{most} metrics for a host of {PROCESSORS} processors and {DEVICES} filesystems, disks and \
             interfaces: each is billed every month, for every host."
        ));
        section.comments.push(
            "`gild cost` tells what that comes to. More than max_metrics are refused, not billed."
                .to_owned(),
        );
        section.include = metrics;
        self.sections.push(section);
    }

    /// A reference in the place of a secret of a sink.
    pub(super) fn placeholder(header: &str, key: &str) -> Value {
        json!({ "ssm": format!("/gild/change-me/{}-{key}", header.replace('.', "-")) })
    }
}
