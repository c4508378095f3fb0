//! One document of configuration: a table of values, with the line of each.

mod error;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use self::error::DocumentError;
use super::format::{self, Format};
use super::path::KeyPath;

/// The deepest nesting that a document may have.
pub const MAX_DEPTH: usize = 32;
/// The most keys that a document may have.
pub const MAX_KEYS: usize = 10_000;
/// The longest path of a key in bytes. Each key is kept with its whole path, so
/// long ones below each other would take far more than the document itself.
pub const MAX_PATH: usize = 1024;
/// The largest document in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;

/// A key at the top of a document that is about the document itself and no
/// setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directive {
    /// The key.
    pub key: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// What it is for.
    pub doc: &'static str,
}

/// What a directive holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A list of key paths.
    KeyPaths,
    /// `true` or `false`.
    Truth,
}

/// Every directive. To add one: an entry here, a field of `Document`, a line in
/// `Document::checked`.
pub const DIRECTIVES: [Directive; 3] = [
    Directive {
        key: "unset",
        holds: Holds::KeyPaths,
        doc: "Keys that lower layers set and that are taken away.",
    },
    Directive {
        key: "final",
        holds: Holds::KeyPaths,
        doc: "Keys that no higher remote layer may change.",
    },
    Directive {
        key: "accept_shrink",
        holds: Holds::Truth,
        doc: "Whether this document may have lost more than half of the keys that it had.",
    },
];

impl Holds {
    /// What would be right, in words.
    pub fn expected(self) -> &'static str {
        match self {
            Holds::KeyPaths => "a list of key paths such as [\"sink.mimir\"]",
            Holds::Truth => "true or false",
        }
    }
}

/// A table of values with the line of each leaf.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The values.
    pub root: Map<String, Value>,
    /// The lines of leaves and tables, counted from 1.
    pub lines: BTreeMap<KeyPath, u32>,
    /// What the document takes away from the layers below it.
    pub unset: Vec<KeyPath>,
    /// What no higher remote layer may set.
    pub finals: Vec<KeyPath>,
    /// Whether it may be much shorter than its last valid copy.
    pub accept_shrink: bool,
    /// The lines of the directives.
    pub directives: BTreeMap<&'static str, u32>,
}

impl Document {
    /// Reads a document from bytes in the given format.
    pub fn parse(bytes: &[u8], format: Format) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_BYTES {
            return Err(DocumentError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| DocumentError::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (root, lines) = format::parse(text, format)?;
        Self::checked(root, lines)
    }

    /// A document from values that come without lines.
    pub fn from_values(root: Map<String, Value>) -> Result<Self, DocumentError> {
        Self::checked(root, BTreeMap::new())
    }

    fn checked(
        mut root: Map<String, Value>,
        mut lines: BTreeMap<KeyPath, u32>,
    ) -> Result<Self, DocumentError> {
        let mut document = Self::default();
        let mut keys = 0;
        for Directive { key, holds, .. } in DIRECTIVES {
            let Some(value) = root.remove(key) else { continue };
            let line = lines.remove(&KeyPath::root().child(key));
            document.directives.extend(line.map(|line| (key, line)));
            let wrong = || DocumentError::Directive { key, expected: holds.expected() };
            match key {
                "unset" => document.unset = key_paths(&value, &mut keys)?.ok_or_else(wrong)?,
                "final" => {
                    let paths = key_paths(&value, &mut keys)?;
                    let exact = |paths: &Vec<KeyPath>| paths.iter().all(is_exact);
                    document.finals = paths.filter(exact).ok_or_else(wrong)?;
                }
                _ => document.accept_shrink = value.as_bool().ok_or_else(wrong)?,
            }
        }
        for (key, value) in &root {
            check(value, &KeyPath::root().child(key), 1, &mut keys, &lines)?;
        }
        Ok(Self { root, lines, ..document })
    }

    /// The same document with its values below `path` instead of at the top.
    pub fn below(self, path: &KeyPath) -> Self {
        let prefix = |key: KeyPath| -> KeyPath {
            path.segments().iter().chain(key.segments()).cloned().collect()
        };
        let mut root = self.root;
        for segment in path.segments().iter().rev() {
            root = Map::from_iter([(segment.clone(), Value::Object(root))]);
        }
        Self {
            root,
            lines: self.lines.into_iter().map(|(key, line)| (prefix(key), line)).collect(),
            unset: self.unset.into_iter().map(prefix).collect(),
            finals: self.finals.into_iter().map(prefix).collect(),
            accept_shrink: self.accept_shrink,
            directives: self.directives,
        }
    }

    /// Whether the document says nothing.
    pub fn is_empty(&self) -> bool {
        self.root.is_empty() && self.unset.is_empty() && self.finals.is_empty()
    }

    /// How many leaves the document has.
    pub fn keys(&self) -> usize {
        fn count(value: &Value) -> usize {
            match value {
                Value::Object(table) => table.values().map(count).sum(),
                _ => 1,
            }
        }
        self.root.values().map(count).sum()
    }
}

/// The value that a text spells for a directive, as in a parameter of its own:
/// key paths with commas between them. `None` where the key is no directive.
pub fn spelled_directive(key: &str, text: &str) -> Option<Value> {
    let directive = DIRECTIVES.iter().find(|directive| directive.key == key)?;
    if directive.holds == Holds::KeyPaths {
        let paths = text.split(',').map(str::trim).filter(|path| !path.is_empty());
        return Some(paths.collect());
    }
    // What is neither stays a text, which the document then refuses.
    Some(text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from))
}

/// A list of key paths; `None` where the value is none.
fn key_paths(value: &Value, keys: &mut usize) -> Result<Option<Vec<KeyPath>>, DocumentError> {
    let Value::Array(items) = value else { return Ok(None) };
    let mut paths = Vec::new();
    for item in items {
        let Some(path) = item.as_str().and_then(KeyPath::parse) else { return Ok(None) };
        *keys += 1;
        within_limits(&path, *keys)?;
        paths.push(path);
    }
    Ok(Some(paths))
}

/// Whether a path names one key. The whole document is none, and a star would
/// only protect a key of that very name.
fn is_exact(path: &KeyPath) -> bool {
    *path != KeyPath::root() && !path.segments().iter().any(|key| key.contains('*'))
}

/// What holds for every key. Readers that keep the lines of keys ask before they
/// do.
pub(crate) fn within_limits(path: &KeyPath, keys: usize) -> Result<(), DocumentError> {
    if keys > MAX_KEYS {
        return Err(DocumentError::TooManyKeys);
    }
    if path.bytes() > MAX_PATH {
        return Err(DocumentError::PathTooLong);
    }
    Ok(())
}

fn check(
    value: &Value,
    path: &KeyPath,
    depth: usize,
    keys: &mut usize,
    lines: &BTreeMap<KeyPath, u32>,
) -> Result<(), DocumentError> {
    if depth > MAX_DEPTH {
        return Err(DocumentError::TooDeep);
    }
    *keys += 1;
    within_limits(path, *keys)?;
    match value {
        Value::Null => {
            let line = lines.get(path).copied().unwrap_or_default();
            Err(DocumentError::Null { key: path.clone(), line })
        }
        Value::Object(table) => table
            .iter()
            .try_for_each(|(key, value)| check(value, &path.child(key), depth + 1, keys, lines)),
        Value::Array(items) => {
            items.iter().try_for_each(|item| check(item, path, depth + 1, keys, lines))
        }
        _ => Ok(()),
    }
}
