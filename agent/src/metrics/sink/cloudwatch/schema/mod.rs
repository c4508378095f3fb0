//! Whose names, units and dimensions the metrics have. An alarm is bound to the exact name and
//! set of dimensions, so those of another agent are kept as that agent has them.
//!
//! To add a schema: a file with a `Schema`, a `mod` line, and one line in `schemas!` below. What
//! several schemas take from a tick is in `view`, and what they compute from it in `shared`.

mod cwagent;
mod native;
mod page;
mod shared;
mod tables;
mod telegraf;
mod view;

pub use self::page::{Page, VOLUME};
use self::view::{Counters, Step, View};
use super::datum::Metric;
use crate::metrics::sample::Tick;

/// What a value counts, as CloudWatch names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// `Percent`
    Percent,
    /// `Bytes`
    Bytes,
    /// `Count`
    Count,
    /// `Seconds`
    Seconds,
    /// `Milliseconds`
    Milliseconds,
    /// `None`
    None,
    /// No unit is sent, which an alarm takes for `None`.
    Unsaid,
}

/// One value under the schema's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Such as `disk_used_percent` of `/`.
    pub metric: Metric,
    /// The value.
    pub value: f64,
}

/// Names, units and dimensions.
#[derive(Debug)]
pub struct Schema {
    /// The dimensions on every metric, where none are configured.
    pub dimensions: &'static [(&'static str, &'static str)],
    /// The metrics that are sent, where none are configured.
    pub include: &'static [&'static str],
    /// Groups of figures that are sent only where a pattern begins with the group's word.
    pub on_request: &'static [&'static str],
    /// Whether a pattern stands for single processors without saying so.
    pub cores: bool,
    /// Whether values have units.
    pub units: bool,
    /// Whether `host` is the first dimension and the others follow by name, ten at most.
    pub host_first: bool,
    /// The names of all figures.
    names: &'static [&'static [&'static str]],
    /// Writes the figures of the time between two ticks.
    figures: fn(&Step, &mut Page),
}

macro_rules! schemas {
    ($( $(#[doc = $doc:literal])+ $word:literal => $variant:ident($module:ident), )+) => {
        crate::choices! {
            /// Whose names, units and dimensions a CloudWatch sink uses.
            CloudWatchSchema { $( $(#[doc = $doc])+ $word => $variant, )+ }
        }

        impl CloudWatchSchema {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),+];

            /// The names, units and dimensions.
            pub fn schema(self) -> &'static Schema {
                match self { $( CloudWatchSchema::$variant => &$module::SCHEMA, )+ }
            }
        }
    };
}

// The registry.
schemas! {
    /// Those of the CloudWatch agent, so that its alarms keep working.
    "cwagent" => CwAgent(cwagent),
    /// Those of telegraf's CloudWatch output, so that its alarms keep working.
    "telegraf" => Telegraf(telegraf),
    /// gild's own: short names and few dimensions.
    "native" => Native(native),
}

impl Schema {
    /// The names of all figures that there may be.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().flat_map(|names| names.iter().copied())
    }
}

/// Translates ticks. Much is said of the time between two ticks, so the first
/// yields nothing at all.
#[derive(Debug)]
pub struct Translator {
    schema: &'static Schema,
    before: Option<Counters>,
}

impl Translator {
    /// Translates into the names of a schema.
    pub fn new(schema: &'static Schema) -> Self {
        Self { schema, before: None }
    }

    /// Writes the figures of a tick.
    pub fn figures(&mut self, tick: &Tick, page: &mut Page) {
        let (view, now) = View::of(tick);
        let Some(before) = self.before.replace(now) else { return };
        let Some(now) = &self.before else { return };
        (self.schema.figures)(&Step { before: &before, now, view: &view }, page);
    }
}

/// How many services are not healthy, under the name that it has everywhere. It
/// appears later than the rest, when there is a verdict on every service.
pub const UNHEALTHY: &str = "services_unhealthy";

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
