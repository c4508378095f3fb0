//! `gild status`: how this instance is, by the daemon's own word.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use tokio::time::Instant;

use super::Failure;
use super::context::Globals;
use super::paint::Paint;
use crate::platform::error::chain_text;
use crate::status::client::{self, ClientError};
use crate::status::render::render;
use crate::status::snapshot::{Snapshot, State};

/// The exit code where no daemon answers.
pub(super) const NO_DAEMON: u8 = 5;

/// How long `--wait` waits for a daemon to appear.
const DAEMON_WAIT: Duration = Duration::from_secs(10);

/// How often `--wait` looks.
const LOOK: Duration = Duration::from_millis(250);

/// Show how this instance is: exit 0 ready, 1 failed, 2 in progress, 3
/// degraded, 4 usage, 5 no daemon.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Wait until the configuration step is over.
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let patience = Instant::now() + DAEMON_WAIT;
    loop {
        let (_, body, snapshot) = match ask(globals).await {
            Ok(answer) => answer,
            // What an instance is like and whether it can be asked are two
            // things, with exit codes of their own.
            Err(why) => {
                if arguments.wait && Instant::now() < patience {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                eprintln!("gild: {}", globals.redactor.text(&why));
                return Ok(ExitCode::from(NO_DAEMON));
            }
        };
        if arguments.wait && snapshot.state == State::Configuring {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        let text = if arguments.json {
            format!("{}\n", String::from_utf8_lossy(&body).trim_end())
        } else {
            render(&snapshot, Paint::stdout().is_on())
        };
        super::print(&globals.redactor, &text);
        return Ok(ExitCode::from(snapshot.state.exit_code()));
    }
}

/// The status by the first daemon that answers, with where that was, or why none does.
pub(super) async fn ask(globals: &Globals) -> Result<(PathBuf, Bytes, Snapshot), String> {
    let mut why = "no daemon answers".to_owned();
    for socket in globals.sockets() {
        match client::get(&socket, "/v1/status").await {
            Ok((200, body)) => match serde_json::from_slice(&body) {
                Ok(snapshot) => return Ok((socket, body, snapshot)),
                Err(error) => why = format!("the daemon's answer cannot be understood: {error}"),
            },
            Ok((code, body)) => {
                let text = String::from_utf8_lossy(&body);
                why = format!("the daemon answered {code}: {}", text.trim());
            }
            Err(ClientError::NoDaemon { .. }) => {}
            Err(error) => why = chain_text(&error),
        }
    }
    Err(why)
}
