//! One measurement, under the name by which node_exporter knows it. Sinks with
//! other names (CloudWatch) translate.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// Whether a value goes up and down or only up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A total that only grows, and starts over with whatever counts it.
    Counter,
}

/// A label's name and value.
pub type Label = (LabelName, Arc<str>);

/// A label of gild's own.
pub fn label(name: &'static str, value: impl Into<Arc<str>>) -> Label {
    (LabelName::Own(name), value.into())
}

/// A label's name: a word of this program, or one that came from outside and is
/// shared between ticks.
#[derive(Debug, Clone)]
pub enum LabelName {
    /// A word of this program.
    Own(&'static str),
    /// A word from outside.
    Foreign(Arc<str>),
}

impl Deref for LabelName {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            LabelName::Own(name) => name,
            LabelName::Foreign(name) => name,
        }
    }
}

impl PartialEq for LabelName {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for LabelName {}

impl Hash for LabelName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        str::hash(self, state);
    }
}

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Such as `node_memory_MemAvailable_bytes`.
    pub name: Cow<'static, str>,
    /// The labels, in the order in which the collector gives them.
    pub labels: Vec<Label>,
    /// Gauge or counter.
    pub kind: Kind,
    /// The value, in the unit that the name ends in.
    pub value: f64,
}

impl Sample {
    /// A gauge.
    pub fn gauge(name: impl Into<Cow<'static, str>>, labels: Vec<Label>, value: f64) -> Self {
        Self::of(Kind::Gauge, name.into(), labels, value)
    }

    /// A counter.
    pub fn counter(name: impl Into<Cow<'static, str>>, labels: Vec<Label>, value: f64) -> Self {
        Self::of(Kind::Counter, name.into(), labels, value)
    }

    /// A gauge or a counter.
    pub fn of(kind: Kind, name: Cow<'static, str>, labels: Vec<Label>, value: f64) -> Self {
        Self { name, labels, kind, value }
    }

    /// A gauge or a counter without labels.
    pub fn plain(kind: Kind, name: &'static str, value: f64) -> Self {
        Self::of(kind, Cow::Borrowed(name), Vec::new(), value)
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| **key == *name).map(|(_, value)| &**value)
    }
}

/// Everything that was measured at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// The wall clock when the collectors started.
    pub at: SystemTime,
    /// The clock that is never set, at the same moment: it tells a wall clock
    /// that was set back from time that went by.
    pub steady: Instant,
    /// The measurements.
    pub samples: Vec<Sample>,
}

impl Tick {
    /// What was measured at a moment that is now.
    pub fn new(at: SystemTime, samples: Vec<Sample>) -> Self {
        Self { at, steady: Instant::now(), samples }
    }
}
