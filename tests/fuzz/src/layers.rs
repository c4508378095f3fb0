//! Several documents at once: what they say together, whatever is wrong with them.

use std::sync::Arc;

use gild::config::format::Format;
use gild::config::{Document, Layer, LayerName, Merged};
use gild::configure::report::SourceOutcome;
use gild::scope::arrived::Arrived;
use gild::scope::settle::{Terms, settle};

/// Documents with a line between them that begins with `%`: the letter after it is the
/// layer, and `+` after that makes the document the last valid copy of the one before.
pub fn settled(text: &str) {
    let mut arrived: Vec<Arrived> = Vec::new();
    for part in text.split("%").take(8) {
        let mut letters = part.chars();
        let name = match letters.next() {
            Some('i') => LayerName::Image,
            Some('g') => LayerName::Global,
            Some('a') => LayerName::Account,
            Some('s') => LayerName::Service,
            _ => LayerName::Local,
        };
        let (copy, body) = match letters.as_str().strip_prefix('+') {
            Some(body) => (true, body),
            None => (false, letters.as_str()),
        };
        let Ok(document) = Document::parse(body.as_bytes(), Format::Toml) else { continue };
        let source: Arc<str> = format!("{name}-{}", arrived.len()).into();
        let layer = Layer { name, source, version: None, last_good: copy, document };
        match arrived.last_mut().filter(|last| copy && last.report.layer == name) {
            Some(last) => last.fallback.push(layer),
            None => arrived.push(one(layer)),
        }
    }
    arrived.sort_by_key(|source| source.report.layer);
    // The host's own documents say what the others may.
    let mut host: Vec<Arrived> = arrived.clone();
    host.retain(|source| !source.report.layer.is_remote());
    let base = settle(&mut host, &Terms::default()).expect("there are always settings");
    let terms = Terms::of(&base.settings.scope);
    let mut again = arrived.clone();
    let first = settle(&mut arrived, &terms).expect("there are always settings");
    let second = settle(&mut again, &terms).expect("there are always settings");
    assert_eq!(first.merged.digest(), second.merged.digest(), "the same comes to the same");
    // What is settled needs no settling. A document that is gone makes nothing final any
    // more, but what it kept others from setting does not come back.
    let third = settle(&mut arrived, &terms).expect("there are always settings");
    assert_eq!(first.merged.digest(), third.merged.digest());
    assert!(arrived.iter().all(|source| source.refused.is_empty()), "it is sifted already");
    final_keys_hold(&arrived, &first.merged);
}

/// No value at or below a key that is final comes from a higher remote layer.
fn final_keys_hold(arrived: &[Arrived], merged: &Merged) {
    let leaves = merged.root.leaves();
    for layer in arrived.iter().flat_map(|source| &source.layers) {
        for key in &layer.document.finals {
            for (path, leaf) in leaves.iter().filter(|(path, _)| path.is_within(key)) {
                let setter = leaf.origin.layer;
                assert!(!setter.is_remote() || setter <= layer.name, "{path} by {setter}");
            }
        }
    }
}

fn one(layer: Layer) -> Arrived {
    let mut arrived = Arrived::nothing(layer.name, &layer.source);
    arrived.report.state = SourceOutcome::Fetched;
    arrived.apart = layer.source.ends_with('3');
    arrived.layers = vec![layer];
    arrived
}
