//! Why a document cannot be read.

use super::{MAX_BYTES, MAX_DEPTH, MAX_KEYS, MAX_PATH};
use crate::config::format::Format;
use crate::config::path::KeyPath;

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
    /// A directive of the document is not what it must be.
    #[error("`{key}` must be {expected}")]
    Directive {
        /// The directive.
        key: &'static str,
        /// What would be right.
        expected: &'static str,
    },
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
