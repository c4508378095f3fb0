//! Whether the services do their work: systemd units and probes, with
//! hysteresis.
//!
//! Each service is looked at on its own schedule (`watch`). A look asks systemd
//! about the unit (`unit`) and runs the probes (`probe`) at the same time;
//! `verdict` turns the row of looks into up, down or not known yet. What a unit
//! uses (`usage`) is measured beside that and decides nothing.

mod look;
/// What all looks share.
pub mod means;
/// Whether a service does its work.
pub mod probe;
/// What can be configured.
pub mod settings;
/// The targets of probes, typed.
pub mod target;
/// What systemd says about a unit, over D-Bus.
pub mod unit;
/// What a unit uses.
pub mod usage;
/// From looks to up or down.
pub mod verdict;
/// One task a service, and what all of them found.
pub mod watch;

#[cfg(test)]
pub(crate) mod fake_systemd;
