//! What can be configured about the life of an instance.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::types::Period;

crate::choices! {
    /// Why an instance is drained.
    Occasion {
        /// Its spot capacity is taken back.
        "spot" => Spot,
        /// Its autoscaling group ends it.
        "terminate" => Terminate,
        /// It is powered off.
        "stop" => Stop,
        /// It is started anew.
        "reboot" => Reboot,
    }
}

impl Occasion {
    /// The occasion of this word.
    pub fn named(word: &str) -> Option<Self> {
        let all = [Self::Spot, Self::Terminate, Self::Stop, Self::Reboot];
        all.into_iter().find(|occasion| occasion.word() == word)
    }

    /// Whether an autoscaling group may be waiting for the end of the instance.
    pub fn is_awaited(self) -> bool {
        matches!(self, Self::Spot | Self::Terminate)
    }
}

crate::settings! {
    /// The life of an instance.
    LifecycleSettings {
        /// Whether the daemon watches what is coming: spot interruptions, rebalance
        /// recommendations, the group's decisions and scheduled events.
        watch: bool = true;
        /// How often it looks.
        interval: Duration as Period = "5s";
        /// The lifecycle hook that waits for this instance when it starts. Without it: every
        /// launch hook of the group, as the Auto Scaling API lists them.
        launch_hook: Option<String>;
        /// The lifecycle hook that waits for this instance when it ends. Without it: every
        /// hook of the group for that.
        terminate_hook: Option<String>;
        /// How long a service that is `critical` may be down before the group is told
        /// that this instance is unhealthy. Unset: it is never told.
        unhealthy_after: Option<Duration>;
        /// What is done before the instance ends, each step under a name.
        drain: BTreeMap<String, DrainStep>;
    }

    /// A command that is run before the instance ends.
    DrainStep {
        /// The program and its arguments. No shell reads them.
        exec: Vec<String>;
        /// How long it may take.
        timeout: Duration = "30s";
        /// When it is run: "spot", "terminate", "stop" or "reboot".
        on: Vec<Occasion> = ["spot", "terminate", "stop"];
        /// Steps run one after the other, the lowest number first, by name where
        /// numbers are equal.
        order: u32 = 50;
    }
}
