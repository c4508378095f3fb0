//! The configuration step: Ansible or a command, once, safely, with a report.

/// One boot from beginning to end.
pub mod boot;
/// The resolved configuration, handed to the daemon.
pub mod handoff;
/// The report of a boot.
pub mod report;
/// What can be configured.
pub mod settings;
