//! What a plan of cleaning has to know: only of the kinds that are wanted. Who may use a thing is
//! one question for each that might go, so that is asked last, and of few.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use futures_util::try_join;

use super::{Kind, Rules, Survey, images, instances, snapshots};
use crate::cloud::{Cloud, CloudError};
use crate::fleet::dns::Zone;
use crate::plan::Plan;

/// How many things' grants are asked for at once.
const AT_ONCE: usize = 4;

/// Looks at the account's region.
pub async fn survey(cloud: &Cloud, rules: &Rules, now: SystemTime) -> Result<Survey, CloudError> {
    let mut fleet = cloud.launches().await?;
    fleet.now = Some(now);
    if [Kind::Images, Kind::Snapshots, Kind::Orphans].iter().any(|kind| rules.has(*kind)) {
        (fleet.images, fleet.snapshots) = try_join!(cloud.own_images(), cloud.own_snapshots())?;
    }
    if rules.has(Kind::Volumes) {
        fleet.volumes = cloud.volumes().await?;
    }
    let mut survey = Survey { fleet, ..Survey::default() };
    if rules.has(Kind::Records) && !rules.zones.is_empty() {
        (survey.zones, survey.addresses) = named(cloud, rules).await?;
    }
    let silent = &mut Plan::default();
    let gone = instances::plan(silent, &survey.fleet, rules);
    let found = images::candidates(silent, &survey.fleet, rules, &gone);
    survey.image_grants = stream::iter(found.into_iter().take(rules.limit))
        .map(async |image| Ok((image.id.clone(), cloud.image_grants(&image.id).await?)))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let found = snapshots::candidates(silent, &survey.fleet, rules);
    survey.snapshot_grants = stream::iter(found.into_iter().take(rules.limit))
        .map(async |found| {
            let id = &found.snapshot.id;
            Ok((id.clone(), cloud.snapshot_grants(id).await?))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(survey)
}

/// Addresses, by region.
type Addresses = BTreeMap<String, BTreeSet<String>>;

/// Zones, and the addresses of each region that sees them.
async fn named(cloud: &Cloud, rules: &Rules) -> Result<(Vec<Zone>, Addresses), CloudError> {
    let zones = cloud.zones(&rules.zones).await?;
    let regions: BTreeSet<_> = zones.iter().flat_map(|zone| zone.regions.clone()).collect();
    let mut addresses = Addresses::new();
    for region in regions {
        let there = cloud.in_region(&region).addresses().await?;
        addresses.insert(region, there);
    }
    Ok((zones, addresses))
}
