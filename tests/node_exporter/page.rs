//! Pages of metrics, read as far as gild and node_exporter write them.

use std::collections::BTreeMap;
use std::time::SystemTime;

/// The name of a metric and its labels, sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
}

impl std::fmt::Display for Series {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}{:?}", self.name, self.labels)
    }
}

/// One page, and when it was asked for and had.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) from: SystemTime,
    pub(crate) to: SystemTime,
    pub(crate) values: BTreeMap<Series, f64>,
    /// The names of gauges.
    pub(crate) gauges: Vec<String>,
}

impl Page {
    pub(crate) fn read(text: &str, from: SystemTime, to: SystemTime) -> Self {
        let mut page = Self { from, to, values: BTreeMap::new(), gauges: Vec::new() };
        for line in text.lines() {
            if let Some(described) = line.strip_prefix("# TYPE ") {
                page.gauges.extend(described.strip_suffix(" gauge").map(str::to_owned));
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let before = page.values.insert(Series::read(series), value.parse().unwrap());
                assert!(before.is_none(), "{series} stands twice");
            }
        }
        page
    }

    /// The value of a series without labels.
    pub(crate) fn plain(&self, name: &str) -> Option<f64> {
        self.values.get(&Series::read(name)).copied()
    }

    /// What all series of a metric come to.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.values.iter().filter(|(series, _)| series.name == name).map(|(_, value)| value).sum()
    }
}

impl Series {
    fn read(text: &str) -> Self {
        let (name, mut rest) = text.split_once('{').unwrap_or((text, "}"));
        let mut labels = BTreeMap::new();
        while let Some((label, quoted)) = rest.split_once("=\"") {
            let mut value = String::new();
            let mut letters = quoted.char_indices();
            let end = loop {
                match letters.next().unwrap() {
                    (end, '"') => break end,
                    (_, '\\') => value.push(letters.next().unwrap().1),
                    (_, letter) => value.push(letter),
                }
            };
            labels.insert(label.trim_start_matches(',').to_owned(), value);
            rest = &quoted[end + 1..];
        }
        assert_eq!(rest, "}", "{text}");
        Self { name: name.to_owned(), labels }
    }
}
