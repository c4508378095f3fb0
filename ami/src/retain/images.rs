//! Which images go, and their snapshots.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use super::{Rules, Survey};
use crate::fleet::usage::Versions;
use crate::fleet::{Fleet, Image, Tags, tag};
use crate::plan::{Action, Plan};
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
    let ids: BTreeSet<&str> = going.iter().map(|image| image.id.as_str()).collect();
    let shared: BTreeMap<&str, &Image> = fleet
        .images
        .iter()
        .filter(|image| !ids.contains(image.id.as_str()))
        .flat_map(|image| image.snapshots.iter().map(move |snapshot| (snapshot.as_str(), image)))
        .collect();
    let mut seen = BTreeSet::new();
    for image in going {
        let why = format!("older than the newest {} versions, and not in use", rules.versions);
        plan.step(Action::DeregisterImage { image: image.id.clone() }, &image.name, why);
        for id in image.snapshots.iter().filter(|id| seen.insert(id.as_str())) {
            // Snapshots that are not this account's are not its to delete.
            let Some(snapshot) = fleet.snapshots.iter().find(|found| &found.id == id) else {
                plan.keep(id, &image.name, "not a snapshot of this account");
                continue;
            };
            if let Some(other) = shared.get(id.as_str()) {
                plan.keep(id, &image.name, format!("in use: image {} has it too", other.id));
            } else if let Some(why) = opted_out(&snapshot.tags, false) {
                plan.keep(id, &image.name, why);
            } else {
                let action = Action::DeleteSnapshot { snapshot: id.clone() };
                plan.step(action, &image.name, format!("of image {}", image.id));
            }
        }
    }
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
            fleet.unnamed_image().map(|(template, image)| {
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
    if grants.is_public || image.is_public {
        return Some("everybody may use it".to_owned());
    }
    if let Some(organization) = grants.organizations.first() {
        return Some(format!("{organization} may use it"));
    }
    let unknown = grants.accounts.iter().find(|account| !survey.looked_at.contains(*account));
    unknown.map(|account| format!("account {account} may use it, and was not looked at (--reader)"))
}

/// Why tags keep a thing.
pub(super) fn opted_out(tags: &Tags, only_marked: bool) -> Option<&'static str> {
    let is =
        |key, value: &str| tags.get(key).is_some_and(|it: &String| it.eq_ignore_ascii_case(value));
    if tags.contains_key(tag::SKIP_CLEAN) && !is(tag::SKIP_CLEAN, "false") {
        return Some("amm:SkipClean");
    }
    match tags.contains_key(tag::CLEAN) {
        true if !is(tag::CLEAN, "true") => Some("amm:Clean is not true"),
        false if only_marked => Some("not marked by amm:Clean"),
        _ => None,
    }
}

/// Whether a thing is younger than the floor. What has no known age is.
pub(super) fn is_young(
    created: Option<SystemTime>,
    now: Option<SystemTime>,
    floor: Duration,
) -> bool {
    let age = created.zip(now).and_then(|(created, now)| now.duration_since(created).ok());
    age.is_none_or(|age| age < floor)
}
