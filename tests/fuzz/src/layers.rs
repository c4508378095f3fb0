//! Several documents at once: what they say together, whatever is wrong with them.

use std::sync::Arc;

use gild::config::format::Format;
use gild::config::{Document, Layer, LayerName};
use gild::configure::report::SourceOutcome;
use gild::scope::arrived::Arrived;
use gild::scope::settings::OnBad;
use gild::scope::settle::settle;

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
    let mut again = arrived.clone();
    let first = settle(&mut arrived, |_| OnBad::LastGood).expect("there are always settings");
    let second = settle(&mut again, |_| OnBad::LastGood).expect("there are always settings");
    assert_eq!(first.merged.digest(), second.merged.digest(), "the same comes to the same");
    // What is settled needs no settling.
    let third = settle(&mut arrived, |_| OnBad::LastGood).expect("there are always settings");
    assert_eq!(first.merged.digest(), third.merged.digest());
}

fn one(layer: Layer) -> Arrived {
    let mut arrived = Arrived::nothing(layer.name, &layer.source);
    arrived.report.state = SourceOutcome::Fetched;
    arrived.apart = layer.source.ends_with('3');
    arrived.layers = vec![layer];
    arrived
}
