//! Why a document of another agent cannot be read at all.

/// What is wrong with a document.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no text.
    #[error("it is not UTF-8 text")]
    NotText,
    /// It is larger than any that is meant to be.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes.
        limit: usize,
    },
    /// It has more values than any that is meant to be.
    #[error("it has more than {limit} values, or nests deeper than {depth}")]
    TooMuch {
        /// The most values.
        limit: usize,
        /// The deepest nesting.
        depth: usize,
    },
    /// It does not follow its format.
    #[error("line {line}: {reason}")]
    Syntax {
        /// The line, counted from 1.
        line: u32,
        /// What is wrong there.
        reason: String,
    },
    /// It is no table.
    #[error("it is not an object of settings")]
    NotATable,
}
