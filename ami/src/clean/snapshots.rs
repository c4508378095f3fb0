//! Snapshots: those that are meant by their names or tags, and orphans: those that EC2 made for an
//! image which is not there any more, left where an image was taken away and its snapshots were
//! not. A snapshot that somebody made for its own sake, such as a backup, says nothing of an
//! image, and is no orphan.

use std::collections::BTreeSet;

use super::{Kind, Rules, Survey, spared};
use crate::fleet::{Fleet, Snapshot};
use crate::plan::{Action, Plan};

/// The image that a snapshot was made for, by the words of CreateImage and of CopyImage.
pub(super) fn made_for(description: &str) -> Option<&str> {
    let rest = match description.strip_prefix("Copied for DestinationAmi ") {
        Some(rest) => rest,
        None => description.strip_prefix("Created by CreateImage(")?.split_once(") for ")?.1,
    };
    let id = rest.split([' ', '.', ',']).next()?;
    let digits = id.strip_prefix("ami-")?;
    let is_id = digits.len() >= 8 && digits.bytes().all(|it| it.is_ascii_hexdigit());
    is_id.then_some(id)
}

/// A snapshot that might go.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// The snapshot.
    pub(super) snapshot: &'a Snapshot,
    /// What it is called.
    name: &'a str,
    /// Why it is meant.
    why: String,
}

/// Snapshots that might go, the oldest first: those whose grants have to be known.
pub(super) fn candidates<'a>(plan: &mut Plan, fleet: &'a Fleet, rules: &Rules) -> Vec<Found<'a>> {
    if !rules.has(Kind::Orphans) && !rules.has(Kind::Snapshots) {
        return Vec::new();
    }
    let images: BTreeSet<&str> = fleet.images.iter().map(|image| image.id.as_str()).collect();
    let used = fleet.used_snapshots();
    let mut found = Vec::new();
    for snapshot in &fleet.snapshots {
        let name = snapshot.tags.get("Name").map(String::as_str).unwrap_or_default();
        let gone = made_for(&snapshot.description).filter(|image| !images.contains(image));
        let (name, why) = match gone {
            Some(image) if rules.has(Kind::Orphans) => {
                (image, format!("of image {image}, which is gone"))
            }
            _ if rules.has(Kind::Snapshots) && rules.mean(name, &snapshot.tags) => {
                (name, "meant by its name or tags, and not in use".to_owned())
            }
            _ => continue,
        };
        let kept = if snapshot.owner != fleet.account {
            Some("another account's".to_owned())
        } else if let Some(who) = used.get(snapshot.id.as_str()) {
            Some(format!("in use: {who}"))
        } else if snapshot.state != "completed" {
            Some(format!("it is {}", snapshot.state))
        } else {
            spared(&snapshot.tags, snapshot.created, fleet, rules)
        };
        match kept {
            Some(why) => plan.keep(&snapshot.id, name, why),
            None => found.push(Found { snapshot, name, why }),
        }
    }
    found.sort_by_key(|found| (found.snapshot.created, &found.snapshot.id));
    found
}

/// Plans for all snapshots.
pub(super) fn plan(plan: &mut Plan, survey: &Survey, rules: &Rules) {
    let found = candidates(plan, &survey.fleet, rules);
    if found.len() > rules.limit {
        let beyond = found.len() - rules.limit;
        plan.notes.push(format!("{beyond} more snapshots wait for another run (--limit)"));
    }
    for Found { snapshot, name, why } in found.into_iter().take(rules.limit) {
        let grants = survey.snapshot_grants.get(&snapshot.id);
        match grants.map(|grants| grants.first()) {
            None => plan.keep(&snapshot.id, name, "who may use it is not known"),
            Some(Some(who)) => plan.keep(&snapshot.id, name, format!("{who} may use it")),
            Some(None) => {
                plan.step(Action::DeleteSnapshot { snapshot: snapshot.id.clone() }, name, why);
            }
        }
    }
}
