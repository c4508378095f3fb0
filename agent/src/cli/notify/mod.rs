//! `gild notify`: for systemd, scripts and Packer's post-processors. One file a verb.

mod failed_boot;
mod packer;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Failure;
use super::context::Globals;

/// Tell those whom [notify] names.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Tell of a boot that failed without telling of it itself.
    FailedBoot,
    PackerManifest(packer::Manifest),
    PackerFailure(packer::Failed),
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.verb {
        Verb::FailedBoot => failed_boot::run(globals).await,
        Verb::PackerManifest(arguments) => packer::manifest(globals, arguments).await,
        Verb::PackerFailure(arguments) => packer::failed(globals, arguments).await,
    }
}
