//! `gild import`: gild's configuration out of another agent's, and a list of all that is not in it.
//!
//! To add an agent: a variant of `Agent`, a line in `Agent::parts`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::config::count;
use super::context::Globals;
use super::{Failure, print};
use crate::import::{File, FileError, Import, MAX_BYTES, cloudwatch_agent, telegraf};
use crate::platform::fs;

/// The most files that are read.
const MOST_FILES: usize = 200;

/// Make gild's configuration of another agent's, and list what it could not carry.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    agent: Agent,
}

#[derive(Debug, Subcommand)]
enum Agent {
    /// telegraf: telegraf.conf, and telegraf.d or its files.
    Telegraf(Files),
    /// The CloudWatch agent: its JSON files.
    CloudwatchAgent(Files),
}

#[derive(Debug, Args)]
struct Files {
    /// Files, or directories of them. Together they are one configuration.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the configuration here instead of to standard output. Nothing is replaced.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// As JSON: the configuration, and the list.
    #[arg(long)]
    json: bool,
}

/// What cannot be read or written.
#[derive(Debug, thiserror::Error)]
enum IoError {
    #[error("failed to read '{path}'")]
    Read { path: String, source: io::Error },
    #[error("failed to write '{path}'")]
    Write { path: String, source: io::Error },
    #[error("there is no file to read; those of a directory end in .{ending}")]
    Nothing { ending: &'static str },
    #[error("there are more than {MOST_FILES} files")]
    TooMany,
}

type Reader = fn(&[File]) -> Result<Import, FileError>;

impl Agent {
    /// The arguments, how its files in a directory end, and what reads them.
    fn parts(&self) -> (&Files, &'static str, Reader) {
        match self {
            Agent::Telegraf(files) => (files, "conf", telegraf::import),
            Agent::CloudwatchAgent(files) => (files, "json", cloudwatch_agent::import),
        }
    }
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (arguments, ending, reader) = arguments.agent.parts();
    let import = reader(&read(&arguments.files, ending)?)?;
    if let Some(output) = &arguments.output {
        let path = output.display().to_string();
        fs::write_new(output, import.config.as_bytes())
            .map_err(|source| IoError::Write { path, source })?;
    }
    let written = arguments.output.is_some();
    if arguments.json {
        let mut report = json!({ "rows": import.rows });
        if !written {
            report["config"] = import.config.into();
        }
        print(&globals.redactor, &(serde_json::to_string_pretty(&report)? + "\n"));
        return Ok(ExitCode::SUCCESS);
    }
    if !written {
        print(&globals.redactor, &import.config);
    }
    eprint!("{}", globals.redactor.text(&list(&import)));
    Ok(ExitCode::SUCCESS)
}

/// The list for people: first what matters.
fn list(import: &Import) -> String {
    let mut text = String::new();
    for (matters, title) in
        [(true, "Not carried, or changed"), (false, "Not carried, and nothing to do")]
    {
        let rows: Vec<_> = import.rows.iter().filter(|row| row.matters == matters).collect();
        text.push_str(&format!("{title}: {}\n", count(rows.len(), "setting")));
        rows.iter().for_each(|row| text.push_str(&format!("  {row}\n")));
    }
    text
}

/// The files, and those in directories by name.
fn read(paths: &[PathBuf], ending: &'static str) -> Result<Vec<File>, IoError> {
    let failed = |path: &Path, source| IoError::Read { path: path.display().to_string(), source };
    let mut all = Vec::new();
    for path in paths {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(|source| failed(path, source))?;
        let entries = entries.flatten().map(|entry| entry.path());
        let mut inside: Vec<PathBuf> =
            entries.filter(|path| path.extension().is_some_and(|it| it == ending)).collect();
        inside.sort();
        all.extend(inside);
    }
    if all.is_empty() {
        return Err(IoError::Nothing { ending });
    }
    if all.len() > MOST_FILES {
        return Err(IoError::TooMany);
    }
    let read = |path: PathBuf| {
        let bytes = match fs::read_capped(&path, MAX_BYTES as u64) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(failed(&path, io::ErrorKind::NotFound.into())),
            Err(source) => return Err(failed(&path, source)),
        };
        Ok((path.display().to_string(), bytes))
    };
    all.into_iter().map(read).collect()
}
