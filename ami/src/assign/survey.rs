//! What a plan of assigning has to know.

use futures_util::try_join;

use crate::cloud::{Cloud, CloudError};
use crate::fleet::Fleet;

/// Looks at images, templates, groups and instances.
pub async fn survey(cloud: &Cloud) -> Result<Fleet, CloudError> {
    let (mut fleet, images) = try_join!(cloud.launches(), cloud.own_images())?;
    fleet.images = images;
    Ok(fleet)
}
