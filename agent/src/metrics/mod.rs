//! What the host does: collectors, bounded queues, sinks.

/// What is measured.
pub mod collector;
/// One sink at work.
pub mod driver;
/// Why measurements were not delivered.
pub mod drops;
/// What each metric is.
pub mod help;
/// What a sink may not send.
pub mod left_out;
/// A tick as Prometheus reads it.
pub mod openmetrics;
/// Pages of metrics in the text format.
pub mod page;
/// Patterns of metric names.
pub mod pattern;
/// All sinks at work.
pub mod pipeline;
/// `{instance_id}` and its like.
pub mod placeholder;
/// What waits for one sink.
pub mod queue;
/// The collectors at work.
pub mod runner;
/// One measurement.
pub mod sample;
/// When the next tick is due.
pub mod schedule;
/// Pages that others serve.
pub mod scrape;
/// What can be configured.
pub mod settings;
/// Where samples go.
pub mod sink;
/// What waits for one sink on disk.
pub mod spool;
/// Whether the wall clock was set.
pub mod steps;

#[cfg(test)]
mod tests;
