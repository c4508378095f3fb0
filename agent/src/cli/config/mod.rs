//! `gild config`: what is configured, where each value came from, and what is
//! wrong or different. One file a verb.
//!
//! To add a verb: one file with `Arguments` and `run`, and a line in each of the
//! two lists below.

mod check;
mod diff;
mod explain;
mod layout;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::context::Globals;
use super::{Failure, USAGE, print};
use crate::config::Settings;
use crate::config::path::KeyPath;
use crate::config::schema::Setting;

pub use check::valid;
pub(super) use diff::lines;
pub(super) use layout::{count, table};

/// Show, explain, compare and check configuration.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Show(show::Arguments),
    Explain(explain::Arguments),
    Diff(diff::Arguments),
    Check(check::Arguments),
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.verb {
        Verb::Show(arguments) => show::run(globals, arguments).await,
        Verb::Explain(arguments) => explain::run(globals, arguments).await,
        Verb::Diff(arguments) => Ok(diff::run(globals, arguments).await),
        Verb::Check(arguments) => check::run(globals, arguments),
    }
}

/// Reads the text of a key, or says what is wrong with it.
fn key_path(text: &str) -> Result<KeyPath, ExitCode> {
    KeyPath::parse(text).ok_or_else(|| {
        eprintln!("gild: {text:?} is not a key; a key looks like metrics.interval");
        ExitCode::from(USAGE)
    })
}

/// The keys that may be meant by one that is none, as the end of a sentence.
fn nearest(key: &KeyPath) -> String {
    let nearest = Settings::shape().suggest(key.segments());
    let nearest: Vec<String> = nearest.iter().map(ToString::to_string).collect();
    match nearest.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", nearest.join(" or ")),
    }
}

/// A value as JSON for programs.
fn json(value: &impl Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
