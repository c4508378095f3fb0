//! Tags, sources and placeholders: what many people may write, and what must
//! not leave its place.

use std::collections::BTreeMap;

use gild::config::{KeyPath, LayerName};
use gild::identity::{Identity, Provenance};
use gild::scope::placeholder::{Place, Values, tags_in};
use gild::scope::source::Source;
use gild::scope::tags::Rules;
use gild::scope::text::Found;

use super::config;

/// An instance that has these tags.
pub fn identity(tags: BTreeMap<String, String>) -> Identity {
    Identity {
        provenance: Provenance::Imds,
        instance_id: "i-1".to_owned(),
        instance_type: None,
        region: Some("eu-west-1".to_owned()),
        availability_zone: None,
        account: Some("123456789012".to_owned()),
        image_id: None,
        private_ip: None,
        public_ip: None,
        hostname: "host".to_owned(),
        autoscaling_group: None,
        tags,
    }
}

/// Tags, one a line: `key=value`.
pub fn tags(text: &str) {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let tags = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let import = BTreeMap::from([("Name".to_owned(), "vars.name".to_owned())]);
    let rules = Rules { prefix: "gild:", import: &import, require: &[] };
    if let Found::Units(units) = rules.read(&tags) {
        for text in &units.texts {
            let document = text.parse(None).expect("a value that is gathered is a document");
            config::merge(document, LayerName::Service);
        }
    }
}

/// The text of a source, and the value of a tag that may stand in it; a line
/// for each.
pub fn source(text: &str) {
    let (text, tag) = text.split_once('\n').unwrap_or((text, "value"));
    let identity = identity([("t".to_owned(), tag.to_owned())].into());
    let values = Values { identity: &identity, environment: Some(tag) };
    let _ = tags_in(text).count();
    let Ok(source) = Source::parse(text) else { return };
    assert_eq!(Source::parse(&source.to_string()).as_ref(), Ok(&source));
    if matches!(source, Source::Tags(_)) {
        return;
    }
    if let Ok(filled) = source.with(|text, place| values.fill(text, place)) {
        let (before, after) = (source.to_string(), filled.to_string());
        let url = matches!(source, Source::Http(_));
        assert_eq!(parts(&unnamed(&before), url), parts(&after, url), "{before} became {after}");
    }
}

/// How many parts an address has. In a URL some signs besides the slash part it.
fn parts(text: &str, url: bool) -> usize {
    text.matches(|letter| letter == '/' || (url && "?#@:".contains(letter))).count()
}

/// A text without its placeholders.
fn unnamed(text: &str) -> String {
    let mut pieces = text.split('{');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('}').map_or(piece, |(_, rest)| rest))
}

/// A value that stands in a place of an address.
pub fn placeholder(value: &str) {
    let identity = identity([("t".to_owned(), value.to_owned())].into());
    let values = Values { identity: &identity, environment: None };
    for place in [Place::Host, Place::Url, Place::Path] {
        if let Ok(filled) = values.fill("a/{tag:t}/b", place) {
            let part = filled.strip_prefix("a/").and_then(|rest| rest.strip_suffix("/b"));
            let part = part.expect("what stands around it is left alone");
            assert!(!part.is_empty() && part != "." && part != "..");
            assert!(!part.contains(['/', '\\']) && !part.chars().any(char::is_control));
            assert!(place == Place::Path || !part.contains(['?', '#', '@', ':', ' ']));
        }
    }
    let _ = values.fill(value, Place::Url);
    let _ = gild::metrics::placeholder::fill(value, &identity);
}

/// A dotted path: written as it is read.
pub fn key_path(text: &str) {
    if let Some(path) = KeyPath::parse(text) {
        assert_eq!(KeyPath::parse(&path.to_string()), Some(path));
    }
    let odd: KeyPath = text.split('/').collect();
    assert_eq!(KeyPath::parse(&odd.to_string()), Some(odd));
}
