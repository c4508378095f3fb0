//! What there is of schedules, without changing anything.

use std::fmt;
use std::time::SystemTime;

use serde::Serialize;

use super::groups::{actions, is_opted_out, place, title};
use super::memory::{self, Memory};
use super::on::{Clock, changes};
use super::{Choice, DOWN, Hours, STATUS, Survey, UP, Weekly, Zone};
use crate::cloud::Place;
use crate::fleet::Group;
use crate::fleet::schedules::{Scheduled, Sizes};
use crate::plan::write_table;

/// All groups that are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Where.
    pub place: Place,
    /// The groups, in the order in which they come up.
    pub groups: Vec<State>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// Its name.
    pub group: String,
    /// The service that it is of.
    pub app: String,
    /// How large it is.
    pub sizes: Sizes,
    /// How large it is when it is up, as far as that is remembered.
    pub remembered: Option<Sizes>,
    /// When it comes up next, by the clock of its time zone.
    pub up: Option<String>,
    /// When it goes down next.
    pub down: Option<String>,
    /// What is not as `schedule on` would make it.
    pub drift: Vec<String>,
}

/// What there is. Drift is from these hours; where none are given, from those that each group
/// has.
pub fn status(
    at: &Place,
    survey: &Survey,
    choice: &Choice,
    hours: Option<&Hours>,
    now: SystemTime,
) -> Report {
    let chosen = choice.of(survey);
    let last = chosen.iter().filter(|it| !is_opted_out(it)).filter_map(|it| place(it).ok()).max();
    let state = |group: &&Group| {
        let (own, _) = actions(group, survey);
        let found = |name: &str| own.iter().find(|it| it.name == name).and_then(|it| when(it));
        let (up, down) = (found(UP), found(DOWN));
        let wanted = match (hours, &up, &down) {
            (Some(hours), ..) => place(group).map(|it| hours.clock(it, last.unwrap_or(it))),
            (None, Some((up, zone)), Some((down, _))) => {
                Ok(Clock { up: *up, down: *down, zone: zone.clone() })
            }
            (None, None, None) if own.is_empty() => {
                Err("it has no schedule of gild-ami's".to_owned())
            }
            _ => Err("its schedule is not as gild-ami makes one".to_owned()),
        };
        let drift = match wanted.and_then(|clock| changes(group, survey, &clock)) {
            _ if is_opted_out(group) => vec!["amm:SkipSchedule".to_owned()],
            Ok(changes) => changes.into_iter().map(|(_, why)| why).collect(),
            Err(why) => vec![why],
        };
        let next = |found: &Option<(Weekly, Zone)>| {
            let (weekly, zone) = found.as_ref()?;
            Some(weekly.next(now, zone)?.strftime("%a %Y-%m-%d %H:%M %Z").to_string())
        };
        State {
            group: group.name.clone(),
            app: title(group).to_owned(),
            sizes: group.sizes(),
            remembered: match memory::of(&group.tags) {
                Memory::Sizes(sizes) => Some(sizes),
                Memory::None | Memory::Unclear => None,
            },
            up: next(&up),
            down: next(&down),
            drift,
        }
    };
    Report { place: at.clone(), groups: chosen.iter().map(state).collect() }
}

/// When an action is done, where it is one that can have been made here.
fn when(action: &Scheduled) -> Option<(Weekly, Zone)> {
    let weekly = action.recurrence.as_ref()?.parse().ok()?;
    Some((weekly, action.time_zone.as_ref()?.parse().ok()?))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{STATUS} in {} of {}", self.place.region, self.place.account)?;
        let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let head = ["group", "app", "now", "when up", "comes up", "goes down", "drift"];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(self.groups.iter().map(|group| {
            [
                group.group.clone(),
                group.app.clone(),
                group.sizes.to_string(),
                of(&group.remembered.map(|sizes| sizes.to_string())),
                of(&group.up),
                of(&group.down),
                if group.drift.is_empty() { "-".to_owned() } else { group.drift.join("; ") },
            ]
        }));
        write_table(f, &rows)?;
        writeln!(f, "  sizes are min/desired/max")
    }
}
