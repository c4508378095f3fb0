//! Images and snapshots, and who may use them.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types::{self, ImageAttributeName, SnapshotAttributeName};

use super::{Cloud, CloudError, PAGE};
use crate::fleet::{Grants, Image, Snapshot, Tags};

impl Cloud {
    /// The images that this account owns.
    pub async fn own_images(&self) -> Result<Vec<Image>, CloudError> {
        self.images_of("self", None).await
    }

    /// The images that another account owns and this one may use.
    pub async fn shared_images(&self, owner: &str) -> Result<Vec<Image>, CloudError> {
        self.images_of(owner, Some("self")).await
    }

    /// Images that are disabled or deprecated are among them: their snapshots are in use.
    async fn images_of(&self, owner: &str, user: Option<&str>) -> Result<Vec<Image>, CloudError> {
        let mut images = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeImages", async || {
                let call = self.ec2.describe_images().owners(owner).max_results(PAGE);
                let call = call.include_disabled(true).include_deprecated(true);
                let call = call.set_executable_users(user.map(|user| vec![user.to_owned()]));
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            for image in page.images.unwrap_or_default() {
                images.push(self.image(image)?);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(images);
            }
        }
    }

    fn image(&self, image: types::Image) -> Result<Image, CloudError> {
        let id = image.image_id.ok_or_else(|| self.incomplete("DescribeImages", "image id"))?;
        let disks = image.block_device_mappings.unwrap_or_default();
        let disks: Vec<_> = disks.into_iter().filter_map(|disk| disk.ebs).collect();
        Ok(Image {
            id,
            name: image.name.unwrap_or_default(),
            description: image.description.unwrap_or_default(),
            owner: image.owner_id.unwrap_or_default(),
            state: image.state.map(|state| state.as_str().to_owned()).unwrap_or_default(),
            architecture: image.architecture.map(|kind| kind.as_str().into()).unwrap_or_default(),
            created: image.creation_date.and_then(|at| humantime::parse_rfc3339(&at).ok()),
            is_public: image.public.unwrap_or_default(),
            is_encrypted: disks.iter().any(|disk| disk.encrypted == Some(true)),
            snapshots: disks.into_iter().filter_map(|disk| disk.snapshot_id).collect(),
            tags: tags(image.tags),
        })
    }

    /// The snapshots that this account owns.
    pub async fn own_snapshots(&self) -> Result<Vec<Snapshot>, CloudError> {
        let mut snapshots = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeSnapshots", async || {
                let call = self.ec2.describe_snapshots().owner_ids("self").max_results(PAGE);
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            for snapshot in page.snapshots.unwrap_or_default() {
                let lacking = || self.incomplete("DescribeSnapshots", "snapshot id");
                snapshots.push(Snapshot {
                    id: snapshot.snapshot_id.ok_or_else(lacking)?,
                    owner: snapshot.owner_id.unwrap_or_default(),
                    state: snapshot.state.map(|it| it.as_str().to_owned()).unwrap_or_default(),
                    description: snapshot.description.unwrap_or_default(),
                    size_gib: positive(snapshot.volume_size),
                    tier: snapshot
                        .storage_tier
                        .map_or_else(|| "standard".to_owned(), |tier| tier.as_str().to_owned()),
                    created: moment(snapshot.start_time),
                    tags: tags(snapshot.tags),
                });
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(snapshots);
            }
        }
    }

    /// Who else may use an image of this account.
    pub async fn image_grants(&self, image: &str) -> Result<Grants, CloudError> {
        let answer = self.ask("DescribeImageAttribute", async || {
            let call = self.ec2.describe_image_attribute().image_id(image);
            call.attribute(ImageAttributeName::LaunchPermission).send().await
        });
        let mut grants = Grants::default();
        for grant in answer.await?.launch_permissions.unwrap_or_default() {
            grants.accounts.extend(grant.user_id);
            grants.organizations.extend(grant.organization_arn);
            grants.organizations.extend(grant.organizational_unit_arn);
            grants.is_public |= grant.group.is_some();
        }
        Ok(grants)
    }

    /// The accounts that may make volumes of a snapshot of this account.
    pub async fn snapshot_grants(&self, snapshot: &str) -> Result<BTreeSet<String>, CloudError> {
        let answer = self.ask("DescribeSnapshotAttribute", async || {
            let call = self.ec2.describe_snapshot_attribute().snapshot_id(snapshot);
            call.attribute(SnapshotAttributeName::CreateVolumePermission).send().await
        });
        let grants = answer.await?.create_volume_permissions.unwrap_or_default();
        Ok(grants.into_iter().filter_map(|grant| grant.user_id).collect())
    }
}

/// Whether the thing that was asked for is not there, or not any more.
pub(crate) fn is_missing(error: &CloudError) -> bool {
    error.code().is_some_and(|code| {
        code.ends_with(".NotFound")
            || code.ends_with("NotFoundException")
            || code == "InvalidAMIID.Unavailable"
    })
}

/// Tags as a map. Keys of AWS's own, `aws:…`, are among them.
pub(super) fn tags(tags: Option<Vec<types::Tag>>) -> Tags {
    let pair = |tag: types::Tag| Some((tag.key?, tag.value.unwrap_or_default()));
    tags.unwrap_or_default().into_iter().filter_map(pair).collect()
}

/// A number that AWS counts with.
pub(super) fn positive<T: Into<i64>>(number: Option<T>) -> u64 {
    number.map(Into::into).and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

/// A moment of AWS's.
pub(super) fn moment(at: Option<DateTime>) -> Option<SystemTime> {
    at.and_then(|at| SystemTime::try_from(at).ok())
}
