//! Volumes.

use super::images::{moment, positive, tags};
use super::{Cloud, CloudError, PAGE};
use crate::fleet::Volume;

impl Cloud {
    /// All volumes.
    pub async fn volumes(&self) -> Result<Vec<Volume>, CloudError> {
        let mut volumes = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeVolumes", async || {
                let call = self.ec2.describe_volumes().max_results(PAGE);
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            for volume in page.volumes.unwrap_or_default() {
                let lacking = || self.incomplete("DescribeVolumes", "volume id");
                let attached = volume.attachments.unwrap_or_default().into_iter();
                let number = |number: Option<i32>| number.and_then(|it| u32::try_from(it).ok());
                volumes.push(Volume {
                    id: volume.volume_id.ok_or_else(lacking)?,
                    state: volume.state.map(|it| it.as_str().to_owned()).unwrap_or_default(),
                    kind: volume.volume_type.map(|it| it.as_str().to_owned()).unwrap_or_default(),
                    size_gib: positive(volume.size),
                    iops: number(volume.iops),
                    throughput: number(volume.throughput),
                    instances: attached.filter_map(|attached| attached.instance_id).collect(),
                    snapshot: volume.snapshot_id.filter(|snapshot| !snapshot.is_empty()),
                    created: moment(volume.create_time),
                    tags: tags(volume.tags),
                });
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(volumes);
            }
        }
    }
}
