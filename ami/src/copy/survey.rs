//! What a plan of copying has to know.

use std::collections::BTreeMap;

use futures_util::try_join;

use super::{Rules, Source, Survey};
use crate::cloud::{Cloud, CloudError};

/// Looks at what is shared in `regions`, and at what is there in the region of `cloud`. An image
/// in that region itself is preferred to one of its name elsewhere. `builders` are views of the
/// build account, by region, where its tags may be read.
pub async fn survey(
    cloud: &Cloud,
    regions: &[String],
    builders: &BTreeMap<String, Cloud>,
    rules: &Rules,
) -> Result<Survey, CloudError> {
    let mut regions: Vec<_> = regions.to_vec();
    regions.sort_by_key(|region| *region != cloud.place.region);
    let mut sources = Vec::new();
    for region in regions {
        let mut images = cloud.in_region(&region).shared_images(&rules.from).await?;
        if let Some(builder) = builders.get(&region) {
            let own = builder.own_images().await?.into_iter();
            let mut tags: BTreeMap<_, _> = own.map(|image| (image.id, image.tags)).collect();
            for image in &mut images {
                image.tags = tags.remove(&image.id).unwrap_or_default();
            }
        }
        images.sort_by(|one, other| one.id.cmp(&other.id));
        sources.extend(images.into_iter().map(|image| Source { region: region.clone(), image }));
    }
    let mut fleet = cloud.launches().await?;
    (fleet.images, fleet.snapshots) = try_join!(cloud.own_images(), cloud.own_snapshots())?;
    Ok(Survey { sources, fleet })
}
