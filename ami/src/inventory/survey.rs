//! What an inventory has to know.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::try_join;

use crate::cloud::{Cloud, CloudError};
use crate::fleet::{Fleet, InstanceType};

/// What an inventory is made of.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The account's region.
    pub fleet: Fleet,
    /// The types of its instances.
    pub types: BTreeMap<String, InstanceType>,
}

/// Looks at the account's region.
pub async fn survey(cloud: &Cloud) -> Result<Survey, CloudError> {
    let (instances, volumes, images, snapshots) =
        try_join!(cloud.instances(), cloud.volumes(), cloud.own_images(), cloud.own_snapshots())?;
    let kinds: BTreeSet<_> = instances.iter().map(|it| it.instance_type.clone()).collect();
    let types = cloud.instance_types(&kinds).await?;
    let account = cloud.place.account.clone();
    let fleet = Fleet { account, instances, volumes, images, snapshots, ..Fleet::default() };
    Ok(Survey { fleet, types })
}
