//! What can be told of. To add an event: a variant, and its word in `WORDS` and
//! `ALL`; the compiler names what else must know of it.

use serde::{Deserialize, Serialize};

use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape, read_choice};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The boot failed.
    Failed,
    /// The boot is degraded.
    Degraded,
    /// The boot is as it should be.
    Ready,
    /// The boot is as it should be, and the one before was not.
    Recovered,
    /// The instance's spot capacity is taken back.
    Spot,
    /// An interruption of the instance is more likely than usual.
    Rebalance,
    /// Something is planned for the instance.
    Maintenance,
    /// The instance's group ends it.
    Terminating,
    /// The instance was drained, because it ends.
    Drained,
    /// An image was made.
    Baked,
    /// An image could not be made.
    #[serde(rename = "bake-failed")]
    BakeFailed,
    /// A verb of gild-ami was done.
    Fleet,
    /// A verb of gild-ami failed.
    #[serde(rename = "fleet-failed")]
    FleetFailed,
}

impl Event {
    /// The words of the configuration.
    const WORDS: &'static [&'static str] = &[
        "failed",
        "degraded",
        "ready",
        "recovered",
        "spot",
        "rebalance",
        "maintenance",
        "terminating",
        "drained",
        "baked",
        "bake-failed",
        "fleet",
        "fleet-failed",
    ];

    /// What the words mean, in the same order.
    const ALL: [Event; 13] = [
        Event::Failed,
        Event::Degraded,
        Event::Ready,
        Event::Recovered,
        Event::Spot,
        Event::Rebalance,
        Event::Maintenance,
        Event::Terminating,
        Event::Drained,
        Event::Baked,
        Event::BakeFailed,
        Event::Fleet,
        Event::FleetFailed,
    ];

    /// The outcome that the event is of; of what is no boot's, its own word.
    pub fn outcome(self) -> &'static str {
        match self {
            Event::Failed => "failed",
            Event::Degraded => "degraded",
            Event::Ready | Event::Recovered => "ready",
            Event::Spot => "spot",
            Event::Rebalance => "rebalance",
            Event::Maintenance => "maintenance",
            Event::Terminating => "terminating",
            Event::Drained => "drained",
            Event::Baked => "baked",
            Event::BakeFailed => "bake-failed",
            Event::Fleet => "fleet",
            Event::FleetFailed => "fleet-failed",
        }
    }

    /// The colour that receivers show it in: red, green and blue.
    pub fn colour(self) -> u32 {
        match self {
            Event::Failed | Event::BakeFailed | Event::FleetFailed => 0xED_42_45,
            Event::Degraded => 0xFE_E7_5C,
            Event::Ready | Event::Recovered | Event::Baked | Event::Fleet => 0x57_F2_87,
            Event::Spot | Event::Rebalance | Event::Maintenance => 0xE6_7E_22,
            Event::Terminating => 0x58_65_F2,
            Event::Drained => 0x34_98_DB,
        }
    }

    /// Whether it is what came of a boot. The others are news of their own, and change
    /// nothing of what was told of a boot.
    pub fn is_of_boot(self) -> bool {
        !self.is_notice() && !self.is_of_image() && !self.is_of_fleet() && self != Event::Drained
    }

    /// Whether it is of an image, not of an instance.
    pub fn is_of_image(self) -> bool {
        matches!(self, Event::Baked | Event::BakeFailed)
    }

    /// Whether it is of what gild-ami did to a fleet, not of an instance.
    pub fn is_of_fleet(self) -> bool {
        matches!(self, Event::Fleet | Event::FleetFailed)
    }

    /// Whether it is of what is coming.
    pub fn is_notice(self) -> bool {
        matches!(self, Event::Spot | Event::Rebalance | Event::Maintenance | Event::Terminating)
    }

    /// Whether something is wrong.
    pub fn is_bad(self) -> bool {
        matches!(self, Event::Failed | Event::Degraded)
    }
}

impl Setting for Event {
    fn shape() -> Shape {
        Shape::Choice(Self::WORDS)
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let find = |word: &str| {
            let known = Self::WORDS.iter().zip(Self::ALL);
            known.into_iter().find(|(known, _)| **known == word).map(|(_, event)| event)
        };
        read_choice(node, path, reader, find, Self::WORDS)
    }
}
