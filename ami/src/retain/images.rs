//! Which images go, and their snapshots.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Rules, Survey};
use crate::fleet::tags::{is_young, opted_out};
use crate::fleet::usage::Versions;
use crate::fleet::{Fleet, Image};
use crate::plan::Plan;
use crate::version::Version;

/// Images that might go, the oldest first: those whose grants have to be known.
pub(super) fn candidates<'a>(fleet: &'a Fleet, rules: &Rules, gone: &Versions) -> Vec<&'a Image> {
    let mut silent = Plan::default();
    sift(&mut silent, fleet, rules, gone)
}

/// Plans for all images.
pub(super) fn plan(plan: &mut Plan, survey: &Survey, rules: &Rules, gone: &Versions) {
    let fleet = &survey.fleet;
    let found = sift(plan, fleet, rules, gone);
    let beyond = found.len().saturating_sub(rules.limit);
    if beyond > 0 {
        plan.notes.push(format!("{beyond} more images wait for another run (--limit)"));
    }
    let mut going: Vec<&Image> = Vec::new();
    for image in found.into_iter().take(rules.limit) {
        match granted(image, survey) {
            Some(why) => plan.keep(&image.id, &image.name, why),
            None => going.push(image),
        }
    }
    let why = format!("older than the newest {} versions, and not in use", rules.versions);
    plan.take_images(fleet, &going, &why);
}

/// Says of each image why it stays, and gives those that need not, the oldest first.
fn sift<'a>(plan: &mut Plan, fleet: &'a Fleet, rules: &Rules, gone: &Versions) -> Vec<&'a Image> {
    let used = fleet.used_images(gone);
    let newest = newest(fleet, rules.versions);
    let mut going = Vec::new();
    for image in &fleet.images {
        let why = if image.owner != fleet.account {
            Some("another account's".to_owned())
        } else if let Some(why) = opted_out(&image.tags, rules.only_marked) {
            Some(why.to_owned())
        } else if image.app().is_none() {
            Some("no tag 'app': nobody's".to_owned())
        } else if image.state != "available" {
            Some(format!("it is {}", image.state))
        } else if newest.contains(image.id.as_str()) {
            Some(format!("among the newest {} versions", rules.versions))
        } else if let Some(who) = used.get(image.id.as_str()) {
            Some(format!("in use: {who}"))
        } else if is_young(image.created, fleet.now, rules.min_age) {
            Some("younger than the floor".to_owned())
        } else {
            fleet.unnamed_image(gone).map(|(template, image)| {
                format!("launch template {} starts '{image}', which may be any", template.name)
            })
        };
        match why {
            Some(why) => plan.keep(&image.id, &image.name, why),
            None => going.push(image),
        }
    }
    going.sort_by_key(|image| (image.created, image.id.clone()));
    going
}

/// The images of each service's newest versions. What calls itself no version, such as a test
/// of a workflow, takes none of their places: it has as many of its own.
fn newest(fleet: &Fleet, count: usize) -> BTreeSet<&str> {
    let mut services: BTreeMap<&str, Vec<&Image>> = BTreeMap::new();
    for image in &fleet.images {
        if let Some(app) = image.app() {
            services.entry(app).or_default().push(image);
        }
    }
    let mut newest = BTreeSet::new();
    for images in services.into_values() {
        let versions: BTreeSet<Reverse<Version>> =
            images.iter().filter_map(|image| image.version()).map(Reverse).collect();
        let versions: Vec<_> = versions.into_iter().take(count).collect();
        let mut unversioned = Vec::new();
        for image in images {
            match image.version() {
                Some(version) if versions.contains(&Reverse(version.clone())) => {
                    newest.insert(image.id.as_str());
                }
                Some(_) => {}
                None => unversioned.push(image),
            }
        }
        unversioned.sort_by_key(|image| Reverse((image.created, image.id.as_str())));
        newest.extend(unversioned.into_iter().take(count).map(|image| image.id.as_str()));
    }
    newest
}

/// Why an image stays for others' sake.
fn granted(image: &Image, survey: &Survey) -> Option<String> {
    if let Some(who) = survey.used_elsewhere.get(&image.id) {
        return Some(format!("in use: {who}"));
    }
    let Some(grants) = survey.grants.get(&image.id) else {
        return Some("who may use it is not known".to_owned());
    };
    let others =
        grants.beyond(&survey.looked_at).or(image.is_public.then(|| "everybody".to_owned()));
    others.map(|who| format!("{who} may use it, and was not looked at (--reader)"))
}
