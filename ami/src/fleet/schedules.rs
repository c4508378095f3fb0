//! Sizes of groups, and what changes them by the clock.

use std::fmt;

use serde::Serialize;

use super::Group;

/// How large a group is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// The fewest instances.
    pub min: u32,
    /// The wanted instances.
    pub desired: u32,
    /// The most instances.
    pub max: u32,
}

impl Sizes {
    /// A group without instances that stays so.
    pub const NONE: Self = Self { min: 0, desired: 0, max: 0 };

    /// Whether a group of these sizes has instances, and may have these sizes.
    pub fn are_up(self) -> bool {
        self.desired > 0 && (self.min..=self.max).contains(&self.desired)
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.min, self.desired, self.max)
    }
}

impl Group {
    /// How large it is.
    pub fn sizes(&self) -> Sizes {
        Sizes { min: self.min, desired: self.desired, max: self.max }
    }
}

impl fmt::Display for Scheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (recurrence, zone) = (of(&self.recurrence), of(&self.time_zone));
        write!(f, "{} at '{recurrence}' {zone}", self.name)?;
        if let Some(sizes) = self.sizes {
            write!(f, " to {sizes}")?;
        }
        if self.is_ending { write!(f, ", with an end") } else { Ok(()) }
    }
}

/// A scheduled action of a group. What somebody else has made may lack anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Scheduled {
    /// Its name: one of its kind for a group.
    pub name: String,
    /// When it is done, as cron has it.
    pub recurrence: Option<String>,
    /// The time zone of that.
    pub time_zone: Option<String>,
    /// What it makes of the group: all three sizes, or some other change.
    pub sizes: Option<Sizes>,
    /// Whether it is done no more from some day on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_ending: bool,
}
