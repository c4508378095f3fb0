//! Turning schedules on.

use std::collections::BTreeSet;

use super::groups::{actions, hindered, is_opted_out, place, title};
use super::hours::DAY;
use super::memory::{self, Memory};
use super::{Choice, DOWN, Hours, ON, Survey, Time, UP, Weekly, Zone};
use crate::cloud::Place;
use crate::fleet::Group;
use crate::fleet::schedules::{Scheduled, Sizes};
use crate::plan::{Action, Plan};

/// When one group comes up and goes down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clock {
    /// When it comes up.
    pub(super) up: Weekly,
    /// When it goes down.
    pub(super) down: Weekly,
    /// Whose clock it is.
    pub(super) zone: Zone,
}

impl Hours {
    /// When the group at a place of the order comes up and goes down, `last` being the last
    /// place.
    pub(super) fn clock(&self, place: u32, last: u32) -> Clock {
        let at = |time| Weekly { time, days: self.days };
        Clock {
            up: at(self.up).later(place * self.stagger),
            down: at(self.down).later((last - place) * self.stagger),
            zone: self.zone.clone(),
        }
    }

    /// Whether all groups are up before the first goes down, and the other way round.
    fn check(&self, last: u32) -> Result<(), String> {
        let (up, down) = (self.up.minute(), self.down.minute());
        let Some(takes) = last.checked_mul(self.stagger).filter(|takes| *takes < DAY) else {
            return Err(format!("{last} times {} minutes are more than a day", self.stagger));
        };
        if up + takes >= down {
            let (at, _) = Time::after_midnight(up + takes);
            return Err(format!(
                "the last group comes up at {at}, and the first goes down at {}",
                self.down
            ));
        }
        if down + takes >= up + DAY {
            return Err(format!(
                "the last group goes down after the first comes up, at {}",
                self.up
            ));
        }
        Ok(())
    }
}

/// What would be done so that the groups of a choice are up in these hours, and down otherwise.
pub fn on(at: &Place, survey: &Survey, choice: &Choice, hours: &Hours) -> Plan {
    let chosen = choice.of(survey);
    let last = chosen.iter().filter(|it| !is_opted_out(it)).filter_map(|it| place(it).ok()).max();
    let Some(last) = last.or_else(|| (!chosen.is_empty()).then_some(0)) else {
        return Plan::refused(ON, Some(at), "there is no such group".to_owned());
    };
    if let Err(why) = hours.check(last) {
        return Plan::refused(ON, Some(at), why);
    }
    let mut plan = Plan::new(ON, at);
    // The place of a group that stays up all night: what it may need stays up too.
    let mut stays_up: Option<(u32, &Group)> = None;
    // What goes down first is scheduled first: a run that dies leaves databases up.
    for group in chosen.into_iter().rev() {
        let (own, _) = actions(group, survey);
        if is_opted_out(group) {
            let more = "; gild-ami's actions that it has are taken away by 'schedule off'";
            let more = if own.is_empty() { "" } else { more };
            plan.keep(&group.name, title(group), format!("amm:SkipSchedule{more}"));
            continue;
        }
        let found = place(group);
        let made = found.clone().and_then(|place| {
            let needed = stays_up.filter(|(other, _)| *other > place);
            let changes = changes(group, survey, &hours.clock(place, last))?;
            match needed.filter(|_| !changes.is_empty()) {
                Some((_, other)) => Err(format!("group {} may need it, and stays up", other.name)),
                None => Ok(changes),
            }
        });
        match made {
            Ok(changes) if changes.is_empty() => {
                plan.keep(&group.name, title(group), "as it should be");
            }
            Ok(changes) => {
                for (action, why) in changes {
                    plan.step(action, title(group), why);
                }
            }
            Err(why) => {
                plan.keep(&group.name, title(group), why);
                let goes_down = own.iter().any(|action| action.name == DOWN);
                if group.desired > 0 && !goes_down {
                    let place = found.unwrap_or(u32::MAX);
                    stays_up = stays_up.or(Some((place, group)));
                }
            }
        }
    }
    plan
}

/// What has to change of one group, each with why; or why nothing may.
pub(super) fn changes(
    group: &Group,
    survey: &Survey,
    clock: &Clock,
) -> Result<Vec<(Action, String)>, String> {
    let (own, others) = actions(group, survey);
    if let Some(other) = others.first() {
        return Err(format!("scheduled action '{}' is not gild-ami's", other.name));
    }
    if group.is_protected {
        return Err("instances of it are protected from scaling in".to_owned());
    }
    if let Some(why) = hindered(group, survey) {
        return Err(why);
    }
    let mut changes = Vec::new();
    let sizes = match (group.sizes(), memory::of(&group.tags)) {
        (now, Memory::Sizes(sizes)) if now.are_up() && now == sizes => now,
        (now, remembered) if now.are_up() => {
            let why = match remembered {
                Memory::Sizes(sizes) => format!("it is {now} now, and was {sizes}"),
                Memory::None => format!("it is {now} when it is up"),
                Memory::Unclear => format!("it is {now} now, and what it was is not clear"),
            };
            changes.push((remember(group, now), why));
            now
        }
        (_, Memory::Sizes(sizes)) => sizes,
        (now, Memory::None) => {
            return Err(format!("it is down ({now}), and its sizes are not remembered"));
        }
        (now, Memory::Unclear) => {
            return Err(format!("it is down ({now}), and the sizes it remembers are not clear"));
        }
    };
    let wanted = [
        scheduled(UP, clock.up, &clock.zone, sizes),
        scheduled(DOWN, clock.down, &clock.zone, Sizes::NONE),
    ];
    let is_wanted = |name: &str| wanted.iter().any(|it| it.name == name);
    let odd: BTreeSet<_> =
        own.iter().filter(|it| !is_wanted(&it.name)).map(|it| it.name.clone()).collect();
    if !odd.is_empty() {
        let action = Action::Unschedule { group: group.name.clone(), actions: odd };
        changes.push((action, "not used any more".to_owned()));
    }
    let lacking: Vec<_> = wanted.into_iter().filter(|it| !own.contains(&it)).collect();
    if !lacking.is_empty() {
        let why = lacking.iter().map(|it| differs(it, &own)).collect::<Vec<_>>().join("; ");
        changes.push((Action::Schedule { group: group.name.clone(), actions: lacking }, why));
    }
    Ok(changes)
}

fn remember(group: &Group, sizes: Sizes) -> Action {
    Action::TagGroup { group: group.name.clone(), tags: memory::tags(sizes) }
}

fn scheduled(name: &str, at: Weekly, zone: &Zone, sizes: Sizes) -> Scheduled {
    Scheduled {
        name: name.to_owned(),
        recurrence: Some(at.to_string()),
        time_zone: Some(zone.name().to_owned()),
        sizes: Some(sizes),
        is_ending: false,
    }
}

/// What an action is to be, and what it is now.
fn differs(wanted: &Scheduled, own: &[&Scheduled]) -> String {
    match own.iter().find(|it| it.name == wanted.name) {
        None => format!("{wanted}"),
        Some(found) => format!("{wanted} instead of {found}"),
    }
}
