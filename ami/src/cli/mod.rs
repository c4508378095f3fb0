//! The verbs of the command line: one file each, with its arguments and what it does. `main`
//! parses, runs one verb, prints the error chain and gives the exit code.
//!
//! Every verb makes a plan and hands it to `settle`, which shows it, and does it where `--apply`
//! says so. To add a verb: one file with `Arguments` and `run`, and a line in each of the two
//! lists below.

mod assign;
mod clean;
mod common;
mod copy;
mod inventory;
mod publish;
mod report;
mod retain;
mod schedule;
mod share;

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use gild::platform::log;
use gild::platform::redact::Redactor;

/// The exit code for a command line that makes no sense.
pub const USAGE: u8 = 4;

/// What is told where GILD_LOG says nothing: what goes wrong, and how far copies are, which take
/// hours.
const TOLD: &str = "warn,gild_ami::apply::copies=info,gild_ami::apply::refreshes=info";

/// Playbooks and images from the build account to the fleet, and away again.
///
/// Every verb shows what it would do and why, and changes nothing without --apply. What it could
/// not look at protects: where a question stays without an answer there is no plan.
#[derive(Debug, Parser)]
#[command(name = "gild-ami", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    common: common::Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Assign(assign::Arguments),
    Clean(clean::Arguments),
    Copy(copy::Arguments),
    Inventory(inventory::Arguments),
    Publish(publish::Arguments),
    Retain(retain::Arguments),
    Schedule(schedule::Arguments),
    Share(share::Arguments),
}

/// What a verb failed with; printed as a chain.
type Failure = Box<dyn Error>;

/// What the command line knows, for pages of documentation.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command line and gives the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe must not turn help into a panic.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let filter = std::env::var("GILD_LOG").ok();
    log::start(log::Format::Text, filter.as_deref(), TOLD, &Redactor::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Err(error) => Err(error.into()),
        Ok(runtime) => runtime.block_on(async {
            match cli.verb {
                Verb::Assign(arguments) => assign::run(&cli.common, &arguments).await,
                Verb::Clean(arguments) => clean::run(&cli.common, &arguments).await,
                Verb::Copy(arguments) => copy::run(&cli.common, &arguments).await,
                Verb::Inventory(arguments) => inventory::run(&cli.common, &arguments).await,
                Verb::Publish(arguments) => publish::run(&cli.common, &arguments).await,
                Verb::Retain(arguments) => retain::run(&cli.common, &arguments).await,
                Verb::Schedule(arguments) => schedule::run(&cli.common, &arguments).await,
                Verb::Share(arguments) => share::run(&cli.common, &arguments).await,
            }
        }),
    };
    result.unwrap_or_else(|failure| {
        common::tell(failure.as_ref());
        ExitCode::FAILURE
    })
}
