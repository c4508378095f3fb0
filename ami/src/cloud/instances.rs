//! Instances that are not gone.

use aws_sdk_ec2::types::{self, InstanceLifecycleType, InstanceStateName};

use super::images::{moment, positive, tags};
use super::{Cloud, CloudError};
use crate::fleet::Instance;

/// How many instances one page names: one with many addresses and tags is 10 KB.
const PAGE: i32 = 200;

/// The tag that Auto Scaling puts on its instances.
const GROUP: &str = "aws:autoscaling:groupName";

impl Cloud {
    /// All instances, save those that are terminated.
    pub async fn instances(&self) -> Result<Vec<Instance>, CloudError> {
        let mut instances = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeInstances", async || {
                let call = self.ec2.describe_instances().max_results(PAGE);
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            let reservations = page.reservations.unwrap_or_default().into_iter();
            for instance in reservations.flat_map(|one| one.instances.unwrap_or_default()) {
                let state = instance.state.as_ref().and_then(|state| state.name.as_ref());
                if state != Some(&InstanceStateName::Terminated) {
                    instances.push(self.instance(instance)?);
                }
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(instances);
            }
        }
    }

    fn instance(&self, instance: types::Instance) -> Result<Instance, CloudError> {
        let lacking = || self.incomplete("DescribeInstances", "instance id");
        let state = instance.state.and_then(|state| state.name);
        let cpus = instance
            .cpu_options
            .map(|cpu| positive(cpu.core_count) * positive(cpu.threads_per_core).max(1));
        let disks = instance.block_device_mappings.unwrap_or_default();
        let interfaces = instance.network_interfaces.unwrap_or_default();
        let more =
            interfaces.into_iter().flat_map(|it| it.private_ip_addresses.unwrap_or_default());
        let more = more.flat_map(|address| {
            let public = address.association.and_then(|it| it.public_ip);
            [address.private_ip_address, public].into_iter().flatten()
        });
        let mut addresses: Vec<_> = [instance.private_ip_address, instance.public_ip_address]
            .into_iter()
            .flatten()
            .collect();
        addresses.extend(more);
        addresses.sort();
        addresses.dedup();
        let tags = tags(instance.tags);
        Ok(Instance {
            id: instance.instance_id.ok_or_else(lacking)?,
            image: instance.image_id.unwrap_or_default(),
            state: state.map(|state| state.as_str().to_owned()).unwrap_or_default(),
            instance_type: instance
                .instance_type
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default(),
            is_spot: instance.instance_lifecycle == Some(InstanceLifecycleType::Spot),
            cpus: u32::try_from(cpus.unwrap_or_default()).unwrap_or_default(),
            group: tags.get(GROUP).cloned(),
            addresses,
            launched: moment(instance.launch_time),
            volumes: disks.into_iter().filter_map(|disk| disk.ebs?.volume_id).collect(),
            tags,
        })
    }
}
