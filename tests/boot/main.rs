//! The boot test: real systemd, real Ansible, real Prometheus, the release binary.
//!
//! Each scenario boots a machine of its own and is one `#[test]`; what they need is built
//! once and kept (`base`), what they talk to is made for each (`world`). A new scenario is
//! one file beside this one and its `mod` line. It must run as root, and fails where it cannot.
//!
//!     GILD_BIN=target/x86_64-unknown-linux-gnu/release/gild cargo test -p gild --test boot
#![allow(clippy::unwrap_used)]

mod ansible;
mod base;
mod cgroup;
mod check;
mod disk;
#[path = "../fakes/mod.rs"]
#[allow(dead_code, reason = "each of the two test binaries uses its own part of the fakes")]
mod fakes;
mod fixtures;
#[allow(dead_code, reason = "not every scenario is about an image")]
mod machine;
mod package;
mod search;
mod start;
mod vault;
mod world;

mod baked;
mod bare;
mod drain;
mod drift;
mod failing_playbook;
mod good_boot;
mod healed;
mod hostile_tags;
mod installed;
mod killed;
mod matrix;
mod outage;
mod packer;
mod pipeline;
mod roles;
mod rpm;
mod secrets;
mod services;
mod status_socket;
mod verify;
