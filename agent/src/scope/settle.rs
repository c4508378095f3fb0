//! What all documents say together, without those that cannot be used.
//!
//! A document that does not fit (a value of the wrong type, a conflict with a
//! lower document) gives way to the last valid copy of its source, or is left
//! out. A tag or a parameter of a subtree is left out alone. What a document has
//! made final stays so, whatever becomes of the document. Every round takes
//! something away, so this ends; and whatever happens there are settings, in the
//! worst case the defaults alone.

use std::collections::BTreeSet;

use super::arrived::Arrived;
use super::settings::{OnBad, ScopeSettings};
use crate::config::check::Finding;
use crate::config::merge::Conflict;
use crate::config::schema::{Problem, Unknown};
use crate::config::trust::{Finals, Rights};
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

/// What is done with the documents of each layer.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// What each may set.
    pub rights: Rights,
    /// The layers whose copies do not stand in for them.
    pub no_copies: Vec<LayerName>,
}

impl Terms {
    /// The terms that the host's own layers set.
    pub fn of(scope: &ScopeSettings) -> Self {
        let fails =
            |layer: &LayerName| scope.of(*layer).is_some_and(|scope| scope.on_bad == OnBad::Fail);
        let no_copies = LayerName::ALL.into_iter().filter(fails).collect();
        Self { rights: scope.rights(), no_copies }
    }
}

/// Settings cannot be made of the defaults alone, which is a fault in gild.
#[derive(Debug, thiserror::Error)]
#[error("the defaults are not valid settings")]
pub struct DefaultsInvalid;

/// Settles what arrived, lowest layer first.
pub fn settle(arrived: &mut [Arrived], terms: &Terms) -> Result<Settled, DefaultsInvalid> {
    let base = builtin::layer();
    let mut finals = Finals::default();
    for source in arrived.iter_mut() {
        source.refused = enforce(&mut source.layers, &terms.rights);
        if matches!(source.report.state, SourceOutcome::Failed | SourceOutcome::Bad) {
            give_way(source, terms);
        }
    }
    loop {
        hold(arrived, &mut finals);
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
        give_way(source, terms);
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
    if let Some(next) = &mut source.keep {
        next.texts.retain(|text| !blames.iter().any(|blame| *blame.origin.source == *text.name));
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
fn give_way(source: &mut Arrived, terms: &Terms) {
    let copy = std::mem::take(&mut source.fallback);
    source.layers = match terms.no_copies.contains(&source.report.layer) {
        true => Vec::new(),
        false => copy,
    };
    source.report.copied_at = None;
    if !source.layers.is_empty() {
        source.refused.extend(enforce(&mut source.layers, &terms.rights));
        source.report.state = SourceOutcome::LastGood;
        source.report.copied_at = source.copied_at.clone();
    }
}

/// Keeps what has been made final from the layers above. A copy that has just
/// stepped in may bring more of it, so this comes before each merge.
fn hold(arrived: &mut [Arrived], finals: &mut Finals) {
    for layer in arrived.iter().flat_map(|source| &source.layers) {
        finals.learn(layer);
    }
    for source in arrived {
        for layer in &mut source.layers {
            source.refused.extend(finals.enforce(layer));
        }
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

fn enforce(layers: &mut [Layer], rights: &Rights) -> Vec<trust::Refused> {
    layers.iter_mut().flat_map(|layer| trust::enforce(layer, rights)).collect()
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
