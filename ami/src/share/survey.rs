//! What a plan of sharing has to know.

use std::collections::BTreeMap;

use super::{Rules, Survey};
use crate::cloud::{Cloud, CloudError};

/// Looks at the images that are meant, and at who may use them.
pub async fn survey(cloud: &Cloud, rules: &Rules) -> Result<Survey, CloudError> {
    let images = cloud.own_images().await?;
    let (mut image_grants, mut snapshot_grants) = (BTreeMap::new(), BTreeMap::new());
    for image in rules.pick(&images) {
        image_grants.insert(image.id.clone(), cloud.image_grants(&image.id).await?);
        for snapshot in &image.snapshots {
            snapshot_grants.insert(snapshot.clone(), cloud.snapshot_grants(snapshot).await?);
        }
    }
    Ok(Survey { images, image_grants, snapshot_grants })
}
