//! What came of a verb, told to the agent's notifiers. Telling comes last, and changes nothing of
//! what came: whoever cannot be told is named in the log.

use std::path::Path;

use gild::notify::Supplies;
use gild::notify::announce::Audience;
use gild::notify::message::{Event, Message};
use gild::platform::error::chain_text;
use gild::platform::http;
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;

use super::Failure;
use crate::apply::ApplyError;
use crate::cloud::Place;
use crate::plan::Plan;

/// What came of a verb.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There was no plan.
    Refused,
    /// The plan was shown, and that was all.
    Shown,
    /// So many steps were done: all of them.
    Done(usize),
    /// It ended before its end.
    Failed(ApplyError),
}

/// Who is told.
#[derive(Debug)]
pub(super) struct Teller {
    audience: Audience,
    supplies: Supplies,
}

impl Teller {
    /// The notifiers of a document. Secrets that they name are read in the region of `place`.
    pub(super) fn open(file: &Path, place: &Place) -> Result<Self, Failure> {
        let settings = gild::cli::valid(&[file.to_owned()])?;
        let redactor = Redactor::default();
        let audience = Audience::of(&settings, None, &redactor);
        let paths = Paths::installed(Path::new("/"));
        let region = Some(place.region.clone());
        let supplies = Supplies::new(&paths, &http::client()?, &redactor, region);
        Ok(Self { audience, supplies })
    }

    /// Tells everybody who wants to know.
    pub(super) async fn tell(&self, place: &Place, plan: &Plan, outcome: &Outcome) {
        let event = match outcome {
            Outcome::Shown | Outcome::Done(_) => Event::Fleet,
            Outcome::Refused | Outcome::Failed(_) => Event::FleetFailed,
        };
        let text = words(plan, outcome);
        let message = Message::of_fleet(event, plan.verb, &place.account, &place.region, text);
        let (told, missed) = self.audience.tell_directly(message, &self.supplies).await;
        if missed > 0 {
            tracing::warn!(told, missed, "not everybody was told");
        }
    }
}

/// How much was done, what that saves, and why there is no more.
fn words(plan: &Plan, outcome: &Outcome) -> String {
    let all = plan.steps.len();
    let saved = |done: usize| {
        let costs: Vec<_> =
            plan.steps.iter().take(done).filter_map(|step| step.monthly_usd).collect();
        let sum: f64 = costs.iter().sum();
        if costs.is_empty() { String::new() } else { format!("; ${sum:.2} a month less") }
    };
    match outcome {
        Outcome::Refused => {
            let why = plan.refused.as_deref().unwrap_or_default();
            format!("no plan, nothing was done: {why}")
        }
        Outcome::Shown => format!("{all} steps are planned, none was done{}", saved(all)),
        Outcome::Done(done) => format!("{done} of {all} steps were done{}", saved(*done)),
        Outcome::Failed(error) => {
            let why = chain_text(error);
            match error {
                ApplyError::Refused(_) => format!("0 of {all} steps were done\n{why}"),
                ApplyError::Step { done, .. } => {
                    format!("{done} of {all} steps were done{}\n{why}", saved(*done))
                }
                ApplyError::Wait(_) => format!("all {all} steps were begun\n{why}"),
            }
        }
    }
}
