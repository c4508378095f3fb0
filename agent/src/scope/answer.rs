//! What a source answered, read: its layers, what to call that, and what to
//! keep. An answer that is worse than the last valid copy is refused here.

use std::sync::Arc;

use super::error::SourceError;
use super::last_good::Copy;
use super::text::{Found, Text};
use super::units::Units;
use crate::config::check::Finding;
use crate::config::{KeyPath, Layer, LayerName};
use crate::configure::report::SourceOutcome;

/// An answer, read.
#[derive(Debug)]
pub(super) struct Understood {
    /// What it gives, lowest first.
    pub(super) layers: Vec<Layer>,
    /// What to call that.
    pub(super) state: SourceOutcome,
    /// What is new in it.
    pub(super) fresh: Option<Vec<Text>>,
    /// With how many keys that may replace the copy.
    pub(super) least: usize,
    /// What was left out of it.
    pub(super) left_out: Vec<Finding>,
}

impl Understood {
    fn new(layers: Vec<Layer>, texts: Vec<Text>, least: usize) -> Self {
        Self { fresh: Some(texts), least, ..Self::of(layers, SourceOutcome::Fetched) }
    }

    fn of(layers: Vec<Layer>, state: SourceOutcome) -> Self {
        Self { layers, state, fresh: None, least: 0, left_out: Vec::new() }
    }
}

/// What is known of a source before its answer is read.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    /// Its last valid copy.
    pub(super) copy: Option<&'a Copy>,
    /// The layer.
    pub(super) layer: LayerName,
    /// The key below which the values are put.
    pub(super) into: Option<&'a KeyPath>,
    /// Whether the answer may be much shorter than the copy.
    pub(super) may_shrink: bool,
}

/// Reads what a source answered: its layers, its state, and what to keep.
pub(super) fn understand(found: Found, expected: Expected<'_>) -> Result<Understood, SourceError> {
    let Expected { copy, layer, into, .. } = expected;
    match (found, copy) {
        (Found::Unchanged, Some(copy)) => {
            let layers = layers(&copy.texts, layer, into, false)?;
            Ok(Understood::of(layers, SourceOutcome::Unchanged))
        }
        // Nobody says "unchanged" who was not told of a copy.
        (Found::Absent | Found::Unchanged, _) => {
            Ok(Understood::of(Vec::new(), SourceOutcome::Absent))
        }
        (Found::Texts(texts), Some(copy)) if copy.texts == texts => {
            let layers = layers(&texts, layer, into, false)?;
            Ok(Understood::of(layers, SourceOutcome::Unchanged))
        }
        (Found::Texts(texts), copy) => {
            let layers = layers(&texts, layer, into, false)?;
            // A document that is suddenly empty is more likely a slip than a
            // wish; one that is meant to go is deleted.
            if copy.is_some() && layers.iter().all(|layer| layer.document.is_empty()) {
                let name = texts.first().map(|text| text.name.clone()).unwrap_or_default();
                return Err(SourceError::Emptied { name });
            }
            let least = expected.least(&layers, 0)?;
            Ok(Understood::new(layers, texts, least))
        }
        (Found::Units(Units { texts, left_out }), copy) => {
            let layers = layers(&texts, layer, into, false)?;
            // What is there and cannot be used is not gone.
            let least = expected.least(&layers, left_out.len())?;
            let read = match copy {
                Some(copy) if copy.texts == texts => {
                    Understood::of(layers, SourceOutcome::Unchanged)
                }
                _ => Understood::new(layers, texts, least),
            };
            Ok(Understood { left_out, ..read })
        }
    }
}

impl Expected<'_> {
    /// How many keys may replace the copy: half of those that it has, unless
    /// somebody says that fewer are meant. An answer with fewer is refused.
    fn least(&self, answer: &[Layer], unusable: usize) -> Result<usize, SourceError> {
        let meant = self.may_shrink || answer.iter().any(|layer| layer.document.accept_shrink);
        let Some(copy) = self.copy.filter(|_| !meant) else { return Ok(0) };
        let before = count(&layers(&copy.texts, self.layer, self.into, true)?);
        let now = count(answer) + unusable;
        match before.div_ceil(2) {
            least if now < least => Err(SourceError::Shrunk { before, now, layer: self.layer }),
            least => Ok(least),
        }
    }
}

/// How many keys layers have.
pub(super) fn count(layers: &[Layer]) -> usize {
    layers.iter().map(|layer| layer.document.keys()).sum()
}

/// The layers that texts make.
pub(super) fn layers(
    texts: &[Text],
    name: LayerName,
    into: Option<&KeyPath>,
    last_good: bool,
) -> Result<Vec<Layer>, SourceError> {
    let layer = |text: &Text| {
        let document = text
            .parse(into)
            .map_err(|source| SourceError::Document { name: text.name.clone(), source })?;
        Ok(Layer {
            name,
            source: Arc::from(text.name.as_str()),
            version: text.version.as_deref().map(Arc::from),
            last_good,
            document,
        })
    };
    texts.iter().map(layer).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::format::Format;
    use crate::scope::text::Kind;

    fn text(name: &str, body: &str) -> Text {
        Text {
            name: name.to_owned(),
            version: None,
            etag: None,
            kind: Kind::Document(Format::Toml),
            body: body.into(),
        }
    }

    fn expected(copy: &Copy, may_shrink: bool) -> Expected<'_> {
        Expected { copy: Some(copy), layer: LayerName::Account, into: None, may_shrink }
    }

    #[test]
    fn an_answer_that_lost_more_than_half_of_its_keys_is_bad_unless_that_is_meant() {
        let fetched_at = String::new();
        let copy = Copy {
            fetched_at,
            reader: None,
            texts: vec![text("x", "a = 1\nb = 1\nc.d = 1\nc.e = 1\n")],
        };
        let read = |body: &str, may_shrink| {
            understand(Found::Texts(vec![text("x", body)]), expected(&copy, may_shrink))
        };
        assert!(read("a = 1\nz = 1\n", false).is_ok());
        let error = read("a = 1\n", false).err().unwrap();
        assert!(error.is_bad());
        assert_eq!(
            error.to_string(),
            "it has 1 key, and its last valid copy has 4; where that is meant, `accept_shrink = \
             true` at the top of the document, or scope.account.accept_shrink = true, accepts it"
        );
        assert!(read("a = 1\naccept_shrink = true\n", false).is_ok());
        assert!(read("a = 1\n", true).is_ok());
        assert!(matches!(read("accept_shrink = true\n", true), Err(SourceError::Emptied { .. })));
    }

    #[test]
    fn a_subtree_that_lost_more_than_half_is_bad_and_what_is_unusable_is_not_lost() {
        let names: Vec<String> = (0..5).map(|number| format!("vars.n{number} = 1\n")).collect();
        let texts: Vec<Text> = names.iter().map(|body| text(body, body)).collect();
        let copy = Copy { fetched_at: String::new(), reader: None, texts: texts.clone() };
        let finding = Finding {
            source: "ssm:/x/vars/n3".to_owned(),
            line: None,
            key: None,
            value: None,
            message: "must be a number".to_owned(),
        };
        let read = |kept: usize, left_out| {
            let units = Units { texts: texts[..kept].to_vec(), left_out };
            understand(Found::Units(units), expected(&copy, false))
        };
        assert!(read(3, Vec::new()).is_ok());
        assert!(matches!(
            read(2, Vec::new()),
            Err(SourceError::Shrunk { before: 5, now: 2, layer: LayerName::Account })
        ));
        // It is used without it; the copy stays what it is.
        assert_eq!(read(2, vec![finding]).unwrap().least, 3);
    }
}
