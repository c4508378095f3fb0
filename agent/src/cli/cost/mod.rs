//! `gild cost`: what the metrics of this host cost a month, from the configuration in force and
//! the series that there are now.

mod otherwise;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::context::Globals;
use super::effective::effective;
use super::{Failure, metrics, print};
use crate::config::Settings;
use crate::config::node::Node;
use crate::cost::bill::{Scale, Sent};
use crate::cost::comparison::{Bills, Comparison};
use crate::cost::prices::Prices;
use crate::identity::Identity;
use crate::platform::{fs, http};
use crate::scope::resolve;

/// The largest file of prices.
const PRICES_BYTES: u64 = 256 * 1024;

/// Show what the metrics of this host cost a month, and would cost otherwise.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Hosts with this configuration.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    hosts: u32,
    /// Instances a month that take the place of each of them, as with spot.
    #[arg(long, default_value_t = 0, value_name = "N")]
    churn: u32,
    /// The region whose prices apply; this instance's where it is not given.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Prices in the form of config/prices.toml.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Without what is free for each account.
    #[arg(long)]
    no_free_tier: bool,
    /// The documents of this directory instead of the configuration in force, as `gild up` has it.
    #[arg(long, value_name = "DIR")]
    local: Option<PathBuf>,
    #[command(flatten)]
    otherwise: otherwise::Otherwise,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let prices = prices(arguments.prices.as_deref())?;
    let (config, identity) = configured(globals, arguments.local.as_deref()).await?;
    let region = arguments.region.as_deref().or(identity.region.as_deref());
    let scale = Scale {
        hosts: f64::from(arguments.hosts),
        churn: f64::from(arguments.churn),
        free_tier: !arguments.no_free_tier,
        region: region.unwrap_or(&prices.default_region).to_owned(),
    };
    let settings = typed(&config)?;
    // What is asked for is looked at before two ticks are waited for.
    let otherwise = match otherwise::config(&config, &arguments.otherwise)? {
        Some(config) => Some(typed(&config)?),
        None => None,
    };
    // Both are reckoned from the same ticks, so that only what was asked differs.
    let client = http::client()?;
    let ticks = metrics::two_ticks(globals, &settings, &client).await;
    let bills = async |settings: &Settings, identity: &Identity| -> Result<Bills, Failure> {
        let context = metrics::sink_context(settings, identity, &client).await;
        let mut sent: Vec<Sent> = Vec::new();
        for (name, sink) in &settings.sink {
            let usage = sink.usage(identity, &context, &ticks, settings.metrics.interval)?;
            sent.push((name.clone(), sink.type_word(), usage));
        }
        Ok(Bills::of(&sent, &prices, &scale))
    };
    let now = bills(&settings, &identity).await?;
    let otherwise = match &otherwise {
        Some(settings) => Some(bills(settings, &otherwise::identity(&identity)).await?),
        None => None,
    };
    let comparison = Comparison::of(now, otherwise);
    let text = match arguments.json {
        true => comparison.json(&prices, &scale),
        false => comparison.text(&prices, &scale, &otherwise::words(&arguments.otherwise)),
    };
    print(&globals.redactor, &text);
    let far = |bills: &Bills| bills.all_hosts.accounts.iter().any(|account| account.other_region);
    if far(&comparison.now) || comparison.what_if.as_ref().is_some_and(far) {
        eprintln!(
            "gild: there are no prices of {}; these are those of {}. --prices takes others",
            scale.region, prices.default_region
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The prices of a file, else those that the program has with it.
pub(super) fn prices(file: Option<&Path>) -> Result<Prices, Failure> {
    let Some(path) = file else { return Ok(Prices::built_in()?) };
    let Some(bytes) = fs::read_capped(path, PRICES_BYTES)? else {
        return Err(format!("there is no file '{}'", path.display()).into());
    };
    Ok(Prices::parse(std::str::from_utf8(&bytes)?)?)
}

/// The configuration in force, or that of a directory, and who this is.
async fn configured(globals: &Globals, local: Option<&Path>) -> Result<(Node, Identity), Failure> {
    let Some(local) = local else {
        let effective = effective(globals).await?;
        return Ok((effective.config, effective.identity));
    };
    let directory = std::fs::canonicalize(local)
        .map_err(|error| format!("cannot use '{}': {error}", local.display()))?;
    let context = globals.context(globals.installed(), Some(directory))?;
    let resolution = resolve::resolve(&context).await?;
    for problem in &resolution.problems {
        eprintln!("gild: {problem}");
    }
    for refused in &resolution.refused {
        eprintln!("gild: {} from {}: {}", refused.key, refused.origin, refused.reason);
    }
    let identity = resolution.identity.ok_or("this host has no name")?;
    Ok((resolution.merged.root, identity))
}

/// The settings, or the first thing that is wrong with the sinks.
fn typed(config: &Node) -> Result<Settings, Failure> {
    let typed = Settings::typed(config);
    let of_sinks = |key: Option<&String>| key.is_some_and(|key| key == "sink");
    let problem = typed.problems.iter().find(|problem| of_sinks(problem.path.segments().first()));
    if let Some(problem) = problem {
        return Err(format!("{} {}", problem.path, problem.message).into());
    }
    typed
        .settings
        .ok_or_else(|| "the configuration in force is not one for this version of gild".into())
}
