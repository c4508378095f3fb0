//! One document of configuration: a table of values, with the line of each.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

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

/// A document that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The text is not in the format that it should be in.
    #[error("{}{}", at(*.line), self.reason())]
    Syntax {
        /// The format.
        format: Format,
        /// Where it stops making sense.
        line: u32,
        /// Why.
        reason: String,
    },
    /// The document is not a table of keys.
    #[error("a document must be a table of keys, and this one is not")]
    NotATable,
    /// A key that has no value.
    #[error("{}{}", at(*.line), self.reason())]
    Null {
        /// The key.
        key: KeyPath,
        /// Its line, 0 where lines are not known.
        line: u32,
    },
    /// `unset` is not a list of key paths.
    #[error("`unset` must be a list of key paths such as [\"sink.mimir\"]")]
    Unset,
    /// The nesting is too deep.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// There are too many keys.
    #[error("more than {MAX_KEYS} keys")]
    TooManyKeys,
    /// The path of a key is too long.
    #[error("a key whose path is longer than {MAX_PATH} bytes")]
    PathTooLong,
    /// The document is too large.
    #[error("larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The text is not UTF-8.
    #[error("not UTF-8 text")]
    NotText,
}

fn at(line: u32) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

impl DocumentError {
    /// What is wrong, without the line.
    pub fn reason(&self) -> String {
        match self {
            DocumentError::Syntax { format, reason, .. } => format!("not valid {format}: {reason}"),
            DocumentError::Null { key, .. } => format!(
                "'{key}' has no value; to take away what a lower layer set, list it in `unset`"
            ),
            other => other.to_string(),
        }
    }

    /// The line of the fault, where it is known.
    pub fn line(&self) -> Option<u32> {
        match self {
            DocumentError::Syntax { line, .. } | DocumentError::Null { line, .. } => {
                Some(*line).filter(|line| *line > 0)
            }
            _ => None,
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
        lines: BTreeMap<KeyPath, u32>,
    ) -> Result<Self, DocumentError> {
        let unset = match root.remove("unset") {
            None => Vec::new(),
            Some(Value::Array(keys)) => keys
                .iter()
                .map(|key| key.as_str().and_then(KeyPath::parse))
                .collect::<Option<_>>()
                .ok_or(DocumentError::Unset)?,
            Some(_) => return Err(DocumentError::Unset),
        };
        let mut keys = 0;
        for (key, value) in &root {
            check(value, &KeyPath::root().child(key), 1, &mut keys, &lines)?;
        }
        Ok(Self { root, lines, unset })
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
        }
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
