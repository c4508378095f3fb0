//! What the sources say together: layers, merge, origins, typed settings.
//!
//! Documents of any format become one kind of table (`document`), tables are
//! folded lowest layer first (`merge`) into a tree whose leaves know their
//! origin (`node`, `origin`), and the tree is typed once (`schema`,
//! `settings`). Only `Settings` travels on from here: no room below parses
//! configuration.

/// The layer of defaults.
pub mod builtin;
/// An amount of bytes.
pub mod byte_size;
/// Problems of documents, all at once, for people.
pub mod check;
/// What differs between two configurations.
pub mod difference;
/// One document: a table of values with lines.
pub mod document;
/// TOML, YAML and JSON.
pub mod format;
/// The JSON Schema of a document, for editors.
pub mod json_schema;
/// The fold of layers.
pub mod merge;
/// The merged tree.
pub mod node;
/// Layer, source, version, line.
pub mod origin;
/// Dotted paths of keys.
pub mod path;
/// The reference page.
pub mod reference;
/// How settings are declared.
pub mod schema;
/// References to secrets.
pub mod secret;
/// The typed settings.
pub mod settings;
/// Which layer may set what.
pub mod trust;
/// The plain types of settings.
pub mod types;

pub use document::Document;
pub use merge::{Layer, Merged};
pub use node::Node;
pub use origin::{LayerName, Origin};
pub use path::KeyPath;
pub use secret::SecretRef;
pub use settings::Settings;

#[cfg(test)]
mod tests;
