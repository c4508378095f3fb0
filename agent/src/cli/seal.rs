//! `gild seal`: the last thing that is done to a host before it becomes an image.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::context::Globals;
use super::paint::Paint;
use super::{Failure, print};
use crate::image::seal::{Options, Sealed, seal};
use crate::image::search::Limits;
use crate::lifecycle::systemctl::{self, SystemdError};
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;

/// How long the daemon may take to end: longer than systemd lets it.
const STOPPING: Duration = Duration::from_secs(120);

/// Remove what belongs to this host alone, and fail if a secret is left.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only list what would be removed, and what must not be in an image.
    #[arg(long)]
    dry_run: bool,
    /// Seal a host that was not baked since it was started.
    #[arg(long)]
    force: bool,
    /// Do not look for secrets in this file or directory.
    #[arg(long = "allow", value_name = "PATH")]
    allowed: Vec<PathBuf>,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let paths = globals.installed();
    let options = Options {
        dry_run: arguments.dry_run,
        force: arguments.force,
        allowed: arguments.allowed.clone(),
        limits: Limits::default(),
    };
    // It would write down again what is removed here.
    if !arguments.dry_run && globals.root == Path::new("/") {
        stop_daemon(&paths).await;
    }
    let sealed = seal(&globals.root, &paths, &options)?;
    print(&globals.redactor, &text(&sealed, arguments.dry_run, Paint::stdout()));
    Ok(if sealed.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Stops the daemon, where systemd runs it (sd_booted(3)).
async fn stop_daemon(paths: &Paths) {
    if !paths.host("/run/systemd/system").is_dir() {
        return;
    }
    match systemctl::ask(paths, STOPPING, &["stop", "gild.service", "gild.socket"]).await {
        Ok(_) => {}
        // There may be no such units.
        Err(error @ SystemdError::NoAnswer(_)) => tracing::debug!("{error}"),
        Err(error) => tracing::warn!("{}", chain_text(&error)),
    }
}

/// What came of it, for people.
fn text(sealed: &Sealed, dry_run: bool, paint: Paint) -> String {
    let mut text = String::new();
    let verb = if dry_run { "would remove" } else { "removed" };
    for gone in &sealed.gone {
        text.push_str(&format!("{verb} {}  {}\n", gone.path.display(), paint.dim(gone.what)));
    }
    for finding in &sealed.findings {
        let (path, what) = (finding.path.display(), finding.what);
        text.push_str(&format!("{} {path}  {what}\n", paint.red("secret?")));
    }
    text.push_str(&match sealed.findings.len() {
        0 if dry_run => "nothing was changed; no secret was found\n".to_owned(),
        0 => "sealed: no secret was found\n".to_owned(),
        count => {
            format!("not fit for an image: {count} found; remove each, or name it with --allow\n")
        }
    });
    text
}
