//! Which metrics are sent: `NAME`, with `*` at its end for any rest, or `NAME{DIMENSION=VALUE}`
//! for those that have such a dimension; `!=` for those that have not. Several of them stand with
//! commas between, and all must hold.

use std::sync::Arc;

use super::schema::Schema;
use crate::metrics::pattern;

/// The patterns of a sink.
#[derive(Debug)]
pub struct Include {
    schema: &'static Schema,
    patterns: Vec<Pattern>,
    high: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    name: String,
    about: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    dimension: String,
    wanted: String,
    /// Whether those are meant that do not have it.
    not: bool,
}

impl Condition {
    fn parse(text: &str) -> Option<Self> {
        let (dimension, value) = text.split_once('=')?;
        let (dimension, not) = match dimension.strip_suffix('!') {
            Some(dimension) => (dimension, true),
            None => (dimension, false),
        };
        let wanted = value.trim_matches('"').to_owned();
        Some(Self { dimension: dimension.to_owned(), wanted, not })
    }

    fn holds(&self, about: &[(&'static str, Arc<str>)]) -> bool {
        let has = about
            .iter()
            .any(|(name, value)| *name == self.dimension && pattern::matches(&self.wanted, value));
        has != self.not
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (name, about) = match text.split_once('{') {
            None => (text, Vec::new()),
            Some((name, rest)) => {
                let conditions = rest.strip_suffix('}')?.split(',').map(Condition::parse);
                (name, conditions.collect::<Option<_>>()?)
            }
        };
        let fits = |byte: u8| byte.is_ascii_graphic() && !b"{}=,".contains(&byte);
        let named = !name.is_empty() && name.bytes().all(fits);
        named.then(|| Self { name: name.to_owned(), about })
    }

    fn matches(&self, name: &str, about: &[(&'static str, Arc<str>)]) -> bool {
        pattern::matches(&self.name, name) && self.about.iter().all(|it| it.holds(about))
    }
}

impl Include {
    /// What is sent, and what of it in high resolution. Gives back the first text that is no
    /// pattern.
    pub fn new<'a>(
        schema: &'static Schema,
        include: impl Iterator<Item = &'a str>,
        high: &'a [String],
    ) -> Result<Self, &'a str> {
        let parse = |text: &'a str| Pattern::parse(text).ok_or(text);
        let patterns = include.map(parse).collect::<Result<_, _>>()?;
        let high = high.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
        Ok(Self { schema, patterns, high })
    }

    /// The place of the pattern that stands for a metric; nothing where none does.
    pub fn place(&self, name: &str, about: &[(&'static str, Arc<str>)]) -> Option<usize> {
        let group = self.schema.on_request.iter().find(|group| name.starts_with(**group));
        let core = !self.schema.cores && is_core(about);
        self.patterns.iter().position(|pattern| {
            group.is_none_or(|group| pattern.name.starts_with(group))
                && (!core || !pattern.about.is_empty())
                && pattern.matches(name, about)
        })
    }

    /// Whether single processors may be asked for.
    pub fn wants_cores(&self) -> bool {
        self.patterns.iter().any(|pattern| self.schema.cores || !pattern.about.is_empty())
    }

    /// Whether a metric is sent in high resolution.
    pub fn is_high(&self, name: &str, about: &[(&'static str, Arc<str>)]) -> bool {
        self.high.iter().any(|pattern| pattern.matches(name, about))
    }

    /// What is sent where nothing is configured.
    pub fn usual(&self) -> &'static [&'static str] {
        self.schema.include
    }

    /// Whether values have units.
    pub fn units(&self) -> bool {
        self.schema.units
    }
}

/// Whether a metric is about one processor of several.
fn is_core(about: &[(&'static str, Arc<str>)]) -> bool {
    about.iter().any(|(name, value)| *name == "cpu" && &**value != ALL_CORES)
}

/// The value of the dimension `cpu` for all processors together.
pub const ALL_CORES: &str = "cpu-total";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::schema::CloudWatchSchema;
    use super::*;

    fn place(
        schema: CloudWatchSchema,
        patterns: &[&str],
        name: &str,
        about: &str,
    ) -> Option<usize> {
        let include = Include::new(schema.schema(), patterns.iter().copied(), &[]).unwrap();
        let about: Vec<_> = match about {
            "" => Vec::new(),
            core if core.starts_with("cpu") => vec![("cpu", Arc::from(core))],
            path => vec![("path", Arc::from(path))],
        };
        include.place(name, &about)
    }

    #[test]
    fn what_is_sent_on_request_is_not_what_a_star_stands_for() {
        let asked = |pattern: &str, name: &str| {
            place(CloudWatchSchema::CwAgent, &[pattern], name, "").is_some()
        };
        for pattern in ["*", "d*", "disk*", "disk_*", "net*", "p*"] {
            for name in ["diskio_reads", "netstat_udp_socket", "processes_total"] {
                assert!(!asked(pattern, name), "{pattern} {name}");
            }
        }
        assert!(
            asked("*", "disk_used") && asked("disk*", "disk_used") && asked("net*", "net_err_in")
        );
        assert!(asked("diskio_*", "diskio_reads") && asked("diskio_reads", "diskio_reads"));
        assert!(asked("netstat*", "netstat_udp_socket"));
    }

    #[test]
    fn what_telegraf_sends_only_where_it_is_switched_on_has_to_be_named() {
        let asked =
            |pattern: &str, name: &str| place(CloudWatchSchema::Telegraf, &[pattern], name, "cpu0");
        assert_eq!(asked("cpu_*", "cpu_usage_idle"), Some(0));
        for name in ["cpu_usage_active", "cpu_time_idle"] {
            assert_eq!(asked("*", name), None, "{name}");
            assert_eq!(asked("cpu_usage*", name), None, "{name}");
            assert_eq!(asked(name, name), Some(0));
        }
    }

    #[test]
    fn a_dimension_in_braces_has_to_fit() {
        let of = |patterns: &[&str], path: &str| {
            place(CloudWatchSchema::CwAgent, patterns, "disk_used", path)
        };
        let patterns = ["disk_*{path=/}", "disk_*{path=\"/data*\"}"];
        assert_eq!(of(&patterns, "/"), Some(0));
        assert_eq!(of(&patterns, "/data/1"), Some(1));
        assert_eq!(of(&patterns, "/srv"), None);
        assert_eq!(of(&["disk_*{device=/}"], "/"), None);
        let patterns = ["disk_*{path!=/,path!=\"/data*\"}", "disk_*{path=/*,path!=/}"];
        assert_eq!(of(&patterns, "/"), None);
        assert_eq!(of(&patterns, "/data/1"), Some(1));
        assert_eq!(of(&patterns, "/srv"), Some(0));
    }

    #[test]
    fn single_processors_are_what_telegraf_sends_and_others_send_on_request() {
        use CloudWatchSchema::{CwAgent, Native, Telegraf};
        let of = |schema, pattern: &str, cpu: &str| place(schema, &[pattern], "cpu_x", cpu);
        for schema in [CwAgent, Native] {
            assert_eq!(of(schema, "cpu_*", "cpu7"), None);
            assert_eq!(of(schema, "cpu_*", "cpu-total"), Some(0));
            assert_eq!(of(schema, "cpu_*{cpu=*}", "cpu7"), Some(0));
        }
        assert_eq!(of(Telegraf, "cpu_*", "cpu7"), Some(0));
        assert_eq!(of(Telegraf, "cpu_*{cpu=cpu-total}", "cpu7"), None);
        assert_eq!(of(CwAgent, "cpu_*{cpu!=cpu-total}", "cpu7"), Some(0));
        assert_eq!(of(CwAgent, "cpu_*{cpu!=cpu-total}", "cpu-total"), None);
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        let schema = CloudWatchSchema::CwAgent.schema();
        for text in
            ["", "{path=/}", "disk_*{path=/", "disk_*{path}", "disk_*{path=/,x}", "disk used", "a}"]
        {
            assert_eq!(Include::new(schema, [text].into_iter(), &[]).err(), Some(text));
        }
    }
}
