//! The life of an instance: what its autoscaling group is told when it begins,
//! what is coming for it, and what is done before it ends.

/// What is done before the instance ends.
pub mod drain;
/// The daemon's question for that.
pub mod request;
/// What can be configured.
pub mod settings;
