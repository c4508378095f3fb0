//! The configuration step: Ansible or a command, once, safely, with a report.
//!
//! `policy` decides from `state` and the digest of the `playbook`, which may have
//! to be fetched first, whether a step runs; `lock` keeps it alone; `step` runs it by one of two engines, `ansible`
//! or `exec`, each a `process` with a deadline; `recorder` makes tasks of the
//! `events` that it tells; `report` holds what came of it, and `applied` what it was made
//! of, if it succeeded. `boot` is all of that in
//! its order, and `handoff` is what the daemon gets of it. `blame` says where its time went.
//!
//! To add an engine: a module like `exec`, a word of `settings::Engine`, an arm
//! in `step`.

/// Ansible as the engine.
pub mod ansible;
/// What succeeded last.
pub mod applied;
/// The arguments of a command.
pub mod arguments;
/// Each run of the step.
pub mod attempt;
/// Where the time of a boot went.
pub mod blame;
/// One boot from beginning to end.
pub mod boot;
/// The digest of a directory.
mod digest;
/// How a step ended.
pub mod ended;
/// What a child process finds in its environment.
pub(crate) mod environment;
/// What the step tells while it runs.
pub mod events;
/// A command as the engine.
pub mod exec;
/// All processes that came from one.
mod family;
/// The resolved configuration, handed to the daemon.
pub mod handoff;
/// Lines of output.
mod lines;
/// One step at a time.
pub mod lock;
/// The playbook, wherever it is.
pub mod playbook;
/// Whether the step runs.
pub mod policy;
/// A child process with a deadline.
pub mod process;
/// The tasks of the step, from its events.
mod recorder;
/// The report of a boot.
pub mod report;
/// What can be configured.
pub mod settings;
/// What the last step was run with.
pub mod state;
/// The step itself.
pub mod step;
/// Where reports are kept.
pub mod store;
/// Settings that are held to more than their kind.
pub mod values;
/// What a running step needs on disk.
pub mod workspace;

pub use applied::Applied;
pub use ended::{Ended, StepResult};
pub use events::Progress;
pub use lock::Lock;
pub use playbook::Playbook;
pub use policy::decide;
pub use state::{Previous, State, StepKey};
pub use step::Step;
