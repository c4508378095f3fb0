//! What all notifiers can be configured with: when they tell, how often, and in
//! whose words.

use super::message::Event;
use super::template::Template;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};

crate::settings! {
    /// When a notifier tells.
    Rules {
        /// What it tells of: "failed", "degraded", "ready", and "recovered": ready
        /// after a failed or degraded boot, for those who do not want each "ready".
        /// What is coming: "spot", "terminating", "rebalance" and "maintenance"; and
        /// "drained": what was done before the instance ends. And what came of making an
        /// image, by `gild notify`: "baked" and "bake-failed"; and of a verb of gild-ami:
        /// "fleet" and "fleet-failed".
        on: Vec<Event> = [
            "failed", "degraded", "ready", "spot", "terminating", "baked", "bake-failed", "fleet",
            "fleet-failed",
        ];
        /// The most messages in an hour. What is held back is counted, and the next
        /// message says how many that were.
        most_per_hour: u32 as PerHour = 20;
        /// Words of one's own. `{instance_id}`, `{hostname}`, `{private_ip}`,
        /// `{public_ip}`, `{environment}`, `{outcome}`, `{task}`, `{message}`,
        /// `{duration}` and `{vars.KEY}` are filled in.
        template: Option<Words>;
    }

    /// Words of one's own, instead of gild's.
    Words {
        /// The title.
        title: Option<Template>;
        /// The text below it.
        text: Option<Template>;
    }
}

/// How many messages in an hour are few enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerHour(u32);

impl PerHour {
    /// As many as the spool remembers.
    const MOST: u32 = 100;
}

impl From<PerHour> for u32 {
    fn from(limit: PerHour) -> Self {
        limit.0
    }
}

impl Setting for PerHour {
    fn shape() -> Shape {
        Shape::Integer
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let limit = u32::read(node, path, reader)?;
        if (1..=Self::MOST).contains(&limit) {
            return Some(Self(limit));
        }
        let message = format!("must be a whole number from 1 to {}", Self::MOST);
        reader.problem(node, path, &message);
        None
    }
}

impl Rules {
    /// Whether it tells of such an event. A recovery is a `ready` too.
    pub fn want(&self, event: Event) -> bool {
        self.on.contains(&event) || (event == Event::Recovered && self.on.contains(&Event::Ready))
    }
}
