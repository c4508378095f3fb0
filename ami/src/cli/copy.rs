//! `gild-ami copy`: other accounts' images, as this account's own.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::Failure;
use super::common::{Common, duration, tell};
use crate::apply::Pace;
use crate::copy::{Rules, VERB, plan, survey};
use crate::share::account;

/// Copy what the build account shares into this account's regions, under this account's key.
///
/// The old copy of a name goes after the new one is available. Run it again where it was broken
/// off: copies that were begun are waited for, and not made again.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The account that builds images.
    #[arg(long, value_name = "ID", value_parser = account)]
    from: String,
    /// A region that it shares images in. The account's own region where none is given.
    #[arg(long = "from-region", value_name = "REGION")]
    from_regions: Vec<String>,
    /// A region to copy to. The account's own region where none is given.
    #[arg(long = "to-region", value_name = "REGION")]
    to_regions: Vec<String>,
    /// A role in the build account that may read the tags of its images. Without it a service and
    /// its version are read from an image's description.
    #[arg(long, value_name = "ARN")]
    source_role: Option<String>,
    /// Only this service.
    #[arg(long = "app", value_name = "NAME")]
    apps: Vec<String>,
    /// How many versions of each service are copied, the newest.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    versions: u16,
    /// The most copies that one run makes in a region.
    #[arg(long, value_name = "N", default_value_t = 25)]
    limit: u16,
    /// The key that copies are encrypted with. The account's default one where none is given.
    #[arg(long, value_name = "KEY")]
    kms_key: Option<String>,
    /// How long copies may take.
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = duration)]
    deadline: Duration,
    /// How often is looked whether they are done.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration)]
    poll: Duration,
}

pub(super) async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let home = common.cloud().await?;
    let or_home = |regions: &[String]| match regions {
        [] => vec![home.place.region.clone()],
        regions => regions.to_vec(),
    };
    let from_regions = or_home(&arguments.from_regions);
    let rules = Rules {
        from: arguments.from.clone(),
        apps: arguments.apps.iter().cloned().collect(),
        versions: usize::from(arguments.versions),
        limit: usize::from(arguments.limit),
        kms_key: arguments.kms_key.clone(),
    };
    let pace = Pace { poll: arguments.poll, patience: arguments.deadline };
    let mut builders = BTreeMap::new();
    if let Some(role) = &arguments.source_role {
        for region in &from_regions {
            builders.insert(region.clone(), common.enter(Some(region), Some(role)).await?);
        }
    }
    let mut worst = ExitCode::SUCCESS;
    for region in or_home(&arguments.to_regions) {
        let cloud = home.in_region(&region);
        let found = survey(&cloud, &from_regions, &builders, &rules).await;
        let plan = found.map(|survey| plan(&cloud.place, &survey, &rules));
        // What fails in one region says nothing of another.
        match common.settle_at(VERB, &cloud, plan, &pace).await {
            Ok(code) if code == ExitCode::SUCCESS => {}
            Ok(code) => worst = code,
            Err(failure) => {
                tell(failure.as_ref());
                worst = ExitCode::FAILURE;
            }
        }
    }
    Ok(worst)
}
