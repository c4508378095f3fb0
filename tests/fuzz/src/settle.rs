//! Several documents at once: merged, typed, and without those that cannot be
//! used, in whatever order they disagree.

use gild::config::format::Format;
use gild::config::{Document, Layer, LayerName, Merged, Settings};
use gild::configure::report::SourceOutcome;
use gild::scope::arrived::Arrived;
use gild::scope::settle::{Terms, settle};

/// More documents than this are no other question, and a slower one.
const MOST: usize = 8;

/// Documents, parted by lines that begin with `%`. The letters that follow say
/// what each is: its layer (`i`, `g`, `a`, `s`, `l`), its format (`t`, `y`,
/// `j`), and `p` for one of those that stand by themselves, `c` for the last
/// valid copy of the one before, `x` for a source that has failed.
pub fn settled(text: &str) {
    let mut arrived: Vec<Arrived> = Vec::new();
    for (number, part) in text.split("\n%").take(MOST).enumerate() {
        let (letters, body) = part.split_once('\n').unwrap_or((part, ""));
        let copy = letters.contains('c');
        let Some(layer) = layer(letters, body, number, copy) else { continue };
        match arrived.last_mut() {
            Some(before) if copy => {
                let layer = Layer { name: before.report.layer, ..layer };
                before.fallback.push(layer);
            }
            _ => arrived.push(source(letters, layer)),
        }
    }
    // The host's own documents say what the others may.
    let mut host = arrived.clone();
    host.retain(|source| !source.report.layer.is_remote());
    let base = settle(&mut host, &Terms::default()).expect("the defaults are settings");
    let mut terms = Terms::of(&base.settings.scope);
    terms.no_copies.push(LayerName::Account);
    let mut again = arrived.clone();
    let first = settle(&mut arrived, &terms).expect("the defaults are settings");
    let second = settle(&mut again, &terms).expect("the defaults are settings");
    assert_eq!(first.merged.digest(), second.merged.digest(), "the same documents, the same tree");
    let typed = Settings::typed(&first.merged.root);
    assert!(typed.settings.is_some(), "what is settled are settings: {:?}", typed.problems);
    // What was left out is out: there is nothing more to settle.
    let third = settle(&mut arrived, &terms).expect("the defaults are settings");
    assert_eq!(first.merged.digest(), third.merged.digest(), "settled is settled");
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

fn layer(letters: &str, body: &str, number: usize, last_good: bool) -> Option<Layer> {
    let format = match letters {
        letters if letters.contains('y') => Format::Yaml,
        letters if letters.contains('j') => Format::Json,
        _ => Format::Toml,
    };
    let document = Document::parse(body.as_bytes(), format).ok()?;
    let source = format!("document {number}").into();
    Some(Layer { name: name(letters), source, version: None, last_good, document })
}

fn name(letters: &str) -> LayerName {
    match letters.trim_start_matches('%').chars().next() {
        Some('i') => LayerName::Image,
        Some('a') => LayerName::Account,
        Some('s') => LayerName::Service,
        Some('l') => LayerName::Local,
        _ => LayerName::Global,
    }
}

fn source(letters: &str, layer: Layer) -> Arrived {
    let mut arrived = Arrived::nothing(layer.name, &layer.source);
    arrived.report.state = SourceOutcome::Fetched;
    arrived.apart = letters.contains('p');
    if letters.contains('x') {
        arrived.report.state = SourceOutcome::Failed;
    } else {
        arrived.layers.push(layer);
    }
    arrived
}
