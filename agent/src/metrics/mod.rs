//! What the host does: collectors, bounded queues, sinks.

/// What can be configured.
pub mod settings;
/// Where samples go.
pub mod sink;
