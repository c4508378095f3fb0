//! Instances. Those of a group are the group's: it would start others.

use std::collections::BTreeSet;

use super::{Kind, Rules, spared};
use crate::fleet::Fleet;
use crate::plan::{Action, Plan};

/// Plans for all instances, and says which go.
pub(super) fn plan<'a>(plan: &mut Plan, fleet: &'a Fleet, rules: &Rules) -> BTreeSet<&'a str> {
    let mut gone = BTreeSet::new();
    if !rules.has(Kind::Instances) {
        return gone;
    }
    for instance in &fleet.instances {
        let name = instance.tags.get("Name").map(String::as_str).unwrap_or_default();
        // On its way already.
        if !rules.mean(name, &instance.tags) || instance.state == "shutting-down" {
            continue;
        }
        let group = instance.group.as_deref().or_else(|| {
            let has = |(id, _): &(String, _)| *id == instance.id;
            fleet.groups.iter().find(|it| it.instances.iter().any(has)).map(|it| it.name.as_str())
        });
        let why = match group {
            Some(group) => Some(format!("in use: of group {group}")),
            None => spared(&instance.tags, instance.launched, fleet, rules),
        };
        match why {
            Some(why) => plan.keep(&instance.id, name, why),
            None => {
                let action = Action::TerminateInstance { instance: instance.id.clone() };
                plan.step(
                    action,
                    name,
                    format!("meant by its name or tags, and {}", instance.state),
                );
                gone.insert(instance.id.as_str());
            }
        }
    }
    gone
}
