//! What a plan of retention has to know. Most of it is lists; who may use an image is one
//! question for each image that might go, so that is asked last, and of few.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use futures_util::try_join;

use super::{Rules, Survey, images, templates};
use crate::cloud::{Cloud, CloudError};
use crate::fleet::usage::Versions;
use crate::plan::Plan;

/// How many images' grants are asked for at once.
const AT_ONCE: usize = 4;

/// Looks at the account's region, and at what `readers`, other accounts that may use its images,
/// use of them.
pub async fn survey(
    cloud: &Cloud,
    readers: &[Cloud],
    rules: &Rules,
    now: SystemTime,
) -> Result<Survey, CloudError> {
    let mut fleet = cloud.launches().await?;
    fleet.now = Some(now);
    (fleet.images, fleet.snapshots) = try_join!(cloud.own_images(), cloud.own_snapshots())?;
    let mut used_elsewhere = BTreeMap::new();
    for reader in readers {
        let there = reader.launches().await?;
        for (image, who) in there.used_images(&Versions::new()) {
            let account = &reader.place.account;
            used_elsewhere.insert(image.to_owned(), format!("{who} of account {account}"));
        }
    }
    let looked_at: BTreeSet<_> =
        readers.iter().map(|reader| reader.place.account.clone()).collect();
    let gone = templates::plan(&mut Plan::default(), &fleet, rules);
    let candidates = images::candidates(&fleet, rules, &gone);
    let grants = stream::iter(candidates.into_iter().take(rules.limit))
        .map(async |image| Ok((image.id.clone(), cloud.image_grants(&image.id).await?)))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(Survey { fleet, grants, looked_at, used_elsewhere })
}
