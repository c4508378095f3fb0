//! Retention: the newest versions of each service stay, and everything in use; older images go
//! with all their snapshots, and so do older versions of launch templates.
//!
//! Versions of templates are looked at first: an image that only they start goes with them, after
//! them. Images without the tag `app` are nobody's, and stay.

mod images;
mod survey;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use self::survey::survey;

use crate::cloud::Place;
use crate::fleet::{Fleet, Grants};
use crate::plan::Plan;

/// The verb.
pub const VERB: &str = "retain";

/// What stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How many versions of each service.
    pub versions: usize,
    /// How many versions of each template, besides the default one.
    pub template_versions: usize,
    /// What is younger stays.
    pub min_age: Duration,
    /// The most images that one run takes away.
    pub limit: usize,
    /// Only what is marked by `amm:Clean` goes.
    pub only_marked: bool,
}

/// What a plan is made of.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The account's region.
    pub fleet: Fleet,
    /// Who else may use the images that might go. One that is not here stays.
    pub grants: BTreeMap<String, Grants>,
    /// The accounts whose use of images is known.
    pub looked_at: BTreeSet<String>,
    /// The images that those accounts use, each with by whom.
    pub used_elsewhere: BTreeMap<String, String>,
}

/// What would go, and what stays for which reason.
pub fn plan(place: &Place, survey: &Survey, rules: &Rules) -> Plan {
    let mut plan = Plan::new(VERB, place);
    let gone = templates::plan(&mut plan, &survey.fleet, rules);
    images::plan(&mut plan, survey, rules, &gone);
    plan
}

#[cfg(test)]
mod tests;
