//! Auto Scaling groups, and what they start.

use aws_sdk_autoscaling::types::{self, LaunchTemplateSpecification};

use super::images::positive;
use super::{Cloud, CloudError};
use crate::fleet::{Configuration, Group, TemplateUse};

/// The most that one page of Auto Scaling's answers names.
const PAGE: i32 = 100;

impl Cloud {
    /// All Auto Scaling groups.
    pub async fn groups(&self) -> Result<Vec<Group>, CloudError> {
        let mut groups = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeAutoScalingGroups", async || {
                let call = self.scaling.describe_auto_scaling_groups().max_records(PAGE);
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            for group in page.auto_scaling_groups.unwrap_or_default() {
                groups.push(self.group(group)?);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(groups);
            }
        }
    }

    fn group(&self, group: types::AutoScalingGroup) -> Result<Group, CloudError> {
        let lacking = || self.incomplete("DescribeAutoScalingGroups", "name");
        let size = |number: Option<i32>| u32::try_from(positive(number)).unwrap_or(u32::MAX);
        let mixed = group.mixed_instances_policy.and_then(|policy| policy.launch_template);
        let mut templates: Vec<_> =
            group.launch_template.as_ref().map(template_use).into_iter().collect();
        if let Some(mixed) = mixed {
            templates.extend(mixed.launch_template_specification.as_ref().map(template_use));
            let overrides = mixed.overrides.unwrap_or_default();
            let own = overrides.iter().filter_map(|own| own.launch_template_specification.as_ref());
            templates.extend(own.map(template_use));
        }
        let instances = group.instances.unwrap_or_default();
        let is_protected = group.new_instances_protected_from_scale_in == Some(true)
            || instances.iter().any(|it| it.protected_from_scale_in == Some(true));
        let suspended = group.suspended_processes.unwrap_or_default().into_iter();
        let instances = instances.into_iter().filter_map(|instance| {
            Some((instance.instance_id?, instance.launch_template.as_ref().map(template_use)))
        });
        let tags = group.tags.unwrap_or_default().into_iter();
        Ok(Group {
            name: group.auto_scaling_group_name.ok_or_else(lacking)?,
            min: size(group.min_size),
            max: size(group.max_size),
            desired: size(group.desired_capacity),
            templates,
            instances: instances.collect(),
            is_protected,
            // One without a name is one that is not known.
            suspended: suspended.map(|it| it.process_name.unwrap_or_default()).collect(),
            status: group.status,
            tags: tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect(),
        })
    }

    /// All launch configurations.
    pub async fn configurations(&self) -> Result<Vec<Configuration>, CloudError> {
        let mut configurations = Vec::new();
        let mut next = None;
        loop {
            let page = self.ask("DescribeLaunchConfigurations", async || {
                let call = self.scaling.describe_launch_configurations().max_records(PAGE);
                call.set_next_token(next.clone()).send().await
            });
            let page = page.await?;
            let found = page.launch_configurations.unwrap_or_default().into_iter();
            configurations.extend(found.map(|found| {
                Configuration {
                    name: found.launch_configuration_name.unwrap_or_default(),
                    image: found.image_id.unwrap_or_default(),
                    snapshots: found
                        .block_device_mappings
                        .unwrap_or_default()
                        .into_iter()
                        .filter_map(|disk| disk.ebs?.snapshot_id)
                        .collect(),
                }
            }));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(configurations);
            }
        }
    }
}

/// A version that is not said is the default one.
fn template_use(said: &LaunchTemplateSpecification) -> TemplateUse {
    TemplateUse {
        template: said
            .launch_template_id
            .clone()
            .or_else(|| said.launch_template_name.clone())
            .unwrap_or_default(),
        version: said.version.clone().unwrap_or_else(|| "$Default".to_owned()),
    }
}
