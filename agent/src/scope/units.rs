//! Single values, such as tags and the parameters of a subtree. Each stands by
//! itself: one that cannot be used is left out and named, and the others do not
//! suffer for it. Many people may write them, one at a time.

use serde_json::Value;

use super::text::{Found, Text};
use crate::config::check::Finding;
use crate::config::document::spelled_directive;
use crate::config::schema::{Setting, Shape};
use crate::config::{KeyPath, Settings};

/// The values of one source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Units {
    /// Those that can be used, each a layer of its own.
    pub texts: Vec<Text>,
    /// What was left out, and why.
    pub left_out: Vec<Finding>,
}

/// Gathers values, one by one.
#[derive(Debug)]
pub struct Gatherer<'a> {
    shape: Shape,
    into: Option<&'a KeyPath>,
    /// What has been gathered so far.
    pub units: Units,
}

impl<'a> Gatherer<'a> {
    /// Gathers values that will stand below `into`.
    pub fn new(into: Option<&'a KeyPath>) -> Self {
        Self { shape: Settings::shape(), into, units: Units::default() }
    }

    /// Adds the value that a text spells, by what the key at `path` holds.
    pub fn spelled(&mut self, name: &str, version: Option<String>, path: &KeyPath, text: &str) {
        if let [key] = path.segments()
            && let Some(value) = spelled_directive(key, text)
        {
            return self.value(name, version, path, value);
        }
        let whole: Vec<String> =
            self.into.into_iter().chain([path]).flat_map(KeyPath::segments).cloned().collect();
        // A key that nothing reads is a text, and is reported as unknown later.
        let shape = self.shape.at(&whole).unwrap_or(Shape::Text);
        match shape.parse_text(text) {
            Ok(value) => self.value(name, version, path, value),
            Err(expected) => self.leave_out(name, Some(path), format!("must be {expected}")),
        }
    }

    /// Adds a value.
    pub fn value(&mut self, name: &str, version: Option<String>, path: &KeyPath, value: Value) {
        let text = Text::of_value(name.to_owned(), version, path, value);
        match text.parse(None) {
            Ok(_) => self.units.texts.push(text),
            Err(error) => self.leave_out(name, None, error.reason()),
        }
    }

    /// Notes a value that cannot be used. Its name may come from outside.
    pub fn leave_out(&mut self, name: &str, key: Option<&KeyPath>, message: String) {
        self.units.left_out.push(Finding {
            source: name.escape_debug().to_string(),
            line: None,
            key: key.cloned(),
            value: None,
            message,
        });
    }

    /// What was found.
    pub fn found(self) -> Found {
        match self.units {
            Units { texts, left_out } if texts.is_empty() && left_out.is_empty() => Found::Absent,
            units => Found::Units(units),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_spelled_with_commas_between_their_keys() {
        let mut gatherer = Gatherer::new(None);
        for (key, text) in [
            ("unset", "vars.a, sink.b,"),
            ("final", "metrics.interval"),
            ("accept_shrink", "true"),
            ("accept_shrink", "maybe"),
            ("final", "a..b"),
        ] {
            gatherer.spelled(key, None, &KeyPath::root().child(key), text);
        }
        let Units { texts, left_out } = gatherer.units;
        let bodies: Vec<_> = texts.iter().map(|text| String::from_utf8_lossy(&text.body)).collect();
        assert_eq!(
            bodies,
            [
                r#"{"unset":["vars.a","sink.b"]}"#,
                r#"{"final":["metrics.interval"]}"#,
                r#"{"accept_shrink":true}"#,
            ]
        );
        let messages: Vec<_> = left_out.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "accept_shrink: `accept_shrink` must be true or false",
                "final: `final` must be a list of key paths such as [\"sink.mimir\"]",
            ]
        );
    }
}
