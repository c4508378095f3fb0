//! `gild-ami clean`: what tests and trials left behind.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};

use super::Failure;
use super::common::{Common, duration, tag};
use crate::clean::{Kind, Rules, VERB, plan, survey};
use crate::fleet::dns::ZoneName;
use crate::pattern::Pattern;
use crate::price::Prices;

/// Take away instances, volumes, records, images and snapshots that tests have left behind.
///
/// A thing is meant by its whole name, or by an exact tag; where both are given, by both. Snapshots
/// of images that are gone are meant whatever they are called.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What it is called: the whole name, with * for any part of it. It must begin or end with
    /// three letters or more. A record's name is meant without that of its zone.
    #[arg(long = "name", value_name = "PATTERN")]
    names: Vec<Pattern>,
    /// A tag that it has.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// What is younger stays.
    #[arg(long, value_name = "TIME", default_value = "2d", value_parser = duration)]
    min_age: Duration,
    /// Only these kinds. All of them where none is given.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<Kind>,
    /// A zone whose records are meant too.
    #[arg(long = "zone", value_name = "NAME")]
    zones: Vec<ZoneName>,
    /// The most images, and the most snapshots of images that are gone, that one run takes away.
    #[arg(long, value_name = "N", default_value_t = 25)]
    limit: u16,
    /// Prices in the form of ami/prices.toml, for what each thing costs a month.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

pub(super) async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let kinds: BTreeSet<_> = match arguments.kinds.is_empty() {
        true => Kind::value_variants().iter().copied().collect(),
        false => arguments.kinds.iter().copied().collect(),
    };
    let rules = Rules {
        names: arguments.names.clone(),
        tags: arguments.tags.iter().cloned().collect(),
        min_age: arguments.min_age,
        kinds,
        zones: arguments.zones.clone(),
        limit: usize::from(arguments.limit),
    };
    let prices = Prices::open(arguments.prices.as_deref())?;
    let cloud = common.cloud().await?;
    let found = survey(&cloud, &rules, SystemTime::now()).await;
    let plan = found.map(|survey| {
        let plan = plan(&cloud.place, &survey, &rules);
        prices.mark(plan, &survey.fleet)
    });
    common.settle(VERB, &cloud, plan).await
}
