//! The integration tests: one binary, one module for each part of gild.
//!
//! A new part is one file beside this one and its `mod` line. What the parts talk to is
//! in `fakes`; tests that need moto or Ansible fail without them, with the way to get them.
#![allow(clippy::unwrap_used)]

mod boots;
mod cli;
#[allow(dead_code, reason = "each of the two test binaries uses its own part of the fakes")]
mod fakes;
mod fakes_work;
mod golden;
mod identity;
mod notifications;
mod program;
mod scopes;
mod status;
mod step;
