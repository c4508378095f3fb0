//! `gild config`: what is configured, and where each value came from.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Globals;
use super::effective::effective;
use super::paint::Paint;
use super::{Failure, USAGE};
use crate::config::check::{self, Named};
use crate::config::document::MAX_BYTES;
use crate::config::format::Format;
use crate::config::node::{Leaf, Node};
use crate::config::path::KeyPath;
use crate::config::{LayerName, Origin};
use crate::platform::fs;

/// Show and check configuration.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the configuration in force, or one key of it.
    Show {
        /// The key, such as metrics.interval; all keys where it is left out.
        key: Option<String>,
        /// For every value: which document set it, and what it overrode.
        #[arg(long)]
        origin: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check documents strictly and name all problems at once.
    Check {
        /// The documents, lowest layer first: *.toml, *.yaml, *.json.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.verb {
        Verb::Check { files } => check(files),
        Verb::Show { key, origin, json } => {
            let path = match key.as_deref().map(KeyPath::parse) {
                None => KeyPath::root(),
                Some(Some(path)) => path,
                Some(None) => {
                    eprintln!("gild: {:?} is not a key; a key looks like metrics.interval", key);
                    return Ok(ExitCode::from(USAGE));
                }
            };
            let root = effective(globals).await?.config;
            let Some(node) = root.get(&path) else {
                eprintln!("gild: '{path}' is not set");
                return Ok(ExitCode::FAILURE);
            };
            let text = match (json, origin) {
                (true, false) => pretty(&node.to_value()),
                (true, true) => pretty(&origins_json(node, &path)),
                (false, _) => table(node, &path, *origin, false, Paint::stdout()),
            };
            // A reader such as `head` may have gone.
            let _ = std::io::stdout().lock().write_all(globals.redactor.text(&text).as_bytes());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn origins_json(node: &Node, path: &KeyPath) -> Value {
    node.leaves()
        .into_iter()
        .map(|(below, leaf)| {
            json!({
                "key": join(path, &below),
                "value": leaf.value,
                "origin": leaf.origin,
                "overrode": leaf.overrode,
            })
        })
        .collect()
}

fn join(path: &KeyPath, below: &KeyPath) -> KeyPath {
    path.segments().iter().chain(below.segments()).cloned().collect()
}

/// The values as lines for people, each with its origins where they are asked
/// for. `configured` leaves out what nobody set.
pub(super) fn table(
    node: &Node,
    path: &KeyPath,
    origins: bool,
    configured: bool,
    paint: Paint,
) -> String {
    let leaves: Vec<(String, &Leaf)> = node
        .leaves()
        .into_iter()
        .filter(|(_, leaf)| !configured || leaf.origin.layer != LayerName::Builtin)
        .map(|(below, leaf)| (format!("{} = {}", join(path, &below), leaf.value), leaf))
        .collect();
    let longest = leaves.iter().map(|(text, _)| text.chars().count()).max().unwrap_or_default();
    let width = longest.min(56);
    let mut text = String::new();
    for (line, leaf) in leaves {
        if !origins {
            text.push_str(&line);
            text.push('\n');
            continue;
        }
        // A value too long for its column has its origin below it.
        let gap = match width.checked_sub(line.chars().count()) {
            Some(room) => " ".repeat(room + 2),
            None => format!("\n{}", " ".repeat(width + 2)),
        };
        text.push_str(&format!("{line}{gap}{}\n", origin_text(&leaf.origin, paint)));
        for loser in &leaf.overrode {
            let over =
                format!("{}over {} from {}", " ".repeat(width + 4), loser.value, loser.origin);
            text.push_str(&paint.dim(&over));
            text.push('\n');
        }
    }
    text
}

fn origin_text(origin: &Origin, paint: Paint) -> String {
    match origin.layer {
        LayerName::Builtin => paint.dim(&origin.to_string()),
        _ => origin.to_string(),
    }
}

fn check(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut documents: Vec<Named> = Vec::new();
    let mut unreadable = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let Some(format) = Format::from_name(&name) else {
            unreadable.push(format!("{name}: must end in .toml, .yaml, .yml or .json"));
            continue;
        };
        match fs::read_capped(file, MAX_BYTES as u64) {
            Ok(Some(bytes)) => documents.push((name, bytes, format)),
            Ok(None) => unreadable.push(format!("{name}: there is no such file")),
            Err(error) => unreadable.push(format!("{name}: cannot be read: {error}")),
        }
    }
    let findings = check::documents(&documents);
    let total = unreadable.len() + findings.len();
    for line in unreadable.into_iter().chain(findings.iter().map(ToString::to_string)) {
        println!("{line}");
    }
    match total {
        0 => {
            println!("{} checked, no problem", count(files.len(), "document"));
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            println!("{} checked, {}", count(files.len(), "document"), count(total, "problem"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A number and its noun: `1 problem`, `2 problems`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
