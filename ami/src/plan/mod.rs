//! What would be done, and why. Plans are made by pure functions of what there is, shown as they
//! are, and done as they are: `apply` decides nothing.

mod action;
mod images;
mod show;

use serde::Serialize;

pub use self::action::{Action, Content};
pub(crate) use self::show::write_table;

use crate::cloud::Place;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// What is done, and to what.
    #[serde(flatten)]
    pub action: Action,
    /// The name of what it is done to, for people.
    pub name: String,
    /// Why.
    pub why: String,
    /// What it costs a month as long as it is not done, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly_usd: Option<f64>,
}

/// One thing that is left as it is although the verb is about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Kept {
    /// Its id.
    pub object: String,
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// The verb that made it.
    pub verb: &'static str,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What would be done, in this order.
    pub steps: Vec<Step>,
    /// What is kept.
    pub kept: Vec<Kept>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
    /// Why there is no plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Plan {
    /// An empty plan.
    pub fn new(verb: &'static str, place: &Place) -> Self {
        Self { verb, place: Some(place.clone()), ..Self::default() }
    }

    /// No plan, and why: what is not known protects.
    pub fn refused(verb: &'static str, place: Option<&Place>, why: String) -> Self {
        Self { verb, place: place.cloned(), refused: Some(why), ..Self::default() }
    }

    /// Adds a step.
    pub fn step(&mut self, action: Action, name: &str, why: impl Into<String>) -> &mut Step {
        let step = Step { action, name: name.to_owned(), why: why.into(), monthly_usd: None };
        // What was pushed is there.
        let at = self.steps.len();
        self.steps.push(step);
        &mut self.steps[at]
    }

    /// Says why something stays.
    pub fn keep(&mut self, object: &str, name: &str, why: impl Into<String>) {
        let (object, name) = (object.to_owned(), name.to_owned());
        self.kept.push(Kept { object, name, why: why.into() });
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
