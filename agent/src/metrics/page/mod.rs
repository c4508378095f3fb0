//! A page of metrics in the text format, as others serve it and as files hold
//! it. It comes in pieces of any size, and only what is wanted of it is kept.
//!
//! A page is taken whole or not at all: half of one would look like a program
//! that lost the rest.
//!
//! To have a say in what is taken of a page: a field of `Rules`.

/// One line.
pub mod line;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use self::line::{Line, Measured, Type};
use super::collector::labels::Labels;
use super::help;
use super::pattern;
use super::sample::{Kind, Label, LabelName, Sample};

/// A line is no longer than this, whatever it says.
const LONGEST_LINE: usize = 16 << 10;

/// What is made of a page.
#[derive(Debug, Default)]
pub struct Rules {
    /// Patterns of the names that are wanted.
    pub include: Vec<String>,
    /// Patterns of the names that are not.
    pub exclude: Vec<String>,
    /// What stands on every series. A label of the page that has the name of one
    /// of them is called `exported_…`.
    pub labels: Vec<Label>,
    /// Labels that the page may not have either, for the sinks set them.
    pub kept_free: &'static [&'static str],
    /// How many samples may be wanted.
    pub most_samples: usize,
    /// Whether a page with times is refused. The times themselves are never
    /// taken: a tick has one.
    pub untimed: bool,
    /// Whether the page is gild's, and names of its own metrics are in place.
    pub own: bool,
}

/// What a page held.
#[derive(Debug, Default)]
pub struct Page {
    /// What is wanted of it.
    pub samples: Vec<Sample>,
    /// How many samples there were in all.
    pub found: usize,
    /// How many were wanted and have the name of a metric of gild's own.
    pub refused: usize,
    /// What tells each series of the page from all others.
    pub series: HashSet<u64>,
}

/// Why a page is refused. What stands in it is not told: it may be anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// A line is not in the format.
    #[error("line {line} is not one of the text format: {what}")]
    Line {
        /// Its number.
        line: usize,
        /// What is not right.
        what: &'static str,
    },
    /// There is more than is allowed.
    #[error("there are more than {0} samples")]
    Samples(usize),
    /// It breaks off within a line.
    #[error("the last line has no end")]
    Unfinished,
}

/// Reads a page piece by piece.
#[derive(Debug)]
pub struct Reader<'a> {
    rules: &'a Rules,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    line: usize,
    types: HashMap<Box<str>, Type>,
    words: &'a mut Labels,
    page: Page,
}

impl<'a> Reader<'a> {
    /// A reader of one page. The words of its labels are shared with those of the
    /// pages before it.
    pub fn new(rules: &'a Rules, words: &'a mut Labels) -> Self {
        let (begun, types) = (Vec::new(), HashMap::new());
        Self { rules, begun, line: 0, types, words, page: Page::default() }
    }

    /// Reads the next piece.
    pub fn read(&mut self, mut piece: &[u8]) -> Result<(), PageError> {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            self.line += 1;
            if self.begun.is_empty() {
                self.read_line(&piece[..end])?;
            } else {
                let mut line = std::mem::take(&mut self.begun);
                line.extend_from_slice(&piece[..end]);
                self.read_line(&line)?;
            }
            piece = &piece[end + 1..];
        }
        if self.begun.len() + piece.len() > LONGEST_LINE {
            self.line += 1;
            return Err(self.fault("it is too long"));
        }
        self.begun.extend_from_slice(piece);
        Ok(())
    }

    /// The page, if it ends with a whole line.
    pub fn finish(self) -> Result<Page, PageError> {
        if self.begun.is_empty() { Ok(self.page) } else { Err(PageError::Unfinished) }
    }

    fn fault(&self, what: &'static str) -> PageError {
        PageError::Line { line: self.line, what }
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), PageError> {
        if line.len() > LONGEST_LINE {
            return Err(self.fault("it is too long"));
        }
        let text = std::str::from_utf8(line).map_err(|_| self.fault("it is not UTF-8"))?;
        match line::read(text).map_err(|what| self.fault(what))? {
            Line::Nothing => Ok(()),
            Line::Type(name, kind) => match self.types.insert(name.into(), kind) {
                None => Ok(()),
                Some(_) => Err(self.fault("the TYPE comes twice, or after a sample")),
            },
            Line::Sample(measured) => self.take(measured),
        }
    }

    fn take(&mut self, measured: Measured<'_>) -> Result<(), PageError> {
        let kind = self.kind(measured.name);
        if measured.timed && self.rules.untimed {
            return Err(self.fault("a time stands after the value"));
        }
        self.page.found += 1;
        let wanted = |patterns: &[String]| pattern::place(patterns, measured.name).is_some();
        if !wanted(&self.rules.include) || wanted(&self.rules.exclude) {
            return Ok(());
        }
        if !self.rules.own && help::is_own(measured.name) {
            self.page.refused += 1;
            return Ok(());
        }
        if self.page.samples.len() == self.rules.most_samples {
            return Err(PageError::Samples(self.rules.most_samples));
        }
        let mut hasher = DefaultHasher::new();
        (measured.name, &measured.labels).hash(&mut hasher);
        if !self.page.series.insert(hasher.finish()) {
            return Err(self.fault("the same series stands twice"));
        }
        let labels = self.labels(&measured);
        let name = measured.name.to_owned();
        self.page.samples.push(Sample::of(kind, name.into(), labels, measured.value));
        Ok(())
    }

    /// Whether a sample only grows. From its first one on, a metric has the type
    /// that it has.
    fn kind(&mut self, name: &str) -> Kind {
        if let Some(kind) = self.types.get(name) {
            return if *kind == Type::Counter { Kind::Counter } else { Kind::Gauge };
        }
        let part = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
        match part.and_then(|family| self.types.get(family)) {
            Some(Type::Histogram | Type::Summary) => Kind::Counter,
            _ => {
                self.types.insert(name.into(), Type::Gauge);
                Kind::Gauge
            }
        }
    }

    fn labels(&mut self, measured: &Measured<'_>) -> Vec<Label> {
        let own = &self.rules.labels;
        let mut labels = Vec::with_capacity(measured.labels.len() + own.len());
        for (name, value) in &measured.labels {
            let taken =
                own.iter().any(|(own, _)| **own == **name) || self.rules.kept_free.contains(name);
            let name: Arc<str> = match taken {
                true => self.words.get(&format!("exported_{name}")),
                false => self.words.get(name),
            };
            labels.push((LabelName::Foreign(name), self.words.get(value)));
        }
        labels.extend(own.iter().cloned());
        labels
    }
}

#[cfg(test)]
mod tests;
