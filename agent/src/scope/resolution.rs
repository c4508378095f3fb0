//! What a resolution leaves for the rooms that follow.

use std::time::Duration;

use tokio::time::Instant;

use super::arrived::Arrived;
use super::resolve::Context;
use super::settle::Settled;
use super::verdict::{Judge, Verdict};
use crate::config::check::Finding;
use crate::config::trust::Refused;
use crate::config::{Merged, Settings};
use crate::configure::report::{Phase, PhaseOutcome, SourceReport, UnknownKey};
use crate::identity::Identity;
use crate::platform::clock;

/// What all sources say together, and how that came about.
#[derive(Debug)]
pub struct Resolution {
    /// Who this instance is; `None` where the metadata service did not say.
    pub identity: Option<Identity>,
    /// The merged tree.
    pub merged: Merged,
    /// The settings.
    pub settings: Settings,
    /// The configuration's identity.
    pub digest: String,
    /// What came of each document of the host and of each source.
    pub sources: Vec<SourceReport>,
    /// Keys that nothing reads.
    pub unknown: Vec<UnknownKey>,
    /// Keys that their layer may not set.
    pub refused: Vec<Refused>,
    /// What is wrong with the configuration.
    pub problems: Vec<Finding>,
    /// Whether all of this is as it should be.
    pub verdict: Verdict,
    /// How long identity and scopes took.
    pub phases: Vec<Phase>,
}

/// Puts together what came of everything.
pub(super) fn finish(
    context: &Context,
    identity: Option<Identity>,
    settled: Settled,
    arrived: Vec<Arrived>,
    mut judge: Judge,
    mut phases: Vec<Phase>,
    start: Instant,
) -> Resolution {
    let Settled { merged, settings, unknown, mut problems } = settled;
    if let Some(first) = problems.first() {
        judge.fail(first.to_string());
    }
    let mut sources = Vec::new();
    let mut refused = Vec::new();
    for mut source in arrived {
        judge.source(&source);
        source.report.keys = source.layers.iter().map(|layer| layer.document.keys()).sum();
        source.report.version = match source.layers.as_slice() {
            [layer] => layer.version.as_deref().map(str::to_owned),
            _ => None,
        };
        source.report.error = source.report.error.map(|text| context.redactor.text(&text));
        sources.push(source.report);
        refused.extend(source.refused);
        problems.extend(source.problems);
    }
    for key in unknown.iter().filter(|key| !key.origin.layer.is_remote()) {
        let finding = Finding::from(key);
        judge.degrade(finding.to_string());
        problems.push(finding);
    }
    let verdict = judge.verdict();
    phases.push(phase("scopes", start, !matches!(verdict, Verdict::Failed { .. })));
    Resolution {
        identity,
        digest: merged.digest(),
        merged,
        settings,
        sources,
        unknown: unknown
            .into_iter()
            .map(|key| UnknownKey { key: key.path, origin: key.origin, nearest: key.nearest })
            .collect(),
        refused,
        problems,
        verdict,
        phases,
    }
}

/// A phase that ends now.
pub(super) fn phase(name: &str, start: Instant, fine: bool) -> Phase {
    let outcome = if fine { PhaseOutcome::Ok } else { PhaseOutcome::Failed };
    let elapsed: Duration = start.elapsed();
    Phase { name: name.to_owned(), outcome, duration_ms: clock::ms(elapsed) }
}
