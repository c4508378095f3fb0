//! What there is in the bucket of this version, and of the newest.

use super::{Destination, MANIFEST, Survey};
use crate::cloud::{Cloud, CloudError};

/// Looks at the version's objects and at the newest version.
pub async fn survey(cloud: &Cloud, to: &Destination) -> Result<Survey, CloudError> {
    let there = cloud.objects(&to.bucket, &to.prefix()).await?;
    let manifest = match there.contains_key(&to.key(MANIFEST)) {
        true => cloud.object(&to.bucket, &to.key(MANIFEST)).await?,
        false => None,
    };
    let latest = cloud.object(&to.bucket, &to.latest(".json")).await?;
    Ok(Survey { there, manifest, latest })
}
