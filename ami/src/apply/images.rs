//! Changes to images and snapshots.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{
    LaunchPermission, LaunchPermissionModifications, OperationType, SnapshotAttributeName, Tag,
};

use crate::cloud::{Cloud, CloudError};
use crate::fleet::{Grants, Tags};

impl Cloud {
    pub(super) async fn deregister_image(&self, image: &str) -> Result<(), CloudError> {
        let call = async || self.ec2.deregister_image().image_id(image).send().await;
        self.ask("DeregisterImage", call).await.map(drop)
    }

    pub(super) async fn delete_snapshot(&self, snapshot: &str) -> Result<(), CloudError> {
        let call = async || self.ec2.delete_snapshot().snapshot_id(snapshot).send().await;
        self.ask("DeleteSnapshot", call).await.map(drop)
    }

    pub(super) async fn share_image(&self, image: &str, with: &Grants) -> Result<(), CloudError> {
        let accounts = with.accounts.iter().map(|id| LaunchPermission::builder().user_id(id));
        let organizations = with.organizations.iter().map(|arn| {
            let grant = LaunchPermission::builder();
            match arn.contains(":ou/") {
                true => grant.organizational_unit_arn(arn),
                false => grant.organization_arn(arn),
            }
        });
        let added: Vec<_> = accounts.chain(organizations).map(|grant| grant.build()).collect();
        let change = LaunchPermissionModifications::builder().set_add(Some(added)).build();
        let call = self.ask("ModifyImageAttribute", async || {
            let call = self.ec2.modify_image_attribute().image_id(image);
            call.launch_permission(change.clone()).send().await
        });
        call.await.map(drop)
    }

    pub(super) async fn share_snapshot(
        &self,
        snapshot: &str,
        with: &BTreeSet<String>,
    ) -> Result<(), CloudError> {
        let call = self.ask("ModifySnapshotAttribute", async || {
            let call = self.ec2.modify_snapshot_attribute().snapshot_id(snapshot);
            let call = call.attribute(SnapshotAttributeName::CreateVolumePermission);
            let call = call.operation_type(OperationType::Add);
            call.set_user_ids(Some(with.iter().cloned().collect())).send().await
        });
        call.await.map(drop)
    }

    pub(super) async fn tag(&self, resource: &str, tags: &Tags) -> Result<(), CloudError> {
        let tags: Vec<_> =
            tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let call = self.ask("CreateTags", async || {
            self.ec2.create_tags().resources(resource).set_tags(Some(tags.clone())).send().await
        });
        call.await.map(drop)
    }
}
