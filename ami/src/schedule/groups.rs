//! Which groups are meant, in which order they are, and what keeps one as it is.

use std::str::FromStr;

use super::{OWN, Survey};
use crate::fleet::schedules::Scheduled;
use crate::fleet::{Group, tag};
use crate::pattern::Pattern;

/// The place in the order of a group that says nothing of it.
const PLACE: u32 = 1;

/// The last place in the order.
const LAST: u32 = 100;

/// What a group's tag `role` says of a database.
const DATABASES: [&str; 2] = ["database", "db"];

/// Processes that neither turn a group up or down, nor bring its instances into service. Any
/// other that is suspended keeps the group as it is.
const HARMLESS: [&str; 5] =
    ["AZRebalance", "AlarmNotification", "HealthCheck", "InstanceRefresh", "ReplaceUnhealthy"];

/// A tag and its exact value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagIs {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl FromStr for TagIs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                Ok(Self { key: key.to_owned(), value: value.to_owned() })
            }
            _ => Err(format!("'{text}' is no tag such as environment=stg")),
        }
    }
}

/// Which groups are meant: those that have all the tags, and the name where one is given.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Exact tags.
    pub tags: Vec<TagIs>,
    /// What the whole name is like.
    pub name: Option<Pattern>,
}

impl Choice {
    /// Whether a group is meant. A choice that says nothing means none.
    pub fn means(&self, group: &Group) -> bool {
        let says_something = self.name.is_some() || !self.tags.is_empty();
        says_something
            && self.tags.iter().all(|it| group.tags.get(&it.key) == Some(&it.value))
            && self.name.as_ref().is_none_or(|name| name.matches(&group.name))
    }

    /// The groups that are meant, in the order in which they come up; those whose place is not
    /// clear are last.
    pub(super) fn of<'a>(&self, survey: &'a Survey) -> Vec<&'a Group> {
        let mut groups: Vec<_> = survey.groups.iter().filter(|it| self.means(it)).collect();
        groups.sort_by_key(|it| (place(it).unwrap_or(u32::MAX), it.name.as_str()));
        groups
    }
}

/// Where a group is in the order in which groups come up.
pub(super) fn place(group: &Group) -> Result<u32, String> {
    let Some(text) = group.tags.get(tag::SCHEDULE_ORDER) else {
        let role = group.tags.get(tag::ROLE).map(String::as_str).unwrap_or_default();
        return Ok(if DATABASES.contains(&role) { 0 } else { PLACE });
    };
    let are_digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let place = text.parse().ok().filter(|place| are_digits && *place <= LAST);
    place.ok_or_else(|| {
        format!("its tag {} is no number from 0 to {LAST}: '{text}'", tag::SCHEDULE_ORDER)
    })
}

/// Whether a group's owner wants it left alone.
pub(super) fn is_opted_out(group: &Group) -> bool {
    group.tags.get(tag::SKIP_SCHEDULE).is_some_and(|it| !it.eq_ignore_ascii_case("false"))
}

/// What keeps a group from being turned up or down at all.
pub(super) fn hindered(group: &Group, survey: &Survey) -> Option<String> {
    if let Some(status) = &group.status {
        return Some(format!("AWS says of it: {status}"));
    }
    match survey.refreshes.get(&group.name) {
        None => return Some("whether its instances are being refreshed is not known".to_owned()),
        Some(Some(state)) => return Some(format!("a refresh of its instances is {state}")),
        Some(None) => {}
    }
    let stops = |process: &&String| !HARMLESS.contains(&process.as_str());
    let stopped = group.suspended.iter().find(stops);
    stopped.map(|process| format!("its process '{process}' is suspended"))
}

/// The scheduled actions of a group: gild-ami's own, and the others.
pub(super) fn actions<'a>(
    group: &Group,
    survey: &'a Survey,
) -> (Vec<&'a Scheduled>, Vec<&'a Scheduled>) {
    let all = survey.scheduled.get(&group.name).map(Vec::as_slice).unwrap_or_default();
    all.iter().partition(|action| action.name.starts_with(OWN))
}

/// What people know a group by besides its name.
pub(super) fn title(group: &Group) -> &str {
    group.tags.get(tag::APP).map(String::as_str).unwrap_or_default()
}
