//! The way back after a step that failed, where `configuration.rollback` asks for
//! it: the playbook and the configuration of this instance's last success are run
//! once. Then the instance does what it did before, and the boot is degraded: the
//! failure stays in the report, and it is remembered, so that the same is not tried
//! again until something changes.
//!
//! Only what was fetched is kept as it was. A directory of this host has one
//! content, so of such a playbook the configuration alone goes back.

use std::time::Instant;

use super::Watcher;
use super::phases::{Boot, chained};
use super::playbook::UNUSABLE;
use crate::config::{Merged, Settings};
use crate::configure::applied::{self, Applied};
use crate::configure::attempt::{Attempt, AttemptOf};
use crate::configure::playbook::{Playbook, fetch};
use crate::configure::report::Failure;
use crate::configure::settings::{ConfigurationSettings, Rollback};
use crate::configure::state::{RolledBack, StepKey};
use crate::identity::Identity;
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::scope::Resolution;

/// A step that has failed.
pub(super) struct Failed<'a> {
    /// What it was made of.
    pub(super) resolution: &'a Resolution,
    /// The instance.
    pub(super) identity: &'a Identity,
    /// How it was run.
    pub(super) settings: &'a ConfigurationSettings,
    /// What identifies it.
    pub(super) key: &'a StepKey,
}

/// What is run again.
struct Good {
    applied: Applied,
    settings: Settings,
    playbook: Option<Playbook>,
}

impl Boot<'_> {
    /// What this instance's last success was made of.
    pub(super) fn last_good(&self, identity: &Identity) -> Option<Applied> {
        Applied::load(&self.context.paths.applied(), &identity.instance_id).unwrap_or_else(
            |error| {
                tracing::warn!("{}", chain_text(&error));
                None
            },
        )
    }

    /// Runs what succeeded last, if that is wanted and possible. `None` where the
    /// boot stays failed.
    pub(super) async fn roll_back(
        &mut self,
        failed: Failed<'_>,
        failure: &Failure,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> Option<RolledBack> {
        if failed.settings.rollback != Rollback::Previous || self.options.plan {
            return None;
        }
        let good = match self.good(&failed) {
            Ok(good) => good,
            Err(why) => {
                self.problem(format!("the step is not rolled back: {}", why.message));
                return None;
            }
        };
        let at = &good.applied.at;
        tracing::warn!(to = at, "the step failed and is rolled back: {}", failure.message);
        let started = Instant::now();
        let settings = &good.settings.configuration;
        let is_remote = good.playbook.is_some();
        let parts = (&good.settings.vars.0, failed.identity, settings, good.playbook);
        let result = self.step("rollback", parts, watcher, cancel).await;
        self.report.attempts.push(Attempt {
            of: AttemptOf::Rollback,
            duration_ms: clock::ms(started.elapsed()),
            failure: result.failure.clone(),
        });
        if let Some(again) = result.failure {
            self.problem(format!(
                "the rollback to what succeeded at {at} failed: {}",
                again.message
            ));
            return None;
        }
        let task = failure.task.as_ref().map(|task| format!(" in task '{task}'"));
        let as_it_is = match good.applied.key.playbook_digest {
            Some(before) if !is_remote && self.report.playbook_digest.as_ref() != Some(&before) => {
                ", with the playbook's directory as it is now"
            }
            _ => "",
        };
        let problem = format!(
            "the step failed{} and was rolled back to what succeeded at {at}{as_it_is}: {}",
            task.unwrap_or_default(),
            failure.message
        );
        self.problem(problem.clone());
        Some(RolledBack { failure: failure.brief(), problem })
    }

    /// What succeeded last, ready to be run; or why it cannot be.
    fn good(&self, failed: &Failed<'_>) -> Result<Good, Failure> {
        let no = |why: &str| Err(Failure::of(why));
        let Some(applied) = self.last_good(failed.identity) else {
            return no("nothing has succeeded on this instance before");
        };
        let config = applied::of_step(&failed.resolution.merged.root);
        // A directory of this host cannot go back, so it is the same in any case.
        let same_playbook = !fetch::is_remote(&failed.settings.playbook)
            || applied.key.playbook_digest == failed.key.playbook_digest;
        if same_playbook && config.to_value() == applied.config.to_value() {
            return no("what failed is what succeeded last");
        }
        let merged = Merged { root: applied.config.clone(), conflicts: Vec::new() };
        let Some(mut settings) = Settings::typed(&merged.root).settings else {
            return no("the configuration that succeeded last is not one for this version of gild");
        };
        let before = &mut settings.configuration;
        // Once is once, and whom this host trusts is what it trusts now.
        before.retries = 0;
        before.require_signature = failed.settings.require_signature;
        before.trusted_keys.clone_from(&failed.settings.trusted_keys);
        if let Some(base) = &self.options.base {
            before.playbook = fetch::below(&before.playbook, base);
        }
        fetch::lawful(before, &merged).map_err(|error| chained(UNUSABLE, &error))?;
        let playbook = match &applied.key.playbook_digest {
            Some(digest) if fetch::is_remote(&before.playbook) => {
                let kept = fetch::kept(&self.context.paths, before, digest);
                Some(kept.map_err(|error| chained(UNUSABLE, &error))?)
            }
            _ => None,
        };
        Ok(Good { applied, settings, playbook })
    }

    /// Something that is wrong, in the report and in the log.
    pub(super) fn problem(&mut self, text: String) {
        let text = self.context.redactor.text(&text);
        tracing::warn!("{text}");
        // Before all others: it is what matters most, and lists are cut at their ends.
        self.report.problems.insert(0, text);
    }
}
