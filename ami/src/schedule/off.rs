//! Turning schedules off: what gild-ami has added is taken away again, and nothing else.

use std::collections::BTreeSet;

use super::groups::{actions, hindered, title};
use super::memory::{self, Memory};
use super::{Choice, OFF, Survey};
use crate::cloud::Place;
use crate::fleet::Group;
use crate::plan::{Action, Plan};

/// What would be done so that the groups of a choice are up, and stay so. A group that has opted
/// out since gets its own back as well.
pub fn off(at: &Place, survey: &Survey, choice: &Choice) -> Plan {
    let mut plan = Plan::new(OFF, at);
    let chosen = choice.of(survey);
    if chosen.is_empty() {
        plan.notes.push("there is no such group".to_owned());
    }
    for group in chosen {
        match changes(group, survey) {
            Ok(changes) if changes.is_empty() => {
                plan.keep(&group.name, title(group), "it has no schedule of gild-ami's");
            }
            Ok(changes) => {
                for (action, why) in changes {
                    plan.step(action, title(group), why);
                }
            }
            Err(why) => plan.keep(&group.name, title(group), why),
        }
    }
    plan
}

/// What has to change of one group, each with why; or why nothing may. The tags go last: a run
/// that dies before has left what the next one needs.
fn changes(group: &Group, survey: &Survey) -> Result<Vec<(Action, String)>, String> {
    let (own, _) = actions(group, survey);
    let keys: BTreeSet<_> = memory::keys(&group.tags).map(str::to_owned).collect();
    let mut changes = Vec::new();
    if own.is_empty() && keys.is_empty() {
        return Ok(changes);
    }
    let name = &group.name;
    let now = group.sizes();
    if !now.are_up() {
        let Memory::Sizes(sizes) = memory::of(&group.tags) else {
            return Err(format!("it is down ({now}), and its sizes are not remembered"));
        };
        if let Some(why) = hindered(group, survey) {
            return Err(why);
        }
        changes
            .push((Action::Resize { group: name.clone(), sizes }, format!("it is down ({now})")));
    }
    if !own.is_empty() {
        let actions = own.iter().map(|action| action.name.clone()).collect();
        let action = Action::Unschedule { group: name.clone(), actions };
        changes.push((action, "scheduled by gild-ami".to_owned()));
    }
    if !keys.is_empty() {
        let action = Action::UntagGroup { group: name.clone(), keys };
        changes.push((action, "its sizes need not be remembered any more".to_owned()));
    }
    Ok(changes)
}
