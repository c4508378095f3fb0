//! `gild config show`: the values in force.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::layout::{join, table};
use super::{json, key_path, nearest, print};
use crate::cli::Failure;
use crate::cli::context::Globals;
use crate::cli::effective::effective;
use crate::cli::paint::Paint;
use crate::config::Settings;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::Setting;

/// Show the configuration in force, or one key of it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The key, such as metrics.interval; all keys where it is left out.
    key: Option<String>,
    /// For every value: which document set it, and what it overrode.
    #[arg(long)]
    origin: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = match key_path(arguments.key.as_deref().unwrap_or_default()) {
        Ok(path) => path,
        Err(code) => return Ok(code),
    };
    let root = effective(globals).await?.config;
    let Some(node) = root.get(&path) else {
        let hint = match Settings::shape().at(path.segments()) {
            Some(_) => format!("; gild config explain {path} tells its default"),
            None => nearest(&path),
        };
        eprintln!("gild: '{path}' is not set{hint}");
        return Ok(ExitCode::FAILURE);
    };
    let text = match (arguments.json, arguments.origin) {
        (true, false) => json(&node.to_value())?,
        (true, true) => json(&origins(node, &path))?,
        (false, origin) => table(node, &path, origin, false, Paint::stdout()),
    };
    print(&globals.redactor, &text);
    Ok(ExitCode::SUCCESS)
}

/// Every value with its origin and what it overrode.
pub(super) fn origins(node: &Node, path: &KeyPath) -> Vec<Value> {
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
