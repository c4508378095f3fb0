//! What the targets have in common: one module for each room that they reach.
//!
//! To add a target: a function here that takes the input, a file of a few lines
//! in `targets/`, its `[[bin]]` in `Cargo.toml`, and an input or two in
//! `corpus/`.

/// Documents of configuration.
pub mod config;
/// What gild left on disk or says on its socket.
pub mod files;
/// Other agents' configuration.
pub mod import;
/// What is to be told.
pub mod messages;
/// What is coming for an instance.
pub mod notice;
/// Archives of playbooks.
pub mod playbook;
/// The kernel's files, and what is made of samples.
pub mod proc;
/// Where configuration comes from.
pub mod scope;
/// Documents that disagree.
pub mod settle;
/// The status socket and the metadata service.
pub mod socket;
/// What waits on disk for a sink.
pub mod spool;
/// YAML as Ansible would read it.
pub mod yaml;
