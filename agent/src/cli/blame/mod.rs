//! `gild blame`: where the time of a boot went. By the report alone, so that it
//! works without a daemon, and long after.

/// For programs.
mod json;
/// For people.
mod text;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Args;

use super::context::Globals;
use super::paint::Paint;
use super::{Failure, print};
use crate::configure::blame::Blame;
use crate::configure::report::Report;
use crate::configure::store::ReportError;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;

/// Show where the boot's time went, by phase and task.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Of an earlier boot: 0 is the last one, 1 the one before it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    boot: usize,
    /// The last boots, one line each.
    #[arg(long, conflicts_with = "boot")]
    boots: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let reports = reports(&globals.installed(), arguments.boots || arguments.boot > 0)
        .map_err(|error| readable(&error))?;
    let paint = Paint::stdout();
    let text = if arguments.boots {
        let all: Vec<_> = reports.iter().map(Blame::of).collect();
        if arguments.json { json::boots(&all) } else { text::boots(&all, paint) }
    } else {
        let Some(report) = reports.get(arguments.boot) else {
            return Err(missing(arguments.boot, reports.len()).into());
        };
        let blame = Blame::of(report);
        if arguments.json { json::boot(arguments.boot, &blame) } else { text::boot(&blame, paint) }
    };
    print(&globals.redactor, &text);
    Ok(ExitCode::SUCCESS)
}

/// The report of the last boot, and `earlier` ones too where they are wanted; the
/// newest first.
fn reports(paths: &Paths, earlier: bool) -> Result<Vec<Report>, ReportError> {
    let mut reports: Vec<Report> = Report::load(&paths.report())?.into_iter().collect();
    // After a reboot, and before its `configure`, the last boot is a kept one.
    if earlier || reports.is_empty() {
        let last = reports.first().map(|report| report.started_at.clone());
        let kept = Report::kept(paths)?;
        reports.extend(kept.into_iter().filter(|report| Some(&report.started_at) != last.as_ref()));
    }
    Ok(reports)
}

fn missing(boot: usize, kept: usize) -> String {
    match kept {
        0 => "no boot has left a report yet".to_owned(),
        1 => format!("there is no report of boot {boot}: only of the last one, boot 0"),
        _ => format!("there is no report of boot {boot}: only of the boots 0 to {}", kept - 1),
    }
}

/// The error, with what to do where it is a matter of rights.
fn readable(error: &ReportError) -> String {
    let denied = matches!(error, ReportError::Read { source, .. }
        if source.kind() == ErrorKind::PermissionDenied);
    let who = if denied { "; root and members of the group gild may read it" } else { "" };
    format!("{}{who}", chain_text(error))
}
