//! Whether the services do their work: systemd units and probes, with
//! hysteresis.
//!
//! Each service is looked at on its own schedule (`watch`). A look asks systemd
//! about the unit (`unit`) and runs the probes (`probe`) at the same time;
//! `verdict` turns the row of looks into up, down or not known yet.

mod look;
/// HTTP and TCP probes.
pub mod probe;
/// What can be configured.
pub mod settings;
/// The targets of probes, typed.
pub mod target;
/// What systemd says about a unit, over D-Bus.
pub mod unit;
/// From looks to up or down.
pub mod verdict;
/// One task a service, and what all of them found.
pub mod watch;

#[cfg(test)]
pub(crate) mod fake_systemd;
