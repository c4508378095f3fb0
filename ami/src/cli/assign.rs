//! `gild-ami assign`: the newest image of a service into its launch template.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::Failure;
use super::common::{Common, duration};
use crate::apply::Pace;
use crate::assign::{Refresh, Rules, VERB, plan, survey};

/// Have a service's launch template start its newest image.
///
/// A new version of the template is made; it is the default one, and instances are replaced, only
/// where that is asked for.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The service.
    #[arg(long = "app", value_name = "NAME", required = true)]
    apps: Vec<String>,
    /// Its launch template, by name or id. Where none is given, the one with its tag app or its name.
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// A pre-release may be the newest.
    #[arg(long)]
    pre_release: bool,
    /// The version whose other settings the new one has. The latest where none is given.
    #[arg(long, value_name = "N")]
    from_version: Option<u64>,
    /// The new version is the default one.
    #[arg(long)]
    default: bool,
    /// Replace the instances of the groups that start from the template, and wait until that is done.
    #[arg(long)]
    refresh: bool,
    /// How many instances of a group stay in service meanwhile, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 90, requires = "refresh",
        value_parser = clap::value_parser!(u8).range(0..=100))]
    min_healthy: u8,
    /// How long a new instance takes until it counts.
    #[arg(long, value_name = "TIME", default_value = "5m", requires = "refresh", value_parser = duration)]
    warm_up: Duration,
    /// How long a refresh may take.
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = duration)]
    deadline: Duration,
    /// How often is looked whether it is done.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration)]
    poll: Duration,
}

pub(super) async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.template.is_some() && arguments.apps.len() > 1 {
        return Err("--template is of one service: give one --app".into());
    }
    let refresh =
        Refresh { min_healthy_percent: arguments.min_healthy, warm_up: arguments.warm_up };
    let rules = Rules {
        apps: arguments.apps.iter().cloned().collect(),
        template: arguments.template.clone(),
        pre_release: arguments.pre_release,
        from_version: arguments.from_version,
        default: arguments.default,
        refresh: arguments.refresh.then_some(refresh),
    };
    let cloud = common.cloud().await?;
    let plan = survey(&cloud).await.map(|fleet| plan(&cloud.place, &fleet, &rules));
    let pace = Pace { poll: arguments.poll, patience: arguments.deadline };
    common.settle_at(VERB, &cloud, plan, &pace).await
}
