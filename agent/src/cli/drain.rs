//! `gild drain`: what is done before this instance ends, by systemd or by hand.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::Failure;
use super::context::Globals;
use super::known::known;
use crate::lifecycle::drain::occasion::Asked;
use crate::lifecycle::drain::{Drain, Drained};
use crate::lifecycle::settings::Occasion;
use crate::platform::signals;

/// How long the metadata service may take where nothing says which instance
/// this is. There may not be much time.
const IDENTITY_BUDGET: Duration = Duration::from_secs(2);

/// Run the steps of [lifecycle.drain], once in a boot.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Why: spot, terminate, stop or reboot. Without it, what the daemon asks for or the
    /// metadata service says.
    #[arg(long, value_name = "OCCASION", value_parser = occasion)]
    on: Option<Occasion>,
    /// When the instance goes, such as 2026-11-22T10:02:00Z.
    #[arg(long, value_name = "TIME", requires = "on", value_parser = humantime::parse_rfc3339)]
    until: Option<SystemTime>,
    /// For gild-drain.service, when it stops: do it where the host goes down.
    #[arg(long, conflicts_with = "on")]
    at_stop: bool,
    /// Do it once more.
    #[arg(long)]
    force: bool,
}

fn occasion(word: &str) -> Result<Occasion, String> {
    Occasion::named(word).ok_or_else(|| format!("must be one of {}", Occasion::WORDS.join(", ")))
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut context = globals.context(globals.installed(), None)?;
    context.imds.budget = IDENTITY_BUDGET;
    let (settings, identity) = known(&context).await?;
    let asked = match arguments.on {
        Some(occasion) => Asked::Told(occasion, arguments.until),
        None if arguments.at_stop => Asked::AtStop,
        None => Asked::Open,
    };
    let (identity, force) = (identity.as_ref(), arguments.force);
    let drain = Drain { context: &context, settings: &settings, identity, asked, force };
    match drain.run(signals::asked_to_stop()).await? {
        Drained::Now(record) => match record.failed().count() {
            0 => {
                tracing::info!("this instance is drained");
                Ok(ExitCode::SUCCESS)
            }
            failed => {
                tracing::error!(failed, "this instance is drained, but for steps that failed");
                Ok(ExitCode::FAILURE)
            }
        },
        Drained::Before(record) => {
            let at = record.ended_at.unwrap_or_default();
            tracing::info!(
                at,
                occasion = record.occasion,
                "this instance has been drained already"
            );
            Ok(ExitCode::SUCCESS)
        }
        Drained::Busy(process) => {
            tracing::info!(process, "this instance is being drained already");
            Ok(ExitCode::SUCCESS)
        }
        Drained::NotEnding => {
            tracing::info!("this host does not go down, and nothing is drained");
            Ok(ExitCode::SUCCESS)
        }
        Drained::BrokenOff => {
            tracing::error!("gild was told to stop; the next drain of this boot goes on");
            Ok(ExitCode::FAILURE)
        }
    }
}
