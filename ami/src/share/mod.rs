//! Sharing: others may start instances of an image, and make volumes of its snapshots. Run in the
//! account that builds images. An encrypted image is never shared: its key is not, so that nobody
//! could start it.

mod recipients;
mod survey;

use std::collections::{BTreeMap, BTreeSet};

pub use self::recipients::{RecipientError, Recipients, account, organization};
pub use self::survey::survey;

use crate::cloud::Place;
use crate::fleet::{Grants, Image};
use crate::plan::{Action, Plan};

/// The verb.
pub const VERB: &str = "share";

/// Which images are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// These services, each with its newest version.
    pub apps: BTreeSet<String>,
    /// This version instead of the newest.
    pub version: Option<String>,
    /// These images, by id.
    pub images: BTreeSet<String>,
}

impl Rules {
    /// The images that are meant.
    fn pick<'a>(&self, images: &'a [Image]) -> Vec<&'a Image> {
        let mut picked: Vec<&Image> = Vec::new();
        for app in &self.apps {
            let own = || images.iter().filter(|image| image.app() == Some(app));
            let newest = own().filter_map(Image::version).max();
            picked.extend(own().filter(|image| match &self.version {
                Some(wanted) => image.tags.get(crate::fleet::tag::VERSION) == Some(wanted),
                None => newest.is_some() && image.version() == newest,
            }));
        }
        picked.extend(images.iter().filter(|image| self.images.contains(&image.id)));
        picked.sort_by(|one, other| one.id.cmp(&other.id));
        picked.dedup_by(|one, other| one.id == other.id);
        picked
    }

    /// What is meant and not there.
    fn missing(&self, images: &[Image]) -> Vec<String> {
        let has_app = |app: &&String| self.pick(images).iter().any(|it| it.app() == Some(app));
        let has_id = |id: &&String| images.iter().any(|image| image.id == **id);
        let apps = self.apps.iter().filter(|app| !has_app(app)).cloned();
        apps.chain(self.images.iter().filter(|id| !has_id(id)).cloned()).collect()
    }
}

/// What a plan is made of.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The account's images.
    pub images: Vec<Image>,
    /// Who may use those that are meant.
    pub image_grants: BTreeMap<String, Grants>,
    /// Who may make volumes of their snapshots.
    pub snapshot_grants: BTreeMap<String, BTreeSet<String>>,
}

/// What would be shared.
pub fn plan(place: &Place, survey: &Survey, rules: &Rules, with: &Recipients) -> Plan {
    let missing = rules.missing(&survey.images);
    if !missing.is_empty() {
        let why = format!("there is no image of {}", missing.join(", "));
        return Plan::refused(VERB, Some(place), why);
    }
    let mut plan = Plan::new(VERB, place);
    for image in rules.pick(&survey.images) {
        let why = if image.owner != place.account {
            Some("another account's".to_owned())
        } else if image.state != "available" {
            Some(format!("it is {}", image.state))
        } else if image.is_encrypted {
            Some("it is encrypted: nobody else could start it".to_owned())
        } else {
            None
        };
        if let Some(why) = why {
            plan.keep(&image.id, &image.name, why);
            continue;
        }
        // Snapshots first: who sees an image may copy it at once.
        for snapshot in &image.snapshots {
            let known = survey.snapshot_grants.get(snapshot).cloned().unwrap_or_default();
            let others = with.snapshot_accounts.iter().filter(|id| **id != place.account);
            let lacking: BTreeSet<_> = others.filter(|id| !known.contains(*id)).cloned().collect();
            if !lacking.is_empty() {
                let action =
                    Action::ShareSnapshot { snapshot: snapshot.clone(), with: lacking.clone() };
                let who: Vec<_> = lacking.into_iter().collect();
                plan.step(action, &image.name, format!("{} may not copy it yet", who.join(", ")));
            }
        }
        let known = survey.image_grants.get(&image.id).cloned().unwrap_or_default();
        let others = with.accounts.iter().filter(|id| **id != place.account);
        let lacking = Grants {
            accounts: others.filter(|id| !known.accounts.contains(*id)).cloned().collect(),
            organizations: with.organizations.difference(&known.organizations).cloned().collect(),
            is_public: false,
        };
        if lacking != Grants::default() {
            let who = lacking.accounts.iter().chain(&lacking.organizations);
            let who: Vec<_> = who.map(String::as_str).collect();
            let why = format!("{} may not start it yet", who.join(", "));
            plan.step(
                Action::ShareImage { image: image.id.clone(), with: lacking },
                &image.name,
                why,
            );
        }
    }
    if !with.organizations.is_empty() {
        plan.notes
            .push("EC2 shares snapshots with accounts alone, not with organisations".to_owned());
    }
    plan
}

#[cfg(test)]
mod tests;
