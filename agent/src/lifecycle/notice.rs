//! What the metadata service says is coming, as values. Its pages are read
//! strictly: what is not as Amazon's pages describe it is no notice.
//!
//! To add a notice: a field of `Notices`, a parser here, and a `Question` in
//! `watch` that asks for it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::notify::limits::{CHARACTERS, cut, line};

/// The most scheduled events that are read.
const MOST_EVENTS: usize = 16;

/// The longest word, such as the name of an event.
const LONGEST_WORD: usize = 128;

/// The longest moment: down to nanoseconds.
const LONGEST_MOMENT: usize = "2017-09-18T08:22:00.000000000Z".len();

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 300;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What is coming for this instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices {
    /// Its spot capacity is taken back.
    pub spot: Option<SpotNotice>,
    /// Since when that is more likely than usual, RFC 3339.
    pub rebalance: Option<String>,
    /// The state that its group moves it to, or has moved it to.
    pub target_state: Option<TargetState>,
    /// What is planned for it.
    pub events: Vec<ScheduledEvent>,
    /// Why nothing newer is known; null while the metadata service answers.
    pub error: Option<String>,
}

impl Notices {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A spot interruption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotNotice {
    /// `terminate`, `stop` or `hibernate`.
    pub action: String,
    /// When, RFC 3339.
    pub time: String,
}

/// The state that the group moves the instance to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetState(String);

impl TargetState {
    /// The group's word for it.
    pub fn word(&self) -> &str {
        &self.0
    }

    /// Whether the instance serves, or is about to.
    pub fn is_in_service(&self) -> bool {
        self.0 == "InService"
    }

    /// Whether the instance waits in the warm pool, or is about to.
    pub fn is_warm(&self) -> bool {
        self.0.starts_with("Warmed:") && !self.is_ending()
    }

    /// Whether the group ends the instance.
    pub fn is_ending(&self) -> bool {
        matches!(self.0.as_str(), "Terminated" | "Warmed:Terminated")
    }
}

/// Something that is planned for the instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledEvent {
    /// Its name.
    pub id: String,
    /// What it is, such as `system-reboot`.
    pub code: String,
    /// `active`: those that are over are not kept.
    pub state: String,
    /// When it begins at the earliest, RFC 3339.
    pub not_before: Option<String>,
    /// When it ends at the latest, RFC 3339.
    pub not_after: Option<String>,
    /// Amazon's words for it.
    pub description: String,
}

/// Reads `spot/instance-action`.
pub fn spot(page: &str) -> Option<SpotNotice> {
    let value: Value = serde_json::from_str(page).ok()?;
    let action = text(&value, "action")?;
    let known = matches!(action, "terminate" | "stop" | "hibernate");
    known.then_some(())?;
    Some(SpotNotice { action: action.to_owned(), time: moment(text(&value, "time")?)? })
}

/// Reads `events/recommendations/rebalance`: the time of the notice.
pub fn rebalance(page: &str) -> Option<String> {
    let value: Value = serde_json::from_str(page).ok()?;
    moment(text(&value, "noticeTime")?)
}

/// Reads `autoscaling/target-lifecycle-state`.
pub fn target_state(page: &str) -> Option<TargetState> {
    let word = page.trim();
    let fine = |byte: u8| byte.is_ascii_alphabetic() || byte == b':';
    let fine = !word.is_empty() && word.len() <= LONGEST_WORD && word.bytes().all(fine);
    fine.then(|| TargetState(word.to_owned()))
}

/// Reads `events/maintenance/scheduled`: what is still to come of it.
pub fn events(page: &str) -> Option<Vec<ScheduledEvent>> {
    let value: Value = serde_json::from_str(page).ok()?;
    let mut active = value.as_array()?.iter().map(event).collect::<Option<Vec<_>>>()?;
    active.retain(|event| event.state == "active");
    active.truncate(MOST_EVENTS);
    Some(active)
}

fn event(value: &Value) -> Option<ScheduledEvent> {
    let word = |key: &str| text(value, key).filter(|word| is_word(word)).map(str::to_owned);
    let time = |key: &str| match value.get(key) {
        None | Some(Value::Null) => Some(None),
        Some(time) => day_and_time(time.as_str()?).map(Some),
    };
    let description = text(value, "Description").unwrap_or_default();
    Some(ScheduledEvent {
        id: word("EventId")?,
        code: word("Code")?,
        state: word("State")?,
        not_before: time("NotBefore")?,
        not_after: time("NotAfter")?,
        description: cut(&line(description), LONGEST_DESCRIPTION, CHARACTERS),
    })
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn is_word(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= LONGEST_WORD && text.bytes().all(fine)
}

/// A moment that is RFC 3339, as it stands there.
fn moment(text: &str) -> Option<String> {
    let is_one = text.len() <= LONGEST_MOMENT && humantime::parse_rfc3339(text).is_ok();
    is_one.then(|| text.to_owned())
}

/// `21 Jan 2019 09:00:43 GMT` as RFC 3339.
fn day_and_time(text: &str) -> Option<String> {
    let mut parts = text.split(' ');
    let (day, month) = (parts.next()?, parts.next()?);
    let (year, time) = (parts.next()?, parts.next()?);
    let ends = parts.next() == Some("GMT") && parts.next().is_none();
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    moment(&format!("{year}-{month:02}-{day:0>2}T{time}Z")).filter(|_| ends)
}

#[cfg(test)]
mod tests;
