//! `gild notify packer-manifest` and `packer-failure`: what came of making an image, from the
//! host that runs Packer. That host need not be an instance.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::cli::Failure;
use crate::cli::config;
use crate::cli::context::Globals;
use crate::config::Settings;
use crate::configure::report::Report;
use crate::notify::Supplies;
use crate::notify::announce::Audience;
use crate::notify::image::{Image, of_manifest};
use crate::notify::message::{Event, Message};
use crate::platform::clock;
use crate::scope::resolve;

/// How much of a log's end is read.
const END: u64 = 64 << 10;

/// How many lines before the end of a script, or of all, are told.
const LINES: usize = 20;

/// Whom to tell.
#[derive(Debug, Args)]
struct To {
    /// Documents with [notify], instead of this host's configuration.
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
}

/// Tell of the images that Packer's manifest names.
#[derive(Debug, Args)]
pub(super) struct Manifest {
    /// The file that Packer's manifest post-processor wrote.
    file: PathBuf,
    /// Of the build of this name alone.
    #[arg(long, value_name = "NAME")]
    build: Option<String>,
    #[command(flatten)]
    to: To,
}

/// Tell of an image that could not be made.
#[derive(Debug, Args)]
pub(super) struct Failed {
    /// The service that the image is of.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The service's version.
    #[arg(long = "of-version", value_name = "VERSION")]
    version: Option<String>,
    /// What it was to be made from.
    #[arg(long, value_name = "NAME")]
    base: Option<String>,
    /// The commit that it was to be made from.
    #[arg(long, value_name = "COMMIT")]
    revision: Option<String>,
    /// The report that `gild bake` left: it names the task.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What Packer printed, for a failure without a report.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    #[command(flatten)]
    to: To,
}

pub(super) async fn manifest(globals: &Globals, given: &Manifest) -> Result<ExitCode, Failure> {
    let (image, took) = of_manifest(&given.file, given.build.as_deref())?;
    let mut message = Message::of_image(Event::Baked, image);
    message.duration_ms = took.map(clock::ms);
    tell(globals, &given.to, message).await
}

pub(super) async fn failed(globals: &Globals, given: &Failed) -> Result<ExitCode, Failure> {
    let image = Image {
        service: given.service.clone(),
        version: given.version.clone(),
        base: given.base.clone(),
        revision: given.revision.clone(),
        amis: Vec::new(),
    };
    let mut message = Message::of_image(Event::BakeFailed, image);
    let report = match &given.report {
        Some(path) => Report::load(path)?,
        None => None,
    };
    if let Some(report) = report {
        message.duration_ms = report.duration_ms;
        if let Some(failure) = report.failure {
            (message.task, message.text) = (failure.task, Some(failure.message));
        }
    }
    if let (None, Some(log)) = (&message.text, &given.log) {
        let read = |error| format!("failed to read '{}': {error}", log.display());
        message.text = Some(errors(&end(log).map_err(read)?));
    }
    tell(globals, &given.to, message).await
}

async fn tell(globals: &Globals, to: &To, message: Message) -> Result<ExitCode, Failure> {
    let context = globals.context(globals.installed(), None)?;
    let settings: Settings = match to.config.as_slice() {
        [] => resolve::host_alone(&context.paths)?.settings,
        files => config::valid(files)?,
    };
    let audience = Audience::of(&settings, None, &context.redactor);
    let supplies = Supplies::new(&context.paths, &context.client, &context.redactor, None);
    let (told, missed) = audience.tell_directly(message, &supplies).await;
    if told + missed == 0 {
        tracing::info!("nobody is to be told");
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The end of a log, which may be long.
fn end(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut bytes = Vec::new();
    file.take(END).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What Packer says at its end of each build that failed, and what a script said before it
/// failed; where it says nothing, its last lines.
fn errors(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let is_end = |line: &&str| line.contains("Provisioning step had errors");
    let end = lines.iter().position(is_end);
    let failed = lines.iter().filter_map(|line| line.strip_prefix("--> "));
    let mut said: Vec<&str> = failed.filter(|line| !line.ends_with("AMIs were created:")).collect();
    if let Some(end) = end.or(said.is_empty().then_some(lines.len())) {
        said.extend(&lines[end.saturating_sub(LINES)..end]);
    }
    said.join("\n")
}
