//! Images, with their snapshots.

use std::collections::BTreeSet;

use super::{Kind, Rules, Survey, spared};
use crate::fleet::usage::Versions;
use crate::fleet::{Fleet, Image};
use crate::plan::Plan;

/// Images that are meant and that nothing here uses, the oldest first: those whose grants have to
/// be known. `gone` are instances that go before.
pub(super) fn candidates<'a>(
    plan: &mut Plan,
    fleet: &'a Fleet,
    rules: &Rules,
    gone: &BTreeSet<&str>,
) -> Vec<&'a Image> {
    if !rules.has(Kind::Images) {
        return Vec::new();
    }
    let used = fleet.used_images_beside(&Versions::new(), gone);
    let mut found = Vec::new();
    for image in fleet.images.iter().filter(|image| rules.mean(&image.name, &image.tags)) {
        let why = if image.owner != fleet.account {
            Some("another account's".to_owned())
        } else if image.state != "available" {
            Some(format!("it is {}", image.state))
        } else if let Some(who) = used.get(image.id.as_str()) {
            Some(format!("in use: {who}"))
        } else {
            let unnamed = || {
                fleet.unnamed_image(&Versions::new()).map(|(template, _)| {
                    format!("launch template {} may start any image", template.name)
                })
            };
            spared(&image.tags, image.created, fleet, rules).or_else(unnamed)
        };
        match why {
            Some(why) => plan.keep(&image.id, &image.name, why),
            None => found.push(image),
        }
    }
    found.sort_by_key(|image| (image.created, &image.id));
    found
}

/// Plans for all images.
pub(super) fn plan(plan: &mut Plan, survey: &Survey, rules: &Rules, gone: &BTreeSet<&str>) {
    let fleet = &survey.fleet;
    let found = candidates(plan, fleet, rules, gone);
    if found.len() > rules.limit {
        let beyond = found.len() - rules.limit;
        plan.notes.push(format!("{beyond} more images wait for another run (--limit)"));
    }
    let mut going = Vec::new();
    for image in found.into_iter().take(rules.limit) {
        let none = BTreeSet::new();
        match survey.image_grants.get(&image.id).map(|grants| grants.beyond(&none)) {
            None => plan.keep(&image.id, &image.name, "who may use it is not known"),
            Some(Some(who)) => plan.keep(&image.id, &image.name, format!("{who} may use it")),
            Some(None) => going.push(image),
        }
    }
    plan.take_images(fleet, &going, "meant by its name or tags, and not in use");
}
