//! The integration tests: one binary, one module for each part of gild.
//!
//! A new part is one file beside this one and its `mod` line. What the parts talk to is
//! in `fakes`; tests that need moto or Ansible fail without them, with the way to get them.
#![allow(clippy::unwrap_used)]

mod bake;
mod blame;
mod boots;
mod cli;
mod cli_config;
mod cloudwatch;
mod cost;
mod crash;
mod defects;
mod drain;
#[allow(dead_code, reason = "each of the two test binaries uses its own part of the fakes")]
mod fakes;
mod fakes_work;
mod faults;
#[allow(dead_code, reason = "the benchmark shows more of a fleet than the test")]
#[path = "bench/fleet.rs"]
mod fleet;
mod golden;
mod growth;
mod handles;
mod herd;
mod hooks;
mod host;
mod identity;
mod import;
#[allow(dead_code, reason = "the fault driver uses it; its tests are here")]
#[path = "faults/ledger.rs"]
mod ledger;
mod node_exporter;
mod notices;
mod notifications;
mod older_system;
mod otlp;
mod outage;
mod pictures;
#[allow(dead_code, reason = "the fault driver uses it; its tests are here")]
#[path = "faults/plan.rs"]
mod plan;
mod playbooks;
mod program;
mod prometheus;
mod refresh;
mod remote_write;
mod rig;
mod roles;
mod scopes;
mod scrape;
mod secrets;
mod security;
mod stale;
mod status;
mod step;
mod top;
