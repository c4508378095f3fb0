//! `gild-ami retain`: which versions stay.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::Failure;
use super::common::{Common, duration};
use crate::price::Prices;
use crate::retain::{Rules, VERB, plan, survey};

/// Take away images that are neither new nor in use, with their snapshots, and old versions of
/// launch templates.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How many versions of each service stay.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    versions: u16,
    /// How many versions of each launch template stay, besides the default one.
    #[arg(long, value_name = "N", default_value_t = 3)]
    template_versions: u16,
    /// What is younger stays.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = duration)]
    min_age: Duration,
    /// The most images that one run takes away.
    #[arg(long, value_name = "N", default_value_t = 25)]
    limit: u16,
    /// Take away only what is marked by the tag amm:Clean=true.
    #[arg(long)]
    only_marked: bool,
    /// A role in another account that may use images of this one: what that account uses stays,
    /// and what it does not use may go. Images shared with accounts that are not looked at stay.
    #[arg(long = "reader", value_name = "ARN")]
    readers: Vec<String>,
    /// Prices in the form of ami/prices.toml, for what each thing costs a month.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

pub(super) async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let rules = Rules {
        versions: usize::from(arguments.versions),
        template_versions: usize::from(arguments.template_versions),
        min_age: arguments.min_age,
        limit: usize::from(arguments.limit),
        only_marked: arguments.only_marked,
    };
    let prices = Prices::open(arguments.prices.as_deref())?;
    let cloud = common.cloud().await?;
    let found = async {
        let readers = common.readers(&cloud, &arguments.readers).await?;
        survey(&cloud, &readers, &rules, SystemTime::now()).await
    };
    let plan = found.await.map(|survey| {
        let plan = plan(&cloud.place, &survey, &rules);
        prices.mark(plan, &survey.fleet)
    });
    common.settle(VERB, &cloud, plan).await
}
