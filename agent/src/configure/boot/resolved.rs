//! What a resolution leaves: its findings in the report, and its settings for the daemon.

use super::phases::Boot;
use crate::configure::handoff::{self, Handoff, HandoffError};
use crate::configure::report::Report;
use crate::platform::clock;
use crate::scope::{Resolution, Verdict};

/// How many unknown keys, refused keys and problems a report lists of each.
const LISTED: usize = 200;

impl Boot<'_> {
    /// What the resolution says goes into the report.
    pub(super) fn take_over(&mut self, resolution: &Resolution) {
        let report = &mut self.report;
        report.instance_id = resolution.identity.as_ref().map(|id| id.instance_id.clone());
        report.digest = Some(resolution.digest.clone());
        report.phases.extend(resolution.phases.iter().cloned());
        report.sources = resolution.sources.clone();
        report.unknown_keys = resolution.unknown.clone();
        report.refused_keys = resolution.refused.clone();
        report.problems = resolution.problems.iter().map(ToString::to_string).collect();
        if let Verdict::Degraded { reasons } = &resolution.verdict {
            self.degraded = true;
            for reason in reasons {
                if !report.problems.contains(reason) {
                    report.problems.push(reason.clone());
                }
            }
        }
        bound(report);
    }

    /// The daemon gets the configuration even where the boot then fails: a host
    /// that is not configured is measured all the same.
    pub(super) fn hand_over(&self, resolution: &Resolution) -> Result<(), HandoffError> {
        let Some(identity) = resolution.identity.as_ref().filter(|_| !self.options.is_apart())
        else {
            return Ok(());
        };
        let handoff = Handoff {
            version: handoff::VERSION,
            resolved_at: clock::now_text(),
            digest: resolution.digest.clone(),
            identity: identity.clone(),
            config: resolution.merged.root.clone(),
            sources: resolution.sources.clone(),
        };
        handoff.write(&self.context.paths.config())
    }
}

/// Keeps the lists that documents can make long within what a reader reads.
fn bound(report: &mut Report) {
    let total = report.unknown_keys.len() + report.refused_keys.len() + report.problems.len();
    report.unknown_keys.truncate(LISTED);
    report.refused_keys.truncate(LISTED);
    report.problems.truncate(LISTED);
    let kept = report.unknown_keys.len() + report.refused_keys.len() + report.problems.len();
    if kept < total {
        report.problems.push(format!("and {} more findings that are not listed", total - kept));
    }
}
