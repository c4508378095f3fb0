//! Assigning: a launch template gets a version that starts the newest image of its service. It is
//! the default one only where that is asked for; instances that run are replaced only where that
//! is asked for, too.

mod refresh;
mod survey;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

pub use self::refresh::Refresh;
pub use self::survey::survey;

use crate::cloud::Place;
use crate::fleet::{Fleet, Image, Tags, Template, tag};
use crate::plan::{Action, Plan};
use crate::version::Version;

/// The verb.
pub const VERB: &str = "assign";

/// What is assigned, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// These services.
    pub apps: BTreeSet<String>,
    /// The template, by name or id. Where none is given, it is the one that has the service's name
    /// in its tag `app`, else in its own name.
    pub template: Option<String>,
    /// Whether a pre-release may be the newest.
    pub pre_release: bool,
    /// The version whose other settings the new one has; the latest where none is given.
    pub from_version: Option<u64>,
    /// Whether it is the default one from then on.
    pub default: bool,
    /// How instances are replaced, where they are.
    pub refresh: Option<Refresh>,
}

/// What would be assigned: to all services, or, where it cannot be told for one of them, to none.
pub fn plan(place: &Place, fleet: &Fleet, rules: &Rules) -> Plan {
    let mut plan = Plan::new(VERB, place);
    for app in &rules.apps {
        match found(fleet, app, rules) {
            Ok((template, image)) => assign(&mut plan, place, fleet, (template, image), rules),
            Err(why) => return Plan::refused(VERB, Some(place), format!("{app}: {why}")),
        }
    }
    plan
}

/// A service's template, and its newest image.
fn found<'a>(
    fleet: &'a Fleet,
    app: &str,
    rules: &Rules,
) -> Result<(&'a Template, &'a Image), String> {
    let template = template(fleet, app, rules)?;
    let version = |image: &Image| {
        image.version().filter(|version| rules.pre_release || !version.is_pre_release())
    };
    let is_fit = |image: &&Image| {
        image.app() == Some(app) && image.owner == fleet.account && image.state == "available"
    };
    let own: Vec<_> = fleet.images.iter().filter(is_fit).collect();
    let newest: Option<Version> = own.iter().filter_map(|image| version(image)).max();
    let Some(newest) = newest else {
        return Err("no image of it is available whose version is one".to_owned());
    };
    let newest_version = newest;
    let is_newest = |image: &&Image| version(image).as_ref() == Some(&newest_version);
    let mut newest: Vec<_> = own.into_iter().filter(is_newest).collect();
    // A version is built for several processors and systems: the template keeps to its own.
    let current = current(template).and_then(|id| fleet.images.iter().find(|it| it.id == id));
    if let Some(current) = current {
        if let Some(version) = current.version().filter(|version| *version > newest_version) {
            return Err(format!(
                "its template starts {version}, which is newer than {newest_version}"
            ));
        }
        let base = |image: &Image| image.tags.get("base").cloned();
        newest.retain(|it| it.architecture == current.architecture);
        if newest.len() > 1 {
            newest.retain(|it| base(it) == base(current));
        }
    }
    match newest[..] {
        [image] => Ok((template, image)),
        [] => Err("its newest version has no image for the template's processor".to_owned()),
        _ => {
            let ids: Vec<_> = newest.iter().map(|image| image.id.as_str()).collect();
            Err(format!("its newest version has several images: {}", ids.join(", ")))
        }
    }
}

fn template<'a>(fleet: &'a Fleet, app: &str, rules: &Rules) -> Result<&'a Template, String> {
    let by = |is_it: &dyn Fn(&Template) -> bool| {
        fleet.templates.iter().filter(|template| is_it(template)).collect::<Vec<_>>()
    };
    let found = match &rules.template {
        Some(named) => by(&|it| it.name == *named || it.id == *named),
        None => match by(&|it| it.tags.get(tag::APP).is_some_and(|its| its == app)) {
            tagged if tagged.is_empty() => by(&|it| it.name == app),
            tagged => tagged,
        },
    };
    match found[..] {
        [template] => Ok(template),
        [] => Err("no launch template has its name or its tag 'app'".to_owned()),
        _ => Err("several launch templates have its tag 'app': say which (--template)".to_owned()),
    }
}

/// The image of a template's latest version.
fn current(template: &Template) -> Option<&str> {
    image_of(template, template.latest_version)
}

fn image_of(template: &Template, number: u64) -> Option<&str> {
    let version = template.versions.iter().find(|version| version.number == number);
    version.and_then(|version| version.image.as_deref())
}

fn assign(
    plan: &mut Plan,
    place: &Place,
    fleet: &Fleet,
    (template, image): (&Template, &Image),
    rules: &Rules,
) {
    let name = &template.name;
    let said = image.version().map(|version| version.to_string()).unwrap_or_default();
    let is_there = current(template) == Some(image.id.as_str());
    let number = if is_there { template.latest_version } else { template.latest_version + 1 };
    if is_there {
        plan.keep(&template.id, name, format!("version {number} starts {} already", image.id));
    } else {
        let from = rules.from_version.unwrap_or(template.latest_version);
        if !template.versions.iter().any(|version| version.number == from) {
            plan.keep(&template.id, name, format!("it has no version {from}"));
            return;
        }
        let action = Action::CreateTemplateVersion {
            template: template.id.clone(),
            from,
            image: image.id.clone(),
            description: said.clone(),
            token: token(place, template, image),
        };
        plan.step(action, name, format!("{} is the newest, {said}", image.id));
    }
    if rules.default && image_of(template, template.default_version) != Some(image.id.as_str()) {
        let (template_id, image_id) = (template.id.clone(), image.id.clone());
        let action = Action::SetDefaultVersion { template: template_id, image: image_id };
        plan.step(action, name, format!("version {number} is to be the default (--default)"));
    }
    if image.tags.get(tag::TEMPLATE_STATUS) != Some(name) {
        let tags = Tags::from([(tag::TEMPLATE_STATUS.to_owned(), name.clone())]);
        plan.step(Action::Tag { resource: image.id.clone(), tags }, &image.name, "assigned");
    }
    if let Some(refresh) = &rules.refresh {
        refresh.plan(plan, fleet, (template, image), number, rules.default);
    }
}

/// By it EC2 makes one version however often it is asked.
fn token(place: &Place, template: &Template, image: &Image) -> String {
    let Place { account, region } = place;
    let latest = template.latest_version;
    let seed = format!("{account} {region} {} {latest} {}", template.id, image.id);
    Sha256::digest(seed.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
