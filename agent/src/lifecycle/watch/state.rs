//! What becomes of a sequence of looks: what is known, and what of it is news.
//! Pure: the clock is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::{Look, Question};
use crate::lifecycle::notice::{Notices, ScheduledEvent, SpotNotice, TargetState};

/// How long a failure must last before it is told: the metadata service limits
/// its callers, and a look that it does not answer is nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Learnt {
    /// Whether the spot capacity is taken back.
    Spot(Option<SpotNotice>),
    /// Where the group moves the instance.
    TargetState(Option<TargetState>),
    /// Since when an interruption is more likely than usual.
    Rebalance(Option<String>),
    /// What is planned.
    Events(Vec<ScheduledEvent>),
}

impl Learnt {
    fn question(&self) -> Question {
        match self {
            Learnt::Spot(_) => Question::Spot,
            Learnt::TargetState(_) => Question::TargetState,
            Learnt::Rebalance(_) => Question::Rebalance,
            Learnt::Events(_) => Question::Events,
        }
    }
}

/// Something that was not known before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The spot capacity is taken back.
    Spot(SpotNotice),
    /// The group ends the instance.
    Terminating(TargetState),
    /// An interruption is more likely than usual, since then.
    Rebalance(String),
    /// Something is planned.
    Maintenance(ScheduledEvent),
    /// No look has been answered for a while, and why.
    Silent(String),
    /// The metadata service answers again.
    Answering,
}

/// What is known.
#[derive(Debug, Default)]
pub struct Known {
    /// What is coming.
    pub notices: Notices,
    /// What is not answered, since when.
    failing: BTreeMap<Question, Instant>,
}

impl Known {
    /// Takes up a look; gives what is new.
    pub fn take(&mut self, look: Look, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        for answer in look.answers {
            self.failing.remove(&answer.question());
            self.learn(answer, &mut news);
        }
        for (question, _) in &look.failures {
            self.failing.entry(*question).or_insert(now);
        }
        let error = &mut self.notices.error;
        if self.failing.is_empty() {
            news.extend(error.take().map(|_| News::Answering));
        } else if error.is_none() {
            let long = |question: &Question| {
                self.failing.get(question).is_some_and(|since| now - *since >= PATIENCE)
            };
            *error = look.failures.into_iter().find(|(of, _)| long(of)).map(|(_, why)| why);
            news.extend(error.clone().map(News::Silent));
        }
        news
    }

    fn learn(&mut self, answer: Learnt, news: &mut Vec<News>) {
        let known = &mut self.notices;
        match answer {
            Learnt::Spot(found) => {
                let fresh = found.clone().filter(|_| known.spot != found);
                news.extend(fresh.map(News::Spot));
                known.spot = found;
            }
            Learnt::TargetState(found) => {
                let ending = known.target_state.as_ref().is_some_and(TargetState::is_ending);
                let fresh = found.clone().filter(|state| state.is_ending() && !ending);
                news.extend(fresh.map(News::Terminating));
                known.target_state = found;
            }
            Learnt::Rebalance(found) => {
                let fresh = found.clone().filter(|_| known.rebalance != found);
                news.extend(fresh.map(News::Rebalance));
                known.rebalance = found;
            }
            Learnt::Events(found) => {
                let is_new = |event: &&ScheduledEvent| {
                    let same = |old: &ScheduledEvent| {
                        old.id == event.id && old.not_before == event.not_before
                    };
                    !known.events.iter().any(same)
                };
                news.extend(found.iter().filter(is_new).cloned().map(News::Maintenance));
                known.events = found;
            }
        }
    }
}

#[cfg(test)]
mod tests;
