//! What all documents say together, without those that cannot be used.
//!
//! A document that does not fit (a value of the wrong type, a conflict with a
//! lower document) gives way to the last valid copy of its source, or is left
//! out. A tag or a parameter of a subtree is left out alone. Every round takes
//! something away, so this ends; and whatever happens there are settings, in the
//! worst case the defaults alone.

use std::collections::BTreeSet;

use super::arrived::Arrived;
use super::settings::OnBad;
use crate::config::check::Finding;
use crate::config::merge::Conflict;
use crate::config::schema::{Problem, Unknown};
use crate::config::{KeyPath, Layer, LayerName, Merged, Origin, Settings, builtin, trust};
use crate::configure::report::SourceOutcome;

/// What all documents say together.
#[derive(Debug)]
pub struct Settled {
    /// The merged tree.
    pub merged: Merged,
    /// The settings.
    pub settings: Settings,
    /// Keys that nothing reads.
    pub unknown: Vec<Unknown>,
    /// Problems that no document can be blamed for.
    pub problems: Vec<Finding>,
}

/// Settings cannot be made of the defaults alone, which is a fault in gild.
#[derive(Debug, thiserror::Error)]
#[error("the defaults are not valid settings")]
pub struct DefaultsInvalid;

/// Settles what arrived, lowest layer first.
pub fn settle(
    arrived: &mut [Arrived],
    on_bad: impl Fn(LayerName) -> OnBad,
) -> Result<Settled, DefaultsInvalid> {
    let base = builtin::layer();
    for source in arrived.iter_mut() {
        source.refused = enforce(&mut source.layers);
        if matches!(source.report.state, SourceOutcome::Failed | SourceOutcome::Bad) {
            give_way(source, on_bad(source.report.layer));
        }
    }
    loop {
        let layers = arrived.iter().flat_map(|source| &source.layers);
        let layers: Vec<&Layer> = std::iter::once(&base).chain(layers).collect();
        let merged = Merged::fold(layers.iter().copied());
        let references = trust::references_among(&merged, &layers);
        if guard(arrived, &references) {
            continue;
        }
        let typed = Settings::typed(&merged.root);
        let blames = merged.conflicts.iter().map(Blame::conflict);
        let blames = blames.chain(typed.problems.iter().map(Blame::problem));
        // One at a time and the lowest first: what is above it may be fine
        // without it.
        let mut found: Vec<(Option<usize>, Blame<'_>)> =
            blames.map(|blame| (owner(arrived, blame.origin), blame)).collect();
        found.sort_by_key(|(index, _)| index.unwrap_or(usize::MAX));
        let Some(index) = found.first().and_then(|(index, _)| *index) else {
            let problems = found.into_iter().map(|(_, blame)| blame.finding).collect();
            return finish(merged, typed.settings, typed.unknown, problems, &base);
        };
        let blames: Vec<Blame<'_>> = found
            .into_iter()
            .take_while(|(owner, _)| *owner == Some(index))
            .map(|(_, blame)| blame)
            .collect();
        let source = &mut arrived[index];
        if source.apart {
            part(source, blames);
            continue;
        }
        let findings: Vec<Finding> = blames.into_iter().map(|blame| blame.finding).collect();
        let texts: BTreeSet<String> = findings.iter().map(Finding::to_string).collect();
        source.report.error = Some(texts.into_iter().collect::<Vec<_>>().join("; "));
        source.report.state = SourceOutcome::Bad;
        source.problems.extend(findings);
        source.keep = None;
        give_way(source, on_bad(source.report.layer));
    }
}

/// Whose document is wrong, and what is wrong with it.
struct Blame<'a> {
    origin: &'a Origin,
    conflict: bool,
    finding: Finding,
}

impl<'a> Blame<'a> {
    fn conflict(conflict: &'a Conflict) -> Self {
        Self { origin: blamed_for(conflict), conflict: true, finding: conflict.into() }
    }

    fn problem(problem: &'a Problem) -> Self {
        Self { origin: &problem.origin, conflict: false, finding: problem.into() }
    }
}

/// Leaves out what is blamed of a source whose layers stand each by itself.
fn part(source: &mut Arrived, mut blames: Vec<Blame<'_>>) {
    // What a value conflicts with may be gone when all values are of the right
    // type, so conflicts wait.
    if blames.iter().any(|blame| !blame.conflict) {
        blames.retain(|blame| !blame.conflict);
    }
    source.layers.retain(|layer| !blames.iter().any(|blame| made(layer, blame.origin)));
    if let Some((_, texts)) = &mut source.keep {
        texts.retain(|text| !blames.iter().any(|blame| *blame.origin.source == *text.name));
    }
    source.leave_out(blames.into_iter().map(|blame| blame.finding));
}

/// Which of two documents that disagree gives way: the higher one, unless a
/// remote document would push aside the operator's last word.
fn blamed_for(conflict: &Conflict) -> &Origin {
    let (lower, higher) = (&conflict.lower.1, &conflict.higher.1);
    if lower.layer.is_remote() && !higher.layer.is_remote() { lower } else { higher }
}

/// The source whose document an origin names.
fn owner(arrived: &[Arrived], origin: &Origin) -> Option<usize> {
    arrived.iter().position(|source| source.layers.iter().any(|layer| made(layer, origin)))
}

/// Whether a layer is what an origin names.
fn made(layer: &Layer, origin: &Origin) -> bool {
    layer.name == origin.layer
        && layer.source == origin.source
        && layer.last_good == origin.last_good
}

/// Puts the last valid copy in the place of a source's documents, or nothing.
fn give_way(source: &mut Arrived, on_bad: OnBad) {
    let copy = std::mem::take(&mut source.fallback);
    source.layers = match on_bad {
        OnBad::LastGood => copy,
        OnBad::Fail => Vec::new(),
    };
    if !source.layers.is_empty() {
        source.refused.extend(enforce(&mut source.layers));
        source.report.state = SourceOutcome::LastGood;
    }
}

/// Keeps references to secrets from those who may not refer to any; says
/// whether anything was refused.
fn guard(arrived: &mut [Arrived], references: &[KeyPath]) -> bool {
    let mut any = false;
    for source in arrived {
        for layer in &mut source.layers {
            let refused = trust::enforce_references(layer, references);
            any |= !refused.is_empty();
            source.refused.extend(refused);
        }
    }
    any
}

fn enforce(layers: &mut [Layer]) -> Vec<trust::Refused> {
    layers.iter_mut().flat_map(trust::enforce).collect()
}

fn finish(
    merged: Merged,
    settings: Option<Settings>,
    unknown: Vec<Unknown>,
    problems: Vec<Finding>,
    base: &Layer,
) -> Result<Settled, DefaultsInvalid> {
    match settings {
        Some(settings) => Ok(Settled { merged, settings, unknown, problems }),
        None => {
            let merged = Merged::fold([base]);
            let typed = Settings::typed(&merged.root);
            let settings = typed.settings.ok_or(DefaultsInvalid)?;
            Ok(Settled { merged, settings, unknown, problems })
        }
    }
}

#[cfg(test)]
mod tests;
