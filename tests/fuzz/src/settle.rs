//! Several documents at once: merged, typed, and without those that cannot be
//! used, in whatever order they disagree.

use gild::config::format::Format;
use gild::config::{Document, Layer, LayerName, Settings};
use gild::configure::report::SourceOutcome;
use gild::scope::arrived::Arrived;
use gild::scope::settings::OnBad;
use gild::scope::settle::settle;

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
    let on_bad = |layer| if layer == LayerName::Account { OnBad::Fail } else { OnBad::LastGood };
    let mut again = arrived.clone();
    let first = settle(&mut arrived, on_bad).expect("the defaults are settings");
    let second = settle(&mut again, on_bad).expect("the defaults are settings");
    assert_eq!(first.merged.digest(), second.merged.digest(), "the same documents, the same tree");
    let typed = Settings::typed(&first.merged.root);
    assert!(typed.settings.is_some(), "what is settled are settings: {:?}", typed.problems);
    // What was left out is out: there is nothing more to settle.
    let third = settle(&mut arrived, on_bad).expect("the defaults are settings");
    assert_eq!(first.merged.digest(), third.merged.digest(), "settled is settled");
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
