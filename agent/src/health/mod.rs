//! Whether the services do their work: systemd units and probes, with
//! hysteresis.

/// What can be configured.
pub mod settings;
