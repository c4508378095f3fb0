//! `gild config check`: what is wrong with documents, and what becomes dear, before anybody
//! boots on them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::layout::count;
use super::{json, print};
use crate::cli::Failure;
use crate::cli::context::Globals;
use crate::cli::cost::prices;
use crate::cli::paint::Paint;
use crate::config::Settings;
use crate::config::check::{self, Finding, Named};
use crate::config::document::MAX_BYTES;
use crate::config::format::Format;
use crate::cost::traps;
use crate::platform::fs;

/// Check documents strictly and name all problems at once, and what in them is dear.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The documents, lowest layer first: *.toml, *.yaml, *.json.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Fail where something is dear, too.
    #[arg(long)]
    strict: bool,
    /// Prices in the form of config/prices.toml.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// As JSON: a list of problems; those with `"warning": true` are no faults.
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
    let mut checked = check::checked(&documents);
    findings.append(&mut checked.findings);
    let prices = prices(arguments.prices.as_deref())?;
    // What is dear is no fault, and is told of what works.
    let warnings: Vec<Finding> = match checked.settings.as_ref().filter(|_| findings.is_empty()) {
        Some(settings) => traps::of(settings, &prices)
            .into_iter()
            .map(|warning| checked.finding(&warning.key, warning.message))
            .collect(),
        None => Vec::new(),
    };
    let text = match arguments.json {
        true => listed(&findings, &warnings)?,
        false => report(&findings, &warnings, arguments.files.len(), Paint::stdout()),
    };
    print(&globals.redactor, &text);
    let fine = findings.is_empty() && (warnings.is_empty() || !arguments.strict);
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What documents come to, where nothing is wrong with them: for verbs that are given them,
/// and for gild-ami.
pub fn valid(files: &[PathBuf]) -> Result<Settings, Failure> {
    let mut documents = Vec::new();
    for file in files {
        documents.push(read(file).map_err(|why| format!("'{}': {why}", file.display()))?);
    }
    let checked = check::checked(&documents);
    let found: Vec<_> = checked.findings.iter().map(Finding::to_string).collect();
    match checked.settings {
        Some(settings) if found.is_empty() => Ok(settings),
        _ => Err(found.join("\n").into()),
    }
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

/// All of it for programs.
fn listed(findings: &[Finding], warnings: &[Finding]) -> Result<String, Failure> {
    let mut list = Vec::new();
    for finding in findings {
        list.push(serde_json::to_value(finding)?);
    }
    for warning in warnings {
        let mut warning = serde_json::to_value(warning)?;
        warning["warning"] = Value::Bool(true);
        list.push(warning);
    }
    json(&list)
}

fn report(findings: &[Finding], warnings: &[Finding], files: usize, paint: Paint) -> String {
    let lines = findings.iter().map(|finding| format!("{finding}\n"));
    let dear = warnings.iter().map(|warning| format!("{}\n", paint.yellow(&warning.to_string())));
    let found = match findings.len() {
        0 => paint.green("no problem"),
        number => paint.red(&count(number, "problem")),
    };
    let warned = match warnings.len() {
        0 => String::new(),
        number => format!(", {}", paint.yellow(&count(number, "warning"))),
    };
    let total = format!("{} checked, {found}{warned}\n", count(files, "document"));
    lines.chain(dear).chain([total]).collect()
}
