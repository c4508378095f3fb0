//! Copies: run in the account that uses images. What the build account shares with it becomes its
//! own, in its regions and under its key, so that nothing that account does later takes it away.
//!
//! A copy carries the tags of its source, and says by `amm:source_…` what it is of: by that a run
//! knows what is there already, is under way, or is of an image that has been built anew. The old
//! copy of a name goes after the new one is available.

mod described;
mod replaced;
mod survey;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

pub use self::described::Described;
pub use self::survey::survey;

use crate::cloud::Place;
use crate::fleet::{Fleet, Image, Tags, tag};
use crate::plan::{Action, Plan};
use crate::version::Version;

/// The verb.
pub const VERB: &str = "copy";

/// The most letters of an image's name (EC2, CopyImage).
const LONGEST_NAME: usize = 128;

/// What is copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The account that builds images.
    pub from: String,
    /// Only these services. All of them where none is given.
    pub apps: BTreeSet<String>,
    /// How many versions of each service.
    pub versions: usize,
    /// The most copies that one run makes.
    pub limit: usize,
    /// The key that copies are encrypted with. Where none is given, it is the account's default.
    pub kms_key: Option<String>,
}

/// An image that the build account shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its region.
    pub region: String,
    /// The image, with its tags where they could be read.
    pub image: Image,
}

/// What a plan is made of.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// What is shared: regions in the order in which they are preferred.
    pub sources: Vec<Source>,
    /// The account's own region.
    pub fleet: Fleet,
}

/// A source that is to be there as a copy.
struct Wanted<'a> {
    source: &'a Source,
    described: Described,
    version: Option<Version>,
}

/// What would be copied, and which old copies would go.
pub fn plan(place: &Place, survey: &Survey, rules: &Rules) -> Plan {
    let mut plan = Plan::new(VERB, place);
    let fleet = &survey.fleet;
    let mut names: BTreeSet<&str> = fleet.images.iter().map(|image| image.name.as_str()).collect();
    let (mut made, mut beyond) = (0, 0);
    let mut replaced = Vec::new();
    let wanted = wanted(&mut plan, survey, rules);
    await_begun(&mut plan, fleet, rules);
    for one in &wanted {
        let source = &one.source.image;
        let copies = || fleet.images.iter().filter(|image| is_copy_of(image, source, &rules.from));
        let failed = copies().filter(|copy| is_failed(copy)).count();
        let is_coming = |copy: &&Image| copy.state == "available" || is_under_way(copy);
        let live = copies().find(is_coming).or_else(|| copies().find(|copy| !is_failed(copy)));
        match live {
            Some(copy) if is_coming(&copy) => {}
            // Somebody has switched it off: nothing replaces it.
            Some(copy) => {
                plan.keep(&copy.id, &copy.name, format!("it is {}", copy.state));
                continue;
            }
            None if made == rules.limit => {
                beyond += 1;
                continue;
            }
            None => {
                made += 1;
                let name = free_name(source, failed, &names);
                let why = format!("{} shares {} and it is not here yet", rules.from, source.id);
                plan.step(copy_image(place, one, &name, failed, rules), &source.name, why);
            }
        }
        names.insert(&source.name);
        replaced.push(one);
    }
    if beyond > 0 {
        plan.notes.push(format!("{beyond} more images wait for another run (--limit)"));
    }
    replaced::remove_old(&mut plan, fleet, &replaced, rules);
    plan
}

/// Waits for copies that were begun before, of whatever service: they come first, because they are
/// among those that EC2 makes at once.
fn await_begun(plan: &mut Plan, fleet: &Fleet, rules: &Rules) {
    for copy in &fleet.images {
        let says = |key: &str| copy.tags.get(key).map(String::as_str);
        let is_ours = says(tag::SOURCE_ACCOUNT) == Some(rules.from.as_str());
        if copy.owner == fleet.account && is_ours && is_under_way(copy) {
            let source = says(tag::SOURCE_AMI).unwrap_or_default();
            let why = format!("a copy of {source} that was begun before is {}", copy.state);
            plan.step(Action::AwaitImage { image: copy.id.clone() }, &copy.name, why);
        }
    }
}

/// The newest versions of each service, the newest image first.
fn wanted<'a>(plan: &mut Plan, survey: &'a Survey, rules: &Rules) -> Vec<Wanted<'a>> {
    let mut services: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for source in &survey.sources {
        let image = &source.image;
        // The same name in a region that is preferred less is the same image.
        if image.owner != rules.from || !seen.insert(image.name.as_str()) {
            continue;
        }
        let Some(described) = Described::of(image) else {
            plan.keep(
                &image.id,
                &image.name,
                "neither its tags nor its description name a service",
            );
            continue;
        };
        if !rules.apps.is_empty() && !rules.apps.contains(&described.app) {
            continue;
        }
        if image.state != "available" || image.is_encrypted {
            let why = if image.is_encrypted {
                "it is encrypted with another account's key"
            } else {
                "it is not available"
            };
            plan.keep(&image.id, &image.name, why);
            continue;
        }
        let version = Version::parse(&described.version);
        let of_service = services.entry(described.app.clone()).or_default();
        of_service.push(Wanted { source, described, version });
    }
    let mut wanted = Vec::new();
    for (_, mut of_service) in services {
        let versions: BTreeSet<_> =
            of_service.iter().filter_map(|one| one.version.clone()).collect();
        let newest: Vec<_> = versions.into_iter().rev().take(rules.versions).collect();
        // What calls itself no version, such as a test of a workflow, stays where it was made.
        of_service.retain(|one| one.version.as_ref().is_some_and(|it| newest.contains(it)));
        wanted.extend(of_service);
    }
    wanted.sort_by(|one, other| {
        let of = |it: &Wanted| (it.source.image.created, it.source.image.id.clone());
        of(other).cmp(&of(one))
    });
    wanted
}

fn is_copy_of(copy: &Image, source: &Image, from: &str) -> bool {
    let says = |key: &str| copy.tags.get(key).map(String::as_str);
    says(tag::SOURCE_AMI) == Some(source.id.as_str()) && says(tag::SOURCE_ACCOUNT) == Some(from)
}

/// States of an image that is being made.
fn is_under_way(image: &Image) -> bool {
    ["pending", "transient"].contains(&image.state.as_str())
}

/// States that come to nothing (EC2, "Image").
fn is_failed(image: &Image) -> bool {
    ["failed", "error", "invalid", "deregistered"].contains(&image.state.as_str())
}

/// A name is given once in an account's region. While an older copy has it, the new one has a part
/// of its source's id behind it, and as much of the name before that as EC2 takes.
fn free_name(source: &Image, failed: usize, names: &BTreeSet<&str>) -> String {
    let id: String = source.id.trim_start_matches("ami-").chars().take(8).collect();
    let more = (failed..).map(|number| {
        let end = if number == 0 { format!("-{id}") } else { format!("-{id}-{number}") };
        let room = LONGEST_NAME.saturating_sub(end.len());
        source.name.chars().take(room).chain(end.chars()).collect()
    });
    let mut all = std::iter::once(source.name.clone()).chain(more);
    // There are more names than images.
    all.find(|name| !names.contains(name.as_str())).unwrap_or_default()
}

fn copy_image(place: &Place, one: &Wanted, name: &str, failed: usize, rules: &Rules) -> Action {
    let Source { region, image } = one.source;
    let is_carried = |key: &&String| !key.starts_with("aws:") && !key.starts_with("amm:");
    let own = image.tags.iter().filter(|(key, _)| is_carried(key));
    let mut tags: Tags = own.map(|(key, value)| (key.clone(), value.clone())).collect();
    tags.extend(one.described.tags());
    tags.entry("Name".to_owned()).or_insert_with(|| image.name.clone());
    for (key, value) in [
        (tag::SOURCE_AMI, &image.id),
        (tag::SOURCE_REGION, region),
        (tag::SOURCE_ACCOUNT, &rules.from),
        (tag::SOURCE_NAME, &image.name),
    ] {
        tags.insert(key.to_owned(), value.clone());
    }
    // By it EC2 makes one copy however often it is asked, so that a run that died between the call
    // and its answer leaves no second one.
    let seed = format!("{} {} {} {failed}", image.id, place.account, place.region);
    let digest = Sha256::digest(seed.as_bytes());
    Action::CopyImage {
        source: image.id.clone(),
        region: region.clone(),
        name: name.to_owned(),
        description: image.description.clone(),
        kms_key: rules.kms_key.clone(),
        token: digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
        tags,
    }
}

#[cfg(test)]
mod tests;
