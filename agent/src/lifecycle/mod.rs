//! The life of an instance: what its autoscaling group is told when it begins,
//! what is coming for it, and what is done before it ends.

/// What is done before the instance ends.
pub mod drain;
/// What the autoscaling group is told.
pub mod hook;
/// What is coming, as values.
pub mod notice;
/// The word of the daemon that the instance is to be drained.
pub mod request;
/// What can be configured.
pub mod settings;
/// What systemd is asked.
pub mod systemctl;
/// What is told of what is coming.
pub mod tidings;
/// The looks at what is coming.
pub mod watch;
