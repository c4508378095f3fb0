//! `gild status`: how this instance is, by the daemon's own word.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use super::Failure;
use super::context::Globals;
use super::paint::Paint;
use crate::status::client;
use crate::status::render;
use crate::status::snapshot::{Snapshot, State};

/// The exit code where no daemon answers.
const NO_DAEMON: u8 = 5;

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
        let Some(body) = ask(globals).await? else {
            if arguments.wait && Instant::now() < patience {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            eprintln!("gild: no daemon answers");
            return Ok(ExitCode::from(NO_DAEMON));
        };
        let snapshot: Snapshot = serde_json::from_slice(&body)?;
        if arguments.wait && snapshot.state == State::Configuring {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        if arguments.json {
            println!("{}", String::from_utf8_lossy(&body).trim_end());
        } else {
            print!("{}", render::text(&snapshot, Paint::stdout().is_on()));
        }
        return Ok(ExitCode::from(snapshot.state.exit_code()));
    }
}

/// The status by the first daemon that answers; `None` where none does.
async fn ask(globals: &Globals) -> Result<Option<Vec<u8>>, Failure> {
    for socket in globals.sockets() {
        match client::get(&socket, "/v1/status").await {
            Ok((200, body)) => return Ok(Some(body)),
            Ok((code, body)) => {
                let text = String::from_utf8_lossy(&body);
                return Err(format!("the daemon answered {code}: {}", text.trim()).into());
            }
            Err(error) if error.is_no_daemon() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}
