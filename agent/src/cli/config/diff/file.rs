//! A configuration in a file: what `gild config show --json` printed, with or
//! without origins, the resolved configuration as the daemon hands it out, or a
//! document.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::config::check::Finding;
use crate::config::document::{Document, DocumentError};
use crate::config::format::Format;
use crate::config::merge::{Layer, Merged};
use crate::config::node::{Leaf, Node};
use crate::config::path::KeyPath;
use crate::config::{LayerName, builtin};
use crate::configure::handoff::Handoff;
use crate::platform::fs;

/// A configuration with every origin is below this, as in a hand-off.
const MAX_BYTES: u64 = 16 << 20;

/// A file that cannot be compared with.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// It could not be read.
    #[error("failed to read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing tells what it is.
    #[error("'{}' must end in .toml, .yaml, .yml or .json, or hold JSON", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// It is not a document.
    #[error("failed to understand '{}'", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// It cannot be laid over the defaults.
    #[error("it does not go with the defaults: {}", findings.join("; "))]
    Conflict {
        /// Each key that does not, with its line.
        findings: Vec<String>,
    },
    /// Two of its keys stand in each other's way.
    #[error("'{}' has a value where it also has a table", path.display())]
    Leaves {
        /// The file.
        path: PathBuf,
    },
}

/// One value of what `gild config show --origin --json` prints.
#[derive(Deserialize)]
struct Line {
    key: KeyPath,
    #[serde(flatten)]
    leaf: Leaf,
}

/// The configuration in a file.
pub(super) fn tree(path: &Path) -> Result<Node, FileError> {
    let read = |source| FileError::Read { path: path.to_owned(), source };
    let missing = || read(io::Error::from(io::ErrorKind::NotFound));
    let bytes = fs::read_capped(path, MAX_BYTES).map_err(read)?.ok_or_else(missing)?;
    if let Ok(handoff) = serde_json::from_slice::<Handoff>(&bytes) {
        return Ok(handoff.config);
    }
    if let Ok(lines) = serde_json::from_slice::<Vec<Line>>(&bytes) {
        let leaves = lines.into_iter().map(|line| (line.key, line.leaf));
        let tree = Node::from_leaves(leaves, &builtin::layer().origin(&KeyPath::root()));
        return tree.ok_or_else(|| FileError::Leaves { path: path.to_owned() });
    }
    document(path, &bytes)
}

/// A document, laid over the defaults.
fn document(path: &Path, bytes: &[u8]) -> Result<Node, FileError> {
    let name = path.display().to_string();
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    let format = Format::from_name(&name).or(is_json.then_some(Format::Json));
    let format = format.ok_or_else(|| FileError::Format { path: path.to_owned() })?;
    let document = Document::parse(bytes, format)
        .map_err(|source| FileError::Document { path: path.to_owned(), source })?;
    let layer = Layer {
        name: LayerName::Local,
        source: Arc::from(name),
        version: None,
        last_good: false,
        document,
    };
    let merged = Merged::fold([&builtin::layer(), &layer]);
    match merged.conflicts.is_empty() {
        true => Ok(merged.root),
        false => {
            let findings = merged.conflicts.iter().map(Finding::from);
            Err(FileError::Conflict { findings: findings.map(|one| one.to_string()).collect() })
        }
    }
}
