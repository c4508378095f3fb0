//! `gild run`: the daemon.

use std::process::ExitCode;

use clap::Args;

use super::Failure;
use super::context::Globals;
use crate::daemon::{self, Until};
use crate::platform::signals;
use crate::status::listener::Listener;

/// Measure, watch services, answer on the status socket.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) async fn run(globals: &Globals, _: &Arguments) -> Result<ExitCode, Failure> {
    let paths = globals.installed();
    let socket = globals.socket.clone().unwrap_or_else(|| paths.socket());
    let listener = Listener::activated_or_bind(&socket)?;
    let context = globals.context(paths, None)?;
    daemon::run(&context, listener, Until::Stopped, signals::asked_to_stop()).await?;
    Ok(ExitCode::SUCCESS)
}
