//! `gild config explain`: all that is known about one key, in one place: what it
//! is for, what it is, who set it over whom, and who tried to and was refused.
//! `known` gathers what the declarations and the tree say, `findings` what the
//! report of the boot says, `text` writes it for people.

mod findings;
mod known;
mod text;

use std::process::ExitCode;

use clap::Args;

use self::known::Explanation;
use super::{json, key_path, nearest, print};
use crate::cli::Failure;
use crate::cli::context::Globals;
use crate::cli::effective::effective;
use crate::cli::paint::Paint;
use crate::config::Settings;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::Setting;
use crate::platform::error::chain_text;

/// Explain a key: its doc, its default, its value, who set it over whom, and
/// who was refused.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The key, such as metrics.interval, sink.mimir.flush or metrics.
    key: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let key = match key_path(&arguments.key) {
        Ok(key) => key,
        Err(code) => return Ok(code),
    };
    let effective = effective(globals).await?;
    let declared = Settings::shape().declared(key.segments(), Some(&effective.config));
    if declared.is_empty() {
        unknown(globals, &key, effective.config.get(&key));
        return Ok(ExitCode::FAILURE);
    }
    let report = effective.report(globals).await.unwrap_or_else(|error| {
        // What is set is known all the same.
        let error = globals.redactor.text(&chain_text(error.as_ref()));
        eprintln!("gild: who was refused is not known: {error}");
        None
    });
    let explanation = Explanation::new(
        key,
        &declared,
        &effective.config,
        effective.resolved_at.clone(),
        report.as_ref(),
    );
    let text = match arguments.json {
        true => json(&explanation)?,
        false => text::of(&explanation, &effective.config, Paint::stdout()),
    };
    print(&globals.redactor, &text);
    Ok(ExitCode::SUCCESS)
}

/// Says that there is no such key, what may be meant, and who uses it all the
/// same.
fn unknown(globals: &Globals, key: &KeyPath, node: Option<&Node>) {
    eprintln!("gild: '{key}' is not a known key{}", nearest(key));
    if let Some(node) = node {
        let origin = super::layout::origin_text(node.origin(), Paint::off());
        let line = format!("gild: nothing reads it, and it is set by {origin}");
        eprintln!("{}", globals.redactor.text(&line));
    }
}
