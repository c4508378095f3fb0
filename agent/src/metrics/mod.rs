//! What the host does: collectors, bounded queues, sinks.

/// What is measured.
pub mod collector;
/// One measurement.
pub mod sample;
/// What can be configured.
pub mod settings;
/// Where samples go.
pub mod sink;
