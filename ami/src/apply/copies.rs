//! Copies of images, which take minutes to hours: begun, and waited for.

use aws_sdk_ec2::types::{ImageState, ResourceType, Tag, TagSpecification};
use tokio::time::{Instant, sleep};

use super::{Pace, StepError};
use crate::cloud::images::is_missing;
use crate::cloud::{Cloud, CloudError};
use crate::plan::Action;

/// The most copies that are under way at once in a region (EC2 refuses more of their snapshots).
const AT_ONCE: usize = 5;

/// Copies that are under way.
#[derive(Debug, Default)]
pub(super) struct Copies {
    pending: Vec<String>,
    /// When the first was waited for: all of them have one deadline.
    since: Option<Instant>,
}

impl Copies {
    /// Begins a copy, as soon as there is room for it.
    pub(super) async fn begin(
        &mut self,
        cloud: &Cloud,
        action: &Action,
        pace: &Pace,
    ) -> Result<(), StepError> {
        self.wait(cloud, pace, AT_ONCE - 1).await?;
        let image = cloud.copy_image(action).await?;
        self.pending.push(image);
        Ok(())
    }

    /// Counts a copy that was begun before.
    pub(super) fn follow(&mut self, image: &str) {
        self.pending.push(image.to_owned());
    }

    /// Whether time has passed over copies.
    pub(super) fn were_waited_for(&self) -> bool {
        self.since.is_some()
    }

    /// Waits until no more than `most` are under way.
    pub(super) async fn wait(
        &mut self,
        cloud: &Cloud,
        pace: &Pace,
        most: usize,
    ) -> Result<(), StepError> {
        if self.pending.len() <= most {
            return Ok(());
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        while self.pending.len() > most {
            let mut still = Vec::new();
            for image in std::mem::take(&mut self.pending) {
                if !cloud.is_available(&image).await? {
                    still.push(image);
                }
            }
            self.pending = still;
            tracing::info!(region = cloud.place.region, pending = self.pending.len(), "copies");
            if self.pending.len() <= most {
                break;
            }
            if since.elapsed().saturating_add(pace.poll) > pace.patience {
                return Err(StepError::Late(self.pending.join(", ")));
            }
            sleep(pace.poll).await;
        }
        Ok(())
    }
}

impl Cloud {
    /// Whether an image can be used. One that is not seen yet was asked for a moment ago.
    async fn is_available(&self, image: &str) -> Result<bool, StepError> {
        let answer = self.ask("DescribeImages", async || {
            self.ec2.describe_images().image_ids(image).send().await
        });
        let found = match answer.await {
            Ok(answer) => answer.images.unwrap_or_default().pop(),
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(found) = found else { return Ok(false) };
        match found.state {
            Some(ImageState::Available) => Ok(true),
            Some(ImageState::Pending | ImageState::Transient) | None => Ok(false),
            Some(state) => {
                let why = found.state_reason.and_then(|reason| reason.message).unwrap_or_default();
                Err(StepError::Part(format!("image {image} is {}: {why}", state.as_str())))
            }
        }
    }

    /// Begins a copy, encrypted, with its tags on the image and on its snapshots from the start.
    async fn copy_image(&self, action: &Action) -> Result<String, CloudError> {
        let Action::CopyImage { source, region, name, description, kms_key, token, tags } = action
        else {
            return Err(self.incomplete("CopyImage", "source"));
        };
        let tags: Vec<_> =
            tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let tagged = |kind| {
            let tagged = TagSpecification::builder().resource_type(kind);
            tagged.set_tags(Some(tags.clone())).build()
        };
        let answer = self.ask("CopyImage", async || {
            let call = self.ec2.copy_image().source_image_id(source).source_region(region);
            let call = call.name(name).description(description).encrypted(true);
            let call = call.set_kms_key_id(kms_key.clone()).client_token(token);
            let call = call.tag_specifications(tagged(ResourceType::Image));
            call.tag_specifications(tagged(ResourceType::Snapshot)).send().await
        });
        answer.await?.image_id.ok_or_else(|| self.incomplete("CopyImage", "image id"))
    }
}
