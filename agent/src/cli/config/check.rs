//! `gild config check`: what is wrong with documents, before anybody boots on
//! them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::layout::count;
use super::{json, print};
use crate::cli::Failure;
use crate::cli::context::Globals;
use crate::cli::paint::Paint;
use crate::config::check::{self, Finding, Named};
use crate::config::document::MAX_BYTES;
use crate::config::format::Format;
use crate::cost::prices::Prices;
use crate::cost::traps;
use crate::platform::fs;

/// Check documents strictly and name all problems at once.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The documents, lowest layer first: *.toml, *.yaml, *.json.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// As JSON: a list of problems, without what is dear.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut documents: Vec<Named> = Vec::new();
    let mut findings = Vec::new();
    for file in &arguments.files {
        match read(file) {
            Ok(document) => documents.push(document),
            Err(message) => {
                let source = file.display().to_string();
                findings.push(Finding { source, line: None, key: None, value: None, message });
            }
        }
    }
    let (settings, found) = check::settings(&documents);
    findings.extend(found);
    let fine = findings.is_empty();
    // What is dear is no fault, and is told of what works.
    let dear = match settings.filter(|_| fine) {
        Some(settings) => traps::of(&settings, &Prices::built_in()?),
        None => Vec::new(),
    };
    let text = match arguments.json {
        true => json(&findings)?,
        false => report(&findings, &dear, arguments.files.len(), Paint::stdout()),
    };
    print(&globals.redactor, &text);
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A file with its name and its format, or why it is not checked.
fn read(file: &Path) -> Result<Named, String> {
    let name = file.display().to_string();
    let format = Format::from_name(&name).ok_or("must end in .toml, .yaml, .yml or .json")?;
    match fs::read_capped(file, MAX_BYTES as u64) {
        Ok(Some(bytes)) => Ok((name, bytes, format)),
        Ok(None) => Err("there is no such file".to_owned()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

fn report(findings: &[Finding], dear: &[String], files: usize, paint: Paint) -> String {
    let dear = dear.iter().map(|line| format!("{} {line}\n", paint.yellow("dear:")));
    let lines = findings.iter().map(|finding| format!("{finding}\n")).chain(dear);
    let found = match findings.len() {
        0 => paint.green("no problem"),
        number => paint.red(&count(number, "problem")),
    };
    let total = format!("{} checked, {found}\n", count(files, "document"));
    lines.chain([total]).collect()
}
