//! Where configuration comes from: sources, fetched together before one
//! deadline.

/// What can be configured.
pub mod settings;
/// What a source says about the instance.
pub mod placeholder;
/// The text of a source.
pub mod source;
