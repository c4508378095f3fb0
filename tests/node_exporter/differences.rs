//! The list of what only one of gild and node_exporter has.

use crate::node_exporter::page::Series;

const LIST: &str = include_str!("../golden/node_exporter.txt");

/// Who has what a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Gild,
    NodeExporter,
    /// Both, each in its own way.
    Own,
}

/// One line: a metric, or those of its series that have certain labels.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) line: &'static str,
    pub(crate) side: Side,
    name: &'static str,
    labels: Vec<(&'static str, &'static str)>,
}

/// The list.
pub(crate) fn differences() -> Vec<Difference> {
    let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(Difference::read).collect()
}

impl Difference {
    fn read(line: &'static str) -> Self {
        let mut words = line.split_whitespace();
        let side = match words.next() {
            Some("gild") => Side::Gild,
            Some("node_exporter") => Side::NodeExporter,
            Some("own") => Side::Own,
            _ => panic!("nobody has it: {line}"),
        };
        let name = words.next().unwrap();
        let labels = words.map(|word| word.split_once('=').unwrap()).collect();
        Self { line, side, name, labels }
    }

    /// Whether the whole metric is meant, and not some of its series.
    pub(crate) fn is_whole(&self) -> bool {
        self.labels.is_empty()
    }

    pub(crate) fn names(&self, name: &str) -> bool {
        fits(self.name, name)
    }

    pub(crate) fn covers(&self, side: Side, series: &Series) -> bool {
        let labels = || {
            self.labels.iter().all(|(label, pattern)| {
                series.labels.get(*label).is_some_and(|value| fits(pattern, value))
            })
        };
        self.side == side && self.names(&series.name) && labels()
    }
}

/// A `*` at the end stands for any rest.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => pattern == text,
    }
}
