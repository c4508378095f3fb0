//! gild-ami against moto: the program itself, in two accounts, with a fleet that a test makes up.
//! One verb a file. `rig` runs the emulator and the program; `moto` is the emulator.

#[path = "../golden.rs"]
mod golden;
#[path = "../fakes/tool.rs"]
mod tool;

mod assign;
mod clean;
mod copy;
mod fleet;
mod iam;
mod instance;
mod inventory;
mod publish;
mod report;
mod retain;
mod rig;
mod schedule;
mod share;
mod workflow;
