//! gild-ami: playbooks and images from the build account to the fleet, and away again.
//!
//! Every verb goes the same way, and changes nothing before its end:
//!
//! ```text
//! cloud (what AWS says) ─► fleet (what there is) ─► a verb's plan ─► shown
//!                                                        └─ --apply ─► apply
//! ```
//!
//! A plan is made from a whole fleet or not at all: where one question stays without an answer
//! the plan is empty and says why, so that what was not seen is never taken for unused.

/// One account in one region, and what it is asked.
pub mod cloud;

/// What there is: images, snapshots, templates, groups, instances, volumes, records.
pub mod fleet;

/// What would be done, and why.
pub mod plan;

/// Doing it.
pub mod apply;

/// Which image is newer.
pub mod version;

/// Names that are meant by a pattern.
pub mod pattern;

/// Old images, their snapshots and old versions of templates.
pub mod retain;

/// Playbooks for instances to fetch.
pub mod publish;

/// Images for other accounts.
pub mod share;

/// Other accounts' images, as this account's own.
pub mod copy;

/// The newest image of a service into its launch template.
pub mod assign;

/// What tests and trials left behind.
pub mod clean;

/// Groups up in business hours, and down at night.
pub mod schedule;

/// What things cost a month.
pub mod price;

/// What an environment has, and what it costs.
pub mod inventory;

/// The verbs of the command line.
pub mod cli;
