//! `gild cost`: what the metrics of this host cost a month, from the configuration in force and
//! the series that there are now.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::context::Globals;
use super::effective::effective;
use super::{Failure, metrics, print};
use crate::config::Settings;
use crate::config::node::Node;
use crate::cost::bill::{self, Bill, Scale};
use crate::cost::prices::Prices;
use crate::cost::render::{render, usd};
use crate::identity::Identity;
use crate::platform::fs;

/// The largest file of prices.
const PRICES_BYTES: u64 = 256 * 1024;

/// Show what the metrics of this host cost a month, and would cost otherwise.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Hosts with this configuration.
    #[arg(long, default_value_t = 1, value_name = "N")]
    hosts: u32,
    /// Instances a month that take the place of each of them.
    #[arg(long, default_value_t = 0, value_name = "N")]
    churn: u32,
    /// The region whose prices apply.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Prices in the form of config/prices.toml.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Without what is free for each account.
    #[arg(long)]
    no_free_tier: bool,
    /// What if CloudWatch sinks had this schema.
    #[arg(long, value_name = "SCHEMA")]
    schema: Option<String>,
    /// What if sinks sent every so often.
    #[arg(long, value_name = "DURATION")]
    flush: Option<String>,
    /// What if there were only a sink of this type, or of this name; mimir is a remote_write.
    #[arg(long, value_name = "TYPE")]
    sink: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let prices = prices(arguments)?;
    let scale = Scale {
        hosts: f64::from(arguments.hosts),
        churn: f64::from(arguments.churn),
        free_tier: !arguments.no_free_tier,
    };
    let effective = effective(globals).await?;
    let now = bill(globals, &effective.config, &effective.identity, &prices, scale).await?;
    let otherwise = match what_if(&effective.config, arguments) {
        None => None,
        Some(config) => Some(bill(globals, &config, &effective.identity, &prices, scale).await?),
    };
    let text = match arguments.json {
        true => {
            let value: Value = json!({ "prices": { "date": prices.date, "region": prices.region,
                "verified": prices.cloudwatch.verified }, "hosts": arguments.hosts,
                "churn": arguments.churn, "now": now, "what_if": otherwise });
            format!("{value:#}\n")
        }
        false => compared(&now, otherwise.as_ref(), &prices, scale),
    };
    print(&globals.redactor, &text);
    let known = arguments.region.as_deref().or(effective.identity.region.as_deref());
    if let Some(region) = known.filter(|region| *region != prices.region) {
        eprintln!(
            "gild: there are no prices of {region}; these are those of {}. --prices takes others",
            prices.region
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn prices(arguments: &Arguments) -> Result<Prices, Failure> {
    let Some(path) = &arguments.prices else { return Ok(Prices::built_in()?) };
    let Some(bytes) = fs::read_capped(path, PRICES_BYTES)? else {
        return Err(format!("there is no file '{}'", path.display()).into());
    };
    Ok(Prices::parse(std::str::from_utf8(&bytes)?)?)
}

async fn bill(
    globals: &Globals,
    config: &Node,
    identity: &Identity,
    prices: &Prices,
    scale: Scale,
) -> Result<Bill, Failure> {
    let typed = Settings::typed(config);
    if let Some(problem) = typed
        .problems
        .iter()
        .find(|problem| problem.path.segments().first().is_some_and(|key| key == "sink"))
    {
        return Err(format!("{} {}", problem.path, problem.message).into());
    }
    let Some(settings) = typed.settings else {
        return Err("the configuration in force is not one for this version of gild".into());
    };
    let (context, ticks) = metrics::two_ticks(globals, &settings, identity).await?;
    let mut sinks = Vec::new();
    for (name, sink) in &settings.sink {
        let usage = sink.usage(identity, &context, &ticks, settings.metrics.interval)?;
        sinks.push((name.clone(), sink.type_word(), usage));
    }
    Ok(bill::of(&sinks, prices, scale))
}

/// The configuration as it would be otherwise; nothing where nothing is asked.
fn what_if(config: &Node, arguments: &Arguments) -> Option<Node> {
    let Arguments { schema, flush, sink, .. } = arguments;
    if schema.is_none() && flush.is_none() && sink.is_none() {
        return None;
    }
    let mut config = config.clone();
    let Node::Table { origin, entries } = &mut config else { return None };
    let origin = origin.clone();
    let sinks =
        entries.entry("sink".to_owned()).or_insert_with(|| Node::from_value(&json!({}), &origin));
    let Node::Table { entries: sinks, .. } = sinks else { return None };
    if let Some(wanted) = sink {
        sinks.retain(|name, _| name == wanted);
        if sinks.is_empty() {
            let kind = if wanted == "mimir" { "remote_write" } else { wanted };
            let mut made = json!({ "type": kind });
            if kind != "cloudwatch" && kind != "log" {
                // Nothing is sent there.
                made["url"] = "https://receiver.invalid/".into();
            }
            sinks.insert(wanted.clone(), Node::from_value(&made, &origin));
        }
    }
    for sink in sinks.values_mut() {
        let Node::Table { entries, .. } = sink else { continue };
        let is_cloudwatch = entries.get("type").is_some_and(|kind| kind.to_value() == "cloudwatch");
        let mut set = |key: &str, value: &str| {
            entries.insert(key.to_owned(), Node::from_value(&value.into(), &origin));
        };
        if let Some(schema) = schema.as_deref().filter(|_| is_cloudwatch) {
            set("schema", schema);
        }
        if let Some(flush) = flush {
            set("flush", flush);
        }
    }
    Some(config)
}

fn compared(now: &Bill, otherwise: Option<&Bill>, prices: &Prices, scale: Scale) -> String {
    let mut text = render(now, prices, scale);
    if let Some(otherwise) = otherwise {
        text += &format!("\nwhat if\n\n{}", render(otherwise, prices, scale));
        let by = otherwise.usd - now.usd;
        let word = if by < 0.0 { "less" } else { "more" };
        text +=
            &format!("\n{} {word} a month, or {} a year\n", usd(by.abs()), usd(by.abs() * 12.0));
    }
    text
}
