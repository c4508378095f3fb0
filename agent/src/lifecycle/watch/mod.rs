//! The looks at what is coming: a few small questions to the metadata service,
//! over the one connection that is kept, each look with a deadline.
//!
//! Spot interruptions and rebalance recommendations are asked for in every look.
//! So is the group's decision, where there is a group; elsewhere that page is
//! absent, and asked for as seldom as the scheduled events are, which are known
//! long before. A question that is not answered leaves what is known as it is.
//!
//! To ask for something else: a variant of `Question` with its line in `ask`, and
//! what it means in `state`.

/// What becomes of a sequence of looks.
pub mod state;

use std::time::Duration;

use tokio::time::Instant;

use self::state::Learnt;
use super::notice;
use crate::identity::error::ImdsError;
use crate::identity::imds::{Imds, TARGET_STATE};
use crate::platform::error::chain_text;

/// How long a look may take.
const LOOK: Duration = Duration::from_secs(3);

/// How long one answer may take: one page that hangs leaves time for the others.
const ANSWER: Duration = Duration::from_secs(1);

/// How often is often enough for what is known long before; where looks come more
/// often than they usually do, every so many looks.
const SELDOM: Duration = Duration::from_secs(60);
const SELDOM_LOOKS: u32 = 12;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Whether the spot capacity is taken back.
    Spot,
    /// Where the group moves the instance.
    TargetState,
    /// Whether an interruption is more likely than usual.
    Rebalance,
    /// What is planned.
    Events,
}

/// When what is asked.
#[derive(Debug, Default)]
pub struct Rota {
    seldom: Duration,
    group_due: Option<Instant>,
    events_due: Option<Instant>,
}

impl Rota {
    /// The questions of a look at this moment, the most urgent first, where a look
    /// comes every `interval`.
    pub fn questions(&mut self, now: Instant, interval: Duration) -> Vec<Question> {
        self.seldom = SELDOM.min(interval.saturating_mul(SELDOM_LOOKS));
        let mut questions = vec![Question::Spot, Question::Rebalance];
        if self.group_due.is_none_or(|due| due <= now) {
            questions.insert(1, Question::TargetState);
        }
        if self.events_due.is_none_or(|due| due <= now) {
            self.events_due = Some(now + self.seldom);
            questions.push(Question::Events);
        }
        questions
    }

    /// Learns from a look whether the instance belongs to a group.
    pub fn learn(&mut self, look: &Look, now: Instant) {
        for answer in &look.answers {
            if let Learnt::TargetState(found) = answer {
                self.group_due = found.is_none().then(|| now + self.seldom);
            }
        }
    }
}

/// What came of one look.
#[derive(Debug, Default)]
pub struct Look {
    /// The answers.
    pub answers: Vec<Learnt>,
    /// What was not answered, and why.
    pub failures: Vec<(Question, String)>,
}

/// Asks once.
pub async fn look(imds: &mut Imds, questions: &[Question]) -> Look {
    let end = Instant::now() + LOOK;
    let mut look = Look::default();
    for question in questions {
        let deadline = end.min(Instant::now() + ANSWER);
        match ask(imds, *question, deadline).await {
            Ok(answer) => look.answers.push(answer),
            Err(error) => look.failures.push((*question, chain_text(&error))),
        }
    }
    look
}

async fn ask(imds: &mut Imds, question: Question, end: Instant) -> Result<Learnt, ImdsError> {
    Ok(match question {
        Question::Spot => {
            let path = "/latest/meta-data/spot/instance-action";
            Learnt::Spot(imds.glance(path, "a spot notice", end, notice::spot).await?)
        }
        Question::TargetState => {
            let found = imds.glance(TARGET_STATE, "a state", end, notice::target_state).await?;
            Learnt::TargetState(found)
        }
        Question::Rebalance => {
            let path = "/latest/meta-data/events/recommendations/rebalance";
            Learnt::Rebalance(imds.glance(path, "a time", end, notice::rebalance).await?)
        }
        Question::Events => {
            let path = "/latest/meta-data/events/maintenance/scheduled";
            let found = imds.glance(path, "a list of events", end, notice::events).await?;
            Learnt::Events(found.unwrap_or_default())
        }
    })
}
