//! What is told of what is coming, in words for people.

use std::fmt;

use sha2::{Digest, Sha256};

use super::notice::ScheduledEvent;
use super::watch::state::News;
use crate::notify::message::Event;
use crate::platform::hex::hex;

/// How many bytes of a digest are a name.
const NAME_BYTES: usize = 8;

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidings {
    /// What happens.
    pub event: Event,
    /// What it is, in words.
    pub text: String,
    /// What tells it from others of its kind: mostly its time.
    key: String,
}

impl Tidings {
    /// What is to be told of a piece of news; `None` of what is for the log alone.
    pub fn of(news: &News) -> Option<Self> {
        let (event, text, key) = match news {
            News::Spot(spot) => (
                Event::Spot,
                format!("spot interruption: {} at {}", spot.action, spot.time),
                spot.time.clone(),
            ),
            News::Terminating(state) => (
                Event::Terminating,
                format!("the group ends this instance: its target state is {}", state.word()),
                String::new(),
            ),
            News::Rebalance(time) => (
                Event::Rebalance,
                format!("an interruption has been more likely than usual since {time}"),
                time.clone(),
            ),
            News::Maintenance(event) => {
                let time = event.not_before.as_deref().unwrap_or_default();
                (Event::Maintenance, event.to_string(), format!("{} {time}", event.id))
            }
            News::Silent(_) | News::Answering => return None,
        };
        Some(Self { event, text, key })
    }

    /// The name of the message about it: the same for the same notice of the same
    /// instance, whoever finds it, so that it is told once.
    pub fn name(&self, instance_id: &str) -> String {
        let what = format!("{instance_id}\n{}\n{}", self.event.outcome(), self.key);
        let digest = Sha256::digest(what);
        hex(digest.get(..NAME_BYTES).unwrap_or_default())
    }
}

impl fmt::Display for ScheduledEvent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.code)?;
        if let Some(time) = &self.not_before {
            write!(out, " from {time}")?;
        }
        if let Some(time) = &self.not_after {
            write!(out, " to {time}")?;
        }
        if !self.description.is_empty() {
            write!(out, ": {}", self.description)?;
        }
        write!(out, " ({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::lifecycle::notice;

    fn event() -> ScheduledEvent {
        ScheduledEvent {
            id: "instance-event-1".to_owned(),
            code: "system-reboot".to_owned(),
            state: "active".to_owned(),
            not_before: Some("2019-01-21T09:00:43Z".to_owned()),
            not_after: Some("2019-01-21T09:17:23Z".to_owned()),
            description: "scheduled reboot".to_owned(),
        }
    }

    #[test]
    fn each_notice_reads_like_this() {
        let spot = notice::spot(r#"{"action": "stop", "time": "2017-09-18T08:22:00Z"}"#).unwrap();
        let ending = notice::target_state("Terminated").unwrap();
        for (news, event, text) in [
            (News::Spot(spot), Event::Spot, "spot interruption: stop at 2017-09-18T08:22:00Z"),
            (
                News::Terminating(ending),
                Event::Terminating,
                "the group ends this instance: its target state is Terminated",
            ),
            (
                News::Rebalance("2020-10-26T13:08:37Z".to_owned()),
                Event::Rebalance,
                "an interruption has been more likely than usual since 2020-10-26T13:08:37Z",
            ),
            (
                News::Maintenance(event()),
                Event::Maintenance,
                "system-reboot from 2019-01-21T09:00:43Z to 2019-01-21T09:17:23Z: \
                 scheduled reboot (instance-event-1)",
            ),
        ] {
            let tidings = Tidings::of(&news).unwrap();
            assert_eq!((tidings.event, tidings.text.as_str()), (event, text));
        }
        assert_eq!(Tidings::of(&News::Answering), None);
        let bare = ScheduledEvent {
            not_before: None,
            not_after: None,
            description: String::new(),
            ..event()
        };
        assert_eq!(bare.to_string(), "system-reboot (instance-event-1)");
    }

    #[test]
    fn a_name_is_of_one_notice_of_one_instance() {
        let name = |event: &ScheduledEvent, instance: &str| {
            Tidings::of(&News::Maintenance(event.clone())).unwrap().name(instance)
        };
        let first = name(&event(), "i-1");
        assert_eq!(first.len(), 16);
        assert_eq!(first, name(&ScheduledEvent { description: String::new(), ..event() }, "i-1"));
        assert_ne!(first, name(&event(), "i-2"));
        assert_ne!(first, name(&ScheduledEvent { id: "x".to_owned(), ..event() }, "i-1"));
        assert_ne!(first, name(&ScheduledEvent { not_before: None, ..event() }, "i-1"));
        let rebalance = Tidings::of(&News::Rebalance(String::new())).unwrap();
        let ending = Tidings::of(&News::Terminating(notice::target_state("Terminated").unwrap()));
        assert_ne!(rebalance.name("i-1"), ending.unwrap().name("i-1"));
    }
}
