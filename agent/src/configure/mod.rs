//! The configuration step: Ansible or a command, once, safely, with a report.

/// What can be configured.
pub mod settings;
