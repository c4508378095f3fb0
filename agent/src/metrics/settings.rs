//! What can be configured about measuring.

use std::time::Duration;

use super::collector;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape, read_choice};

crate::settings! {
    /// What is measured, and how often.
    MetricsSettings {
        /// How often the collectors run.
        interval: Duration = "10s";
        /// The collectors that run.
        collectors: Vec<CollectorName> = ["cpu", "memory", "swap", "disk", "load", "network"];
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
