//! `gild-ami share`: others may use an image.

use std::process::ExitCode;

use clap::Args;

use super::Failure;
use super::common::Common;
use crate::share::{RecipientError, Recipients, Rules, VERB, account, organization, plan, survey};

/// Let other accounts start instances of an image, and copy it.
///
/// Run it in the account that builds images. Encrypted images are never shared.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The newest version of this service.
    #[arg(long = "app", value_name = "NAME", required_unless_present = "images")]
    apps: Vec<String>,
    /// This version of it instead.
    #[arg(long = "of-version", value_name = "VERSION", requires = "apps")]
    version: Option<String>,
    /// This image.
    #[arg(long = "image", value_name = "ID")]
    images: Vec<String>,
    /// With this account.
    #[arg(long = "account", value_name = "ID", value_parser = account)]
    accounts: Vec<String>,
    /// With this organisation, or this unit of one.
    #[arg(long = "organization", value_name = "ARN", value_parser = organization)]
    organizations: Vec<String>,
    /// With the accounts that this SSM parameter names, the account scope's document, where neither
    /// --account nor --organization is given.
    #[arg(long, value_name = "NAME")]
    scope: Option<String>,
}

pub(super) async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let cloud = common.cloud().await?;
    let mut with = Recipients {
        accounts: arguments.accounts.iter().cloned().collect(),
        snapshot_accounts: arguments.accounts.iter().cloned().collect(),
        organizations: arguments.organizations.iter().cloned().collect(),
    };
    if let Some(scope) = arguments.scope.as_ref().filter(|_| with.is_empty()) {
        with = Recipients::of_scope(&cloud.parameter(scope).await?)?;
    }
    if with.is_empty() {
        return Err(RecipientError::Nobody.into());
    }
    let rules = Rules {
        apps: arguments.apps.iter().cloned().collect(),
        version: arguments.version.clone(),
        images: arguments.images.iter().cloned().collect(),
    };
    let found = survey(&cloud, &rules).await;
    let plan = found.map(|survey| plan(&cloud.place, &survey, &rules, &with));
    common.settle(VERB, &cloud, plan).await
}
