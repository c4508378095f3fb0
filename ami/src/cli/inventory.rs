//! `gild-ami inventory`: what an environment has, and what it costs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use gild::platform::fs::read_capped;
use serde_json::Value;

use super::Failure;
use super::common::{Common, print, tag};
use crate::inventory::{MetricsBill, count, differences, last, markdown, picture, survey, text};
use crate::price::Prices;

/// No bill is larger.
const LARGEST: u64 = 16 << 20;

/// Say what an environment has and what it costs a month, by service and in total. Nothing is changed.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only instances with this tag. All of the region where none is given.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// A file to write to.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The JSON of the last run: what has changed since is said.
    #[arg(long, value_name = "FILE")]
    last: Option<PathBuf>,
    /// What `gild cost --hosts N --json` says of the agents' configuration, for as many hosts as there are.
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// Prices in the form of ami/prices.toml.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
    Svg,
}

pub(super) async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let prices = Prices::open(arguments.prices.as_deref())?;
    let bill = arguments.metrics.as_deref().map(bill).transpose()?;
    let before = arguments.last.as_deref().map(last).transpose()?;
    let environment = arguments.tags.iter().cloned().collect();
    let cloud = common.cloud().await?;
    let found = count(&cloud.place, &survey(&cloud).await?, &environment, &prices, bill);
    let changed = before.map(|before| differences(&before, &found)).unwrap_or_default();
    let written = match arguments.format {
        Format::Text => text(&found, &changed),
        Format::Markdown => markdown(&found, &changed),
        Format::Json => serde_json::to_string_pretty(&found)? + "\n",
        Format::Svg => picture(&found),
    };
    match &arguments.output {
        Some(path) => fs::write(path, written)
            .map_err(|error| format!("failed to write '{}': {error}", path.display()))?,
        None => print(&written),
    }
    Ok(ExitCode::SUCCESS)
}

/// The bill for the agents' metrics.
fn bill(path: &Path) -> Result<MetricsBill, Failure> {
    let bytes = read_capped(path, LARGEST)?.ok_or(io::Error::from(io::ErrorKind::NotFound))?;
    let said: Value = serde_json::from_slice(&bytes)?;
    match (said["hosts"].as_f64(), said["now"]["all_hosts"]["usd"].as_f64()) {
        (Some(hosts), Some(usd)) => Ok(MetricsBill { hosts, usd }),
        _ => Err(format!("'{}' is not what gild cost --json writes", path.display()).into()),
    }
}
