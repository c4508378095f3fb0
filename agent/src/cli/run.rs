//! `gild run`: the daemon.

use std::process::ExitCode;

use clap::Args;
use listenfd::ListenFd;

use super::Failure;
use super::context::Globals;
use crate::daemon::{self, Until};
use crate::platform::signals;
use crate::status::listener;

/// Measure, watch services, answer on the status socket.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) async fn run(globals: &Globals, _: &Arguments) -> Result<ExitCode, Failure> {
    let paths = globals.installed();
    let context = globals.context(paths.clone(), None)?;
    let listener = match &globals.socket {
        Some(socket) => listener::open(ListenFd::from_env(), socket).await?,
        None => match listener::open(ListenFd::from_env(), &paths.socket()).await {
            Err(error) if error.is_denied() => {
                listener::open(ListenFd::empty(), &paths.own_socket()).await?
            }
            other => other?,
        },
    };
    daemon::run(&context, listener, Until::Stopped, signals::asked_to_stop()).await?;
    Ok(ExitCode::SUCCESS)
}
