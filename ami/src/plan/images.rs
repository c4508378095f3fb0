//! Images that go, with their snapshots.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Plan};
use crate::fleet::tags::opted_out;
use crate::fleet::{Fleet, Image};

impl Plan {
    /// Takes images away, each before its snapshots. A snapshot that an image which stays has
    /// too, that opts out or that is another account's is kept.
    pub fn take_images(&mut self, fleet: &Fleet, going: &[&Image], why: &str) {
        let ids: BTreeSet<&str> = going.iter().map(|image| image.id.as_str()).collect();
        let staying = fleet.images.iter().filter(|image| !ids.contains(image.id.as_str()));
        let shared: BTreeMap<&str, &Image> = staying
            .flat_map(|image| image.snapshots.iter().map(move |id| (id.as_str(), image)))
            .collect();
        let own: BTreeMap<&str, _> =
            fleet.snapshots.iter().map(|snapshot| (snapshot.id.as_str(), snapshot)).collect();
        let launched = fleet.used_snapshots_by_launches();
        // A snapshot that several of them have goes after the last: EC2 deletes none that an image has.
        let mut last = BTreeMap::new();
        for image in going {
            last.extend(image.snapshots.iter().map(|id| (id.as_str(), image.id.as_str())));
        }
        for image in going {
            self.step(Action::DeregisterImage { image: image.id.clone() }, &image.name, why);
            let mut own_last = image.snapshots.clone();
            own_last.retain(|id| last.get(id.as_str()) == Some(&image.id.as_str()));
            own_last.sort_unstable();
            own_last.dedup();
            for id in own_last.iter().map(String::as_str) {
                let kept = match own.get(id) {
                    None => Some("not a snapshot of this account".to_owned()),
                    Some(snapshot) if snapshot.owner != fleet.account => {
                        Some("another account's".to_owned())
                    }
                    Some(snapshot) => shared
                        .get(id)
                        .map(|other| format!("in use: image {} has it too", other.id))
                        .or_else(|| launched.get(id).map(|who| format!("in use: {who}")))
                        .or_else(|| opted_out(&snapshot.tags, false).map(str::to_owned)),
                };
                match kept {
                    Some(why) => self.keep(id, &image.name, why),
                    None => {
                        let action = Action::DeleteSnapshot { snapshot: id.to_owned() };
                        self.step(action, &image.name, format!("of image {}", image.id));
                    }
                }
            }
        }
    }
}
