//! What a schema writes its figures on. Only what is asked for is kept, so that what nobody wants
//! costs nothing but the question.

use std::sync::Arc;

use super::super::datum::Metric;
use super::super::include::Include;
use super::{Figure, Unit};

/// What a figure is about: dimensions of its own.
pub(super) type About = [(&'static str, Arc<str>)];

/// Dimensions that one instance has by itself: its hardware, and how it uses it. Metrics of a
/// group have none of them.
const OF_ONE_INSTANCE: [&str; 6] = ["device", "fstype", "mode", "name", "volume", VOLUME];

/// The dimension for the EBS volume behind a disk, as the CloudWatch agent names it.
pub const VOLUME: &str = "VolumeId";

/// The figures of a tick that are asked for.
#[derive(Debug)]
pub struct Page<'a> {
    include: &'a Include,
    /// Whether all instances of a group send the same metrics.
    pub group: bool,
    /// Whether disks are told by their EBS volumes as well.
    pub volumes: bool,
    /// What was written.
    pub figures: Vec<Figure>,
    /// A total that was asked for and means nothing for a group.
    pub meaningless: Option<&'static str>,
}

impl<'a> Page<'a> {
    /// An empty page for what `include` stands for.
    pub fn new(include: &'a Include) -> Self {
        Self { include, group: false, volumes: false, figures: Vec::new(), meaningless: None }
    }

    /// Whether figures of single processors may be asked for.
    pub(super) fn wants_cores(&self) -> bool {
        self.include.wants_cores()
    }

    /// Writes a figure.
    pub(super) fn add(&mut self, name: &'static str, unit: Unit, about: &About, value: f64) {
        if let Some(place) = self.include.place(name, about) {
            let mut about = about.to_vec();
            if self.group {
                about.retain(|(name, _)| !OF_ONE_INSTANCE.contains(name));
            }
            let unit = if self.include.units() { unit } else { Unit::Unsaid };
            let high = self.include.is_high(name, &about);
            let metric = Metric { place, name, about, unit, high };
            self.figures.push(Figure { metric, value });
        }
    }

    /// Writes a figure without dimensions of its own.
    pub(super) fn plain(&mut self, name: &'static str, unit: Unit, value: f64) {
        self.add(name, unit, &[], value);
    }

    /// Writes a total that only grows: of many instances together it means nothing.
    pub(super) fn total(&mut self, name: &'static str, unit: Unit, about: &About, value: f64) {
        if !self.group {
            self.add(name, unit, about, value);
        } else if self.include.place(name, about).is_some() {
            self.meaningless = Some(name);
        }
    }
}
