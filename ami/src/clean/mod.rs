//! What tests and trials left behind: instances, volumes, records, images and snapshots that are
//! meant by an exact tag or by a pattern of their whole name, and are old enough; and snapshots
//! of images that are gone.
//!
//! One kind of thing a file, each with its plan. To add a kind: a file, a variant of `Kind`, and a
//! line in `plan`. Instances are first: what only they use goes with them.

mod images;
mod instances;
mod records;
mod snapshots;
mod survey;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use self::survey::survey;

use crate::cloud::Place;
use crate::fleet::dns::{Zone, ZoneName};
use crate::fleet::tags::{Tags, is_young, opted_out};
use crate::fleet::{Fleet, Grants};
use crate::pattern::Pattern;
use crate::plan::Plan;

/// The verb.
pub const VERB: &str = "clean";

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// Instances, save those of groups.
    Instances,
    /// Volumes that nothing has.
    Volumes,
    /// Address records of private zones.
    Records,
    /// Images, with their snapshots.
    Images,
    /// Snapshots that nothing has.
    Snapshots,
    /// Snapshots of images that are gone, whatever they are called.
    Orphans,
}

/// What is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Names, of which any has to match. None match all.
    pub names: Vec<Pattern>,
    /// Tags, of which each has to be there.
    pub tags: Tags,
    /// What is younger stays.
    pub min_age: Duration,
    /// Kinds.
    pub kinds: BTreeSet<Kind>,
    /// The zones whose records are meant.
    pub zones: Vec<ZoneName>,
    /// The most images, and the most snapshots besides, of one run.
    pub limit: usize,
}

impl Rules {
    /// Whether a thing is meant. Where neither names nor tags are given, nothing is.
    fn mean(&self, name: &str, tags: &Tags) -> bool {
        let is_said = !self.names.is_empty() || !self.tags.is_empty();
        let by_name = self.names.is_empty() || self.names.iter().any(|it| it.matches(name));
        is_said && by_name && self.tags.iter().all(|(key, value)| tags.get(key) == Some(value))
    }

    fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }
}

/// What a plan is made of.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The account's region.
    pub fleet: Fleet,
    /// Who else may use an image that might go. One that is not here stays.
    pub image_grants: BTreeMap<String, Grants>,
    /// The accounts that may use a snapshot that might go. One that is not here stays.
    pub snapshot_grants: BTreeMap<String, BTreeSet<String>>,
    /// Zones, with their records.
    pub zones: Vec<Zone>,
    /// Addresses that something has, in each region that was looked at.
    pub addresses: BTreeMap<String, BTreeSet<String>>,
}

/// What would go, and what stays for which reason.
pub fn plan(place: &Place, survey: &Survey, rules: &Rules) -> Plan {
    let mut plan = Plan::new(VERB, place);
    let gone = instances::plan(&mut plan, &survey.fleet, rules);
    volumes::plan(&mut plan, &survey.fleet, rules);
    records::plan(&mut plan, survey, rules, &gone);
    images::plan(&mut plan, survey, rules, &gone);
    snapshots::plan(&mut plan, survey, rules);
    plan
}

/// Why a thing that is meant stays, whatever it is.
fn spared(
    tags: &Tags,
    created: Option<std::time::SystemTime>,
    fleet: &Fleet,
    rules: &Rules,
) -> Option<String> {
    if let Some(why) = opted_out(tags, false) {
        return Some(why.to_owned());
    }
    is_young(created, fleet.now, rules.min_age).then(|| "younger than the floor".to_owned())
}

#[cfg(test)]
mod tests;
