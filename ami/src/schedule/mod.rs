//! Groups up in business hours, and down at night and on weekends: two scheduled actions of Auto
//! Scaling for each group, which do it without anything of gild's running.
//!
//! The sizes of a group that is up are remembered in its tags before anything can turn it down,
//! and it comes up with those three sizes again. Groups are in an order: what others need, as a
//! database, comes up before them and goes down after them. What cannot be told of a group keeps
//! it as it is, and what is needed by it.

mod groups;
mod hours;
mod memory;
mod off;
mod on;
mod status;
mod survey;
mod weekly;

use std::collections::BTreeMap;

pub use self::groups::{Choice, TagIs};
pub use self::hours::{Days, HoursError, Time, Zone};
pub use self::off::off;
pub use self::on::on;
pub use self::status::{Report, status};
pub use self::survey::survey;
pub use self::weekly::Weekly;

use crate::fleet::Group;
use crate::fleet::schedules::Scheduled;

/// Turning schedules on.
pub const ON: &str = "schedule on";

/// Turning them off.
pub const OFF: &str = "schedule off";

/// Looking at them.
pub const STATUS: &str = "schedule status";

/// What the names of gild-ami's own scheduled actions begin with. Others are never touched.
const OWN: &str = "gild-ami-";

/// The action that turns a group up.
const UP: &str = "gild-ami-up";

/// The action that turns a group down.
const DOWN: &str = "gild-ami-down";

/// When groups are up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// When the first group comes up.
    pub up: Time,
    /// When the first group goes down: on the same day.
    pub down: Time,
    /// On which days.
    pub days: Days,
    /// Whose clock it is.
    pub zone: Zone,
    /// How many minutes are between one group and the next in the order.
    pub stagger: u32,
}

/// What a plan is made of.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// All groups of the account's region.
    pub groups: Vec<Group>,
    /// Their scheduled actions, by group.
    pub scheduled: BTreeMap<String, Vec<Scheduled>>,
    /// What is known of refreshes of instances, by group: `None` where none is under way. A group
    /// that is not here was not looked at.
    pub refreshes: BTreeMap<String, Option<String>>,
}

#[cfg(test)]
mod tests;
