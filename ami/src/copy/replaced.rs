//! Copies that have served: those of images that were built anew under the same name, and those
//! that came to nothing. They go last, and only copies of this build account do.

use super::{Rules, Wanted, is_copy_of, is_failed, is_under_way};
use crate::fleet::tags::opted_out;
use crate::fleet::usage::Versions;
use crate::fleet::{Fleet, tag};
use crate::plan::Plan;

/// Old copies of the same names, of images that were built anew since.
pub(super) fn remove_old(plan: &mut Plan, fleet: &Fleet, replaced: &[&Wanted], rules: &Rules) {
    let used = fleet.used_images(&Versions::new());
    let mut going = Vec::new();
    for one in replaced {
        let source = &one.source.image;
        for old in &fleet.images {
            let says = |key: &str| old.tags.get(key).map(String::as_str);
            let is_old = says(tag::SOURCE_ACCOUNT) == Some(rules.from.as_str())
                && says(tag::SOURCE_NAME) == Some(source.name.as_str())
                && !is_copy_of(old, source, &rules.from);
            let is_dead = is_failed(old) && is_copy_of(old, source, &rules.from);
            if !is_old && !is_dead {
                continue;
            }
            let why = if old.owner != fleet.account {
                Some("another account's".to_owned())
            } else if let Some(who) = used.get(old.id.as_str()) {
                Some(format!("in use: {who}"))
            } else if is_under_way(old) {
                Some(format!("it is {}", old.state))
            } else if let Some((template, _)) = fleet.unnamed_image(&Versions::new()) {
                Some(format!("launch template {} may start any image", template.name))
            } else {
                opted_out(&old.tags, false).map(str::to_owned)
            };
            match why {
                Some(why) => plan.keep(&old.id, &old.name, why),
                None => going.push(old),
            }
        }
    }
    plan.take_images(fleet, &going, "an old copy of a name that has a new one");
}
