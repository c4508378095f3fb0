//! The configuration step: Ansible or a command, once, safely, with a report.

/// The report of a boot.
pub mod report;
/// What can be configured.
pub mod settings;
