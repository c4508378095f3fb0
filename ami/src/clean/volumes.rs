//! Volumes that nothing has.

use super::{Kind, Rules, spared};
use crate::fleet::Fleet;
use crate::plan::{Action, Plan};

/// Plans for all volumes.
pub(super) fn plan(plan: &mut Plan, fleet: &Fleet, rules: &Rules) {
    if !rules.has(Kind::Volumes) {
        return;
    }
    for volume in &fleet.volumes {
        let name = volume.tags.get("Name").map(String::as_str).unwrap_or_default();
        if !rules.mean(name, &volume.tags) || volume.state == "deleting" {
            continue;
        }
        let why = if let Some(instance) = volume.instances.first() {
            Some(format!("in use: instance {instance} has it"))
        } else if volume.state != "available" {
            Some(format!("it is {}", volume.state))
        } else {
            spared(&volume.tags, volume.created, fleet, rules)
        };
        match why {
            Some(why) => plan.keep(&volume.id, name, why),
            None => {
                let action = Action::DeleteVolume { volume: volume.id.clone() };
                plan.step(action, name, "meant by its name or tags, and nothing has it");
            }
        }
    }
}
