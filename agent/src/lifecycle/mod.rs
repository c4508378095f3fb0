//! The life of an instance: what its autoscaling group is told when it begins,
//! what is coming for it, and what is done before it ends.

/// What the autoscaling group is told.
pub mod hook;
/// What can be configured.
pub mod settings;
