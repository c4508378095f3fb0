//! Patterns of key paths, and lists of them. A pattern is a dotted path whose
//! keys may end in `*`, which stands for whatever follows; it covers everything
//! below what it names. A leading `!` takes away what the pattern covers. In a
//! list the last pattern that covers a key decides; what none covers is not
//! allowed.

use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};

/// What a pattern looks like, for messages.
const EXPECTED: &str = "a pattern of keys such as \"metrics.interval\", \"vars.app_*\", \"*\" or, to \
     take away, \"!sink\"";

/// One pattern of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    gives: bool,
    path: KeyPath,
}

/// What a list says about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    /// Whether the key itself is allowed.
    pub(super) allowed: bool,
    /// Whether the list says otherwise of keys below it.
    pub(super) mixed: bool,
}

impl Pattern {
    /// Reads a pattern; `None` where the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (gives, rest) = match text.strip_prefix('!') {
            Some(rest) => (false, rest),
            None => (true, text),
        };
        let path = KeyPath::parse(rest).filter(|path| *path != KeyPath::root())?;
        // Elsewhere a star would stand for itself, which nobody means.
        let fine = |key: &String| !key.strip_suffix('*').unwrap_or(key).contains(['*', '!']);
        path.segments().iter().all(fine).then_some(Self { gives, path })
    }

    /// Reads patterns from the code.
    pub(super) fn list(texts: &[&str]) -> Vec<Self> {
        texts.iter().filter_map(|text| Self::parse(text)).collect()
    }

    /// Whether the path is what the pattern names, or below it.
    fn covers(&self, path: &KeyPath) -> bool {
        self.path.segments().len() <= path.segments().len() && self.agrees(path)
    }

    /// Whether the pattern names something below the path.
    fn reaches_below(&self, path: &KeyPath) -> bool {
        self.path.segments().len() > path.segments().len() && self.agrees(path)
    }

    /// Whether the keys agree as far as both go.
    fn agrees(&self, path: &KeyPath) -> bool {
        let fits = |(want, have): (&String, &String)| match want.strip_suffix('*') {
            Some(start) => have.starts_with(start),
            None => have == want,
        };
        self.path.segments().iter().zip(path.segments()).all(fits)
    }
}

/// What a list of patterns says about a key.
pub(super) fn decide(patterns: &[Pattern], path: &KeyPath) -> Decision {
    let last = patterns.iter().rposition(|pattern| pattern.covers(path));
    let allowed = last.is_some_and(|last| patterns[last].gives);
    let later = &patterns[last.map_or(0, |last| last + 1)..];
    let mixed = later.iter().any(|pattern| pattern.gives != allowed && pattern.reaches_below(path));
    Decision { allowed, mixed }
}

impl Setting for Pattern {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let pattern = match node {
            Node::Leaf(leaf) => leaf.value.as_str().and_then(Self::parse),
            Node::Table { .. } => None,
        };
        if pattern.is_none() {
            reader.problem(node, path, &format!("must be {EXPECTED}"));
        }
        pattern
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn decision(patterns: &[&str], path: &str) -> (bool, bool) {
        let list: Vec<Pattern> =
            patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        let Decision { allowed, mixed } = decide(&list, &KeyPath::parse(path).unwrap());
        (allowed, mixed)
    }

    #[test]
    fn a_pattern_covers_what_it_names_and_what_is_below() {
        for (pattern, path, allowed, mixed) in [
            ("a.b", "a.b", true, false),
            ("a.b", "a.b.c", true, false),
            ("a.b", "a", false, true),
            ("a.b", "", false, true),
            ("a.b", "a.bc", false, false),
            ("a.*.c", "a.x.c", true, false),
            ("a.*.c", "a.x.d", false, false),
            ("a.b_*", "a.b_x", true, false),
            ("a.b_*", "a.b", false, false),
            ("*", "a.b", true, false),
            ("\"a.b\".c", "\"a.b\".c", true, false),
        ] {
            assert_eq!(decision(&[pattern], path), (allowed, mixed), "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_pattern_that_covers_a_key_decides() {
        for (patterns, path, allowed, mixed) in [
            (&["*", "!a"] as &[&str], "a.b", false, false),
            (&["*", "!a"], "b", true, false),
            (&["!a", "*"], "a", true, false),
            (&["*", "!a", "a.b"], "a", false, true),
            (&["*", "!a", "a.b"], "a.b", true, false),
            (&["a.b", "!a"], "a", false, false),
            (&["*", "!a.b"], "a", true, true),
            (&[], "a", false, false),
        ] {
            assert_eq!(decision(patterns, path), (allowed, mixed), "{patterns:?} {path}");
        }
    }

    #[test]
    fn what_is_not_a_pattern_is_told() {
        for text in ["", "!", "a..b", "a*b", "*a", "!!a", "a.**", ".", "a."] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }
}
