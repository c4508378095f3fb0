//! Where configuration comes from: sources, fetched together before one
//! deadline.

/// What can be configured.
pub mod settings;
