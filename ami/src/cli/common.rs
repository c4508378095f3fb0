//! What all verbs have in common: where, and what becomes of a plan.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use gild::platform::error::chain_text;

use super::Failure;
use super::report::{Outcome, Teller};
use crate::apply::{Pace, apply};
use crate::cloud::{Cloud, CloudError};
use crate::plan::{Plan, Step};

/// Where a verb acts, and whether it does.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Do what the plan says.
    #[arg(long, global = true)]
    apply: bool,
    /// Print the plan as JSON.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// The region. Where none is given, that of the environment.
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// The role to act as. Where none is given, the credentials of the environment are used.
    #[arg(long, global = true, value_name = "ARN")]
    role: Option<String>,
    /// How long what AWS does not answer, or throttles, is asked again.
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = duration)]
    patience: Duration,
    /// Tell what came of it to the notifiers of this document, which is as the agent's.
    #[arg(long, global = true, value_name = "FILE")]
    notify: Option<PathBuf>,
}

impl Common {
    /// Another account, or another region.
    pub(super) async fn enter(
        &self,
        region: Option<&str>,
        role: Option<&str>,
    ) -> Result<Cloud, CloudError> {
        Cloud::open(region, role, self.patience).await
    }

    /// The account that the verb acts in.
    pub(super) async fn cloud(&self) -> Result<Cloud, CloudError> {
        self.enter(self.region.as_deref(), self.role.as_deref()).await
    }

    /// Other accounts, in the same region, by the roles that may look at them.
    pub(super) async fn readers(
        &self,
        cloud: &Cloud,
        roles: &[String],
    ) -> Result<Vec<Cloud>, CloudError> {
        let mut readers = Vec::new();
        for role in roles {
            readers.push(self.enter(Some(&cloud.place.region), Some(role)).await?);
        }
        Ok(readers)
    }

    /// Shows a plan, and does it where that is wanted. A question without an answer makes no plan.
    pub(super) async fn settle(
        &self,
        verb: &'static str,
        cloud: &Cloud,
        plan: Result<Plan, CloudError>,
    ) -> Result<ExitCode, Failure> {
        self.settle_at(verb, cloud, plan, &Pace::default()).await
    }

    /// As `settle`, what takes long being waited for at this pace.
    pub(super) async fn settle_at(
        &self,
        verb: &'static str,
        cloud: &Cloud,
        plan: Result<Plan, CloudError>,
        pace: &Pace,
    ) -> Result<ExitCode, Failure> {
        // What cannot tell is found out before anything is done.
        let teller = self.notify.as_deref();
        let teller = teller.map(|file| Teller::open(file, &cloud.place)).transpose()?;
        let plan = plan
            .unwrap_or_else(|error| Plan::refused(verb, Some(&cloud.place), chain_text(&error)));
        if self.json {
            print(&format!("{}\n", serde_json::to_string_pretty(&plan)?));
        } else {
            print(&plan.to_string());
        }
        let result = self.finish(cloud, &plan, pace).await;
        if let Some(teller) = teller {
            teller.tell(&cloud.place, &plan, &result).await;
        }
        tracing::info!(calls = cloud.calls(), "calls to AWS");
        match result {
            Outcome::Refused => Ok(ExitCode::FAILURE),
            Outcome::Shown | Outcome::Done(_) => Ok(ExitCode::SUCCESS),
            Outcome::Failed(error) => Err(error.into()),
        }
    }

    /// Does a plan that has been shown, where that is wanted.
    async fn finish(&self, cloud: &Cloud, plan: &Plan, pace: &Pace) -> Outcome {
        if plan.refused.is_some() {
            return Outcome::Refused;
        }
        if !self.apply {
            if !plan.is_empty() && !self.json {
                print("  nothing was changed: --apply does it\n");
            }
            return Outcome::Shown;
        }
        let mut tell = |step: &Step| {
            tracing::info!("{} {}", step.action.verb(), step.action.object());
        };
        match apply(cloud, plan, pace, &mut tell).await {
            Ok(done) => {
                if !self.json {
                    print(&format!("  done: {done} of {}\n", plan.steps.len()));
                }
                Outcome::Done(done)
            }
            Err(error) => Outcome::Failed(error),
        }
    }
}

/// Says what failed, with its chain.
pub(super) fn tell(failure: &(dyn Error + 'static)) {
    eprintln!("gild-ami: {}", chain_text(failure));
}

/// A reader such as `head` may have gone, which is no failure.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// A time as people write it: `7d`, `12h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; such as 7d or 12h"))
}

/// A tag as people write it.
pub(super) fn tag(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("must be KEY=VALUE"),
    }
}
