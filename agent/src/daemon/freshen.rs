//! What becomes of a look at the sources. What the daemon itself runs on takes
//! effect at once; the rest is shown as drift and waits for a configuration
//! step. A look that is not whole changes nothing.

use std::collections::BTreeMap;

use super::engine::Engine;
use super::looks::Looked;
use super::reconfigure::Asked;
use crate::config::node::Node;
use crate::config::{LayerName, Merged, difference};
use crate::configure::handoff::Handoff;
use crate::configure::report::{SourceOutcome, SourceReport, one_line};
use crate::configure::settings::RunPolicy;
use crate::platform::clock;
use crate::scope::{Resolution, Verdict};
use crate::status::fresh::{Drift, LIVE, Look, Refresh, is_live};

/// How many problems of one look are listed.
const LISTED: usize = 200;

/// What is remembered from look to look.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// The digest that was taken over last.
    seen: String,
    failing: Failing,
    asked: Asked,
}

/// Since when each source that fails has failed.
type Failing = BTreeMap<(LayerName, String), String>;

impl Fresh {
    /// Begins anew: `configure` has resolved the configuration of this digest.
    pub(super) fn restart(&mut self, digest: &str) {
        digest.clone_into(&mut self.seen);
        self.failing.clear();
    }
}

/// The tables in force that are newer than the hand-off's.
#[derive(Debug)]
pub(super) struct Overlay {
    tables: BTreeMap<String, Node>,
    at: String,
}

impl Overlay {
    fn of(root: Node, at: &str) -> Self {
        let mut tables = match root {
            Node::Table { entries, .. } => entries,
            Node::Leaf(_) => BTreeMap::new(),
        };
        tables.retain(|name, _| LIVE.contains(&name.as_str()));
        Self { tables, at: at.to_owned() }
    }

    /// The configuration in force.
    pub(super) fn over(&self, handoff: &Handoff, sources: &[SourceReport]) -> Handoff {
        let mut root = handoff.config.clone();
        if let Node::Table { entries, .. } = &mut root {
            entries.retain(|name, _| !LIVE.contains(&name.as_str()));
            entries.extend(self.tables.clone());
        }
        let merged = Merged { root, conflicts: Vec::new() };
        Handoff {
            version: handoff.version,
            resolved_at: self.at.clone(),
            digest: merged.digest(),
            identity: handoff.identity.clone(),
            config: merged.root,
            sources: sources.to_vec(),
        }
    }
}

impl Engine<'_> {
    /// Takes over what a look brought.
    pub(super) fn freshen(&mut self, looked: Looked) {
        let Some(handoff) = self.board.view().handoff.clone() else { return };
        let now = clock::now_text();
        {
            let mut view = self.board.view();
            let before = view.look.take();
            let look = judge(&looked, &handoff, before.as_ref(), &mut self.fresh.failing, &now);
            let well = before.is_none_or(|before| before.refresh.ok);
            match &look.refresh.error {
                Some(error) if well => tracing::warn!("a look at the sources failed: {error}"),
                None if !well => tracing::info!("all sources answer again"),
                _ => {}
            }
            view.look = Some(look);
        }
        if let Ok(resolution) = looked
            && is_whole(&resolution)
        {
            self.take_over(*resolution, &handoff, now);
        }
    }

    fn take_over(&mut self, resolution: Resolution, handoff: &Handoff, now: String) {
        let Resolution { merged, settings, digest, .. } = resolution;
        let changes = difference::between(&handoff.config, &merged.root);
        let total = changes.len();
        let live = changes.iter().filter(|change| is_live(&change.key)).count();
        let run = settings.configuration.run;
        let moved = self.fresh.seen != digest;
        {
            let mut view = self.board.view();
            let since = view.drift.take().map_or_else(|| now.clone(), |drift| drift.since);
            view.drift = Drift::of(changes, &digest, since);
            if moved {
                view.overlay = (live > 0).then(|| Overlay::of(merged.root, &now));
            }
        }
        if moved {
            let waiting = total - live;
            tracing::info!(digest, in_force = live, waiting, "the configuration has changed");
            self.apply(settings, handoff.identity.clone());
            self.look_for_messages();
            self.fresh.seen.clone_from(&digest);
        }
        // Where a directory stands for the scopes there is no systemd to ask.
        if total > live && run == RunPolicy::OnChange && self.context.local.is_none() {
            self.fresh.asked.once(&digest, &self.context.paths);
        }
    }
}

/// Whether nothing is missing that nothing stands in for.
fn is_whole(resolution: &Resolution) -> bool {
    resolution.identity.is_some() && !matches!(resolution.verdict, Verdict::Failed { .. })
}

/// What the status shows of a look.
fn judge(
    looked: &Looked,
    handoff: &Handoff,
    before: Option<&Look>,
    failing: &mut Failing,
    now: &str,
) -> Look {
    let since = before.and_then(|look| look.refresh.since.clone());
    let since = since.unwrap_or_else(|| now.to_owned());
    let (sources, faults, mut problems, confirms) = match looked {
        Ok(resolution) => {
            let faults = faults(resolution, failing, &since, now);
            let confirms = is_whole(resolution) && resolution.digest == handoff.digest;
            (resolution.sources.clone(), faults, findings(resolution), confirms)
        }
        Err(error) => {
            let sources = before.map_or(&handoff.sources, |look| &look.sources);
            let fault = format!("the sources have not been looked at since {since}: {error}");
            (sources.clone(), vec![fault], Vec::new(), false)
        }
    };
    let ok = faults.is_empty();
    let error = (!ok).then(|| one_line(&faults.join("; ")));
    problems.splice(0..0, faults);
    problems.truncate(LISTED);
    let turned = before.filter(|look| look.problems.is_empty() == problems.is_empty());
    let turned = turned.map_or(now, |look| &look.turned).to_owned();
    let since = (!ok).then_some(since);
    let refresh = Refresh { at: now.to_owned(), ok, error, since };
    Look { refresh, sources, problems, turned, confirms }
}

/// What was not had, with its layer, its cause, and since when; a copy may stand
/// in for it.
fn faults(resolution: &Resolution, failing: &mut Failing, all: &str, now: &str) -> Vec<String> {
    use SourceOutcome::{Bad, Failed, LastGood};
    if resolution.identity.is_none() {
        let reason = match &resolution.verdict {
            Verdict::Failed { reason } => one_line(reason),
            _ => "it is not known which instance this is".to_owned(),
        };
        return vec![format!("no source has been asked since {all}: {reason}")];
    }
    let mut known = std::mem::take(failing);
    let mut lines = Vec::new();
    let mut explained = false;
    for source in &resolution.sources {
        if !matches!(source.state, LastGood | Failed | Bad) {
            continue;
        }
        let key = (source.layer, source.source.clone());
        let since = known.remove(&key).unwrap_or_else(|| now.to_owned());
        let stands_in = match &source.copied_at {
            Some(copied_at) => format!("the copy of {copied_at} stands in"),
            None if source.state == LastGood => "a copy stands in".to_owned(),
            None => "what is in force stays in force".to_owned(),
        };
        explained |= source.state != LastGood;
        lines.push(format!(
            "{}, has failed since {since} and {stands_in}: {}",
            name(source),
            source.error.as_deref().unwrap_or("it gave no reason"),
        ));
        failing.insert(key, since);
    }
    match &resolution.verdict {
        Verdict::Failed { reason } if !explained => lines.push(one_line(reason)),
        _ => {}
    }
    lines
}

/// What is wrong with what was had.
fn findings(resolution: &Resolution) -> Vec<String> {
    let mut lines: Vec<String> = resolution.problems.iter().map(ToString::to_string).collect();
    if let Verdict::Degraded { reasons } = &resolution.verdict {
        // A source for which a copy stands in has its own line.
        let stood_in = |reason: &str| {
            let mut sources = resolution.sources.iter();
            sources.any(|source| {
                source.state == SourceOutcome::LastGood && reason.starts_with(&name(source))
            })
        };
        for reason in reasons.iter().filter(|reason| !stood_in(reason)) {
            if !lines.contains(reason) {
                lines.push(reason.clone());
            }
        }
    }
    lines
}

fn name(source: &SourceReport) -> String {
    format!("{} layer, '{}'", source.layer, source.source)
}

#[cfg(test)]
mod tests;
